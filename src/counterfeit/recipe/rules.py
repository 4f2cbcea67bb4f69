"""The sections of a recipe that say what its players play for: loss, penalties, constraints, and
what is done to the images that D sees."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from counterfeit.arguments import shown
from counterfeit.recipe.sections import Count, NonNegative, Positive, Probability, Section, Text

Label = Annotated[float, Field(ge=0, le=1)]
LabelRange = tuple[Label, Label]


class CrossEntropy(Section):
    """The paper's losses, in which D gives each image the probability that it is real."""

    name: Literal["non-saturating", "minimax"] = "non-saturating"
    """What G minimises: -log D(G(z)), or the paper's log(1 - D(G(z)))."""
    real_labels: LabelRange = (1.0, 1.0)
    """Labels of real images, uniform in this range (one-sided smoothing when below 1). They are
    drawn once, before training, one for each position in the batch."""
    fake_labels: LabelRange = (0.0, 0.0)
    """Labels of generated images, likewise. Above 0, D's best answer tells G to make again what it
    makes already (Salimans et al. 2016, 1606.03498): leave them at 0."""
    label_flips: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """The share of positions in the batch at which D is told the opposite; more noise than help."""

    @model_validator(mode="after")
    def _labels_are_ranges(self) -> "CrossEntropy":
        for name in ("real_labels", "fake_labels"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(
                    f"{name} should be [low, high] with low <= high, not {shown([low, high])}"
                )
        if self.real_labels[0] <= self.fake_labels[1]:
            raise ValueError(
                f"real_labels should be above fake_labels, {shown(list(self.fake_labels))},"
                f" not {shown(list(self.real_labels))}"
            )
        return self


class CriticLoss(Section):
    """A loss in which D gives each image a score, and no probability (docs/losses.md)."""

    name: Literal["least-squares", "wasserstein", "hinge", "relativistic"]


class CustomLoss(Section):
    """A loss of the user's own: what D answers with is all that is known."""

    name: Literal["custom"]
    outputs: Literal["logits", "probabilities", "scores"]
    label: Text | None = None
    """What its author calls it."""


def loss_by_name(section: Any) -> Any:
    """A loss's section with its name, non-saturating if nothing is said."""
    return {"name": "non-saturating"} | section if isinstance(section, dict) else section


Loss = Annotated[
    CrossEntropy | CriticLoss | CustomLoss,
    Field(discriminator="name"),
    BeforeValidator(loss_by_name),
]


class Penalty(Section):
    weight: NonNegative = 10.0
    every: Count = 1
    """It is added in each update whose number this divides, with `every` times the weight, which
    leaves its strength as it is (Karras et al. 2020, 1912.04958, section 3.1)."""


class GradientPenalty(Penalty):
    target: NonNegative = 1.0
    """The length that D's gradient should have between real images and fakes; 0 is the
    zero-centred form (1902.03984)."""


class Penalties(Section):
    """What is added to D's loss, each where its section is there (docs/losses.md)."""

    gradient: GradientPenalty | None = None
    """WGAN-GP's (1704.00028): weight * E[(|D's gradient| - target)^2] between real and fake."""
    r1: Penalty | None = None
    """Mescheder et al. 2018 (1801.04406): weight / 2 * E[|D's gradient|^2] at real images."""
    r2: Penalty | None = None
    """The same at fakes."""
    consistency: Penalty | None = None
    """CR-GAN's (1910.12027): weight * E[(D(x) - D(shifted x))^2] of real images."""


class Constraints(Section):
    clip_weights: Positive | None = None
    """D's weights are clipped to [-clip_weights, clip_weights] after each of its steps, as in
    Arjovsky et al. 2017 (1701.07875)."""


class Inputs(Section):
    """What is done to images before D sees them, real and generated ones alike."""

    noise: NonNegative = 0.0
    """Standard deviation of normal noise on every pixel at the start (1610.04490)."""
    noise_epochs: Positive | None = None
    """Epochs over which the noise falls linearly to 0; it stays when absent."""
    augment: tuple[Literal["color", "translation", "cutout"], ...] = ()
    """Differentiable augmentations (DiffAugment, 2006.10738), in this order."""
    adaptive: Annotated[float, Field(gt=-1, lt=1)] | None = None
    """How sure of training images D may be, as the mean sign of its logits: each augmentation is
    applied to an image with a probability that rises while D is surer and else falls (2006.06676,
    which takes 0.6). It is 1 when absent."""
    replay: Probability = 0.0
    """Share of D's fakes that are of earlier updates (1612.07828)."""

    @model_validator(mode="after")
    def _nothing_is_without_its_base(self) -> "Inputs":
        if self.noise_epochs is not None and not self.noise:
            raise ValueError(f"noise_epochs needs noise above 0, not {self.noise}")
        if self.adaptive is not None and not self.augment:
            raise ValueError(
                'adaptive needs something to apply, as in augment = ["translation"], not []'
            )
        return self
