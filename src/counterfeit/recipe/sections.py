"""The sections of a recipe but for its networks, and the types of their values."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from counterfeit.arguments import is_colour, shown

Probability = Annotated[float, Field(ge=0, lt=1)]
"""A chance of dropping a unit."""

# The bounds are far beyond any use: they keep counts countable and float32 from overflowing.
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
Positive = Annotated[float, Field(gt=0, le=1e30)]
NonNegative = Annotated[float, Field(ge=0, le=1e30)]
Label = Annotated[float, Field(ge=0, le=1)]
LabelRange = tuple[Label, Label]
Text = Annotated[str, Field(max_length=10_000)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


MAX_IMAGE_SIZE = 1024


class Data(Section):
    name: Text = "mnist"
    """A data set's name, or a folder of images."""
    train_images: Count | None = None
    """Train on the first so many images, of a folder random ones; on all of them when absent."""
    image_size: Annotated[int, Field(ge=1, le=MAX_IMAGE_SIZE)] | None = None
    """Height and width in pixels. When absent 28 for a folder of images, 32 for emoji, and for the
    others as they are stored."""
    channels: Literal[1, 3] | None = None
    """Gray or RGB; as stored when absent."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How an image becomes a square one: its central square, all of it with bars of the background,
    or all of it squeezed."""
    background: Annotated[str, Field(max_length=100)] = "white"
    """What transparent images are laid on: a colour of CSS's names, or `#rrggbb`."""

    @model_validator(mode="after")
    def _background_is_a_colour(self) -> "Data":
        if not is_colour(self.background):
            raise ValueError(
                f"background should be a colour such as white or #ffcc00, not"
                f" {shown(self.background)}"
            )
        return self

    def same_images(self, other: "Data") -> bool:
        """Whether both make the same images of the same files, however many they train on."""
        return self.model_copy(update={"train_images": other.train_images}) == other


class Latent(Section):
    dim: Count = 100
    distribution: Literal["normal", "uniform"] = "normal"
    """`uniform` is on [-sqrt(3) std, sqrt(3) std], which has the stated standard deviation."""
    std: Positive = 1.0


class Sgd(Section):
    """Stochastic gradient descent with momentum, both of which may change as training goes on."""

    name: Literal["sgd"] = "sgd"
    lr: Positive
    momentum: Probability = 0.0
    lr_decay: Annotated[float, Field(ge=1, le=1e30)] = 1.0
    """The learning rate is divided by this at every update."""
    lr_min: NonNegative = 0.0
    final_momentum: Probability | None = None
    """Momentum rises linearly to this over `momentum_ramp`; constant when absent."""
    momentum_ramp: tuple[NonNegative, Positive] = (0.0, 1.0)
    """The ramp's first and last epoch, counted from 1."""

    @model_validator(mode="after")
    def _ramp_rises(self) -> "Sgd":
        if self.momentum_ramp[0] >= self.momentum_ramp[1]:
            raise ValueError(
                "momentum_ramp should be [start, end] with start < end,"
                f" not {shown(list(self.momentum_ramp))}"
            )
        return self


class Adam(Section):
    """Kingma and Ba 2015 (1412.6980), with PyTorch's defaults."""

    name: Literal["adam"] = "adam"
    lr: Positive
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Positive = 1e-8


Optimizer = Annotated[Sgd | Adam, Field(discriminator="name")]


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
                f"real_labels should be above fake_labels, and {shown(list(self.real_labels))}"
                f" are not above {shown(list(self.fake_labels))}"
            )
        return self


class CriticLoss(Section):
    """A loss in which D gives each image a score, and no probability (docs/losses.md)."""

    name: Literal["least-squares", "wasserstein", "relativistic"]


def loss_by_name(section: Any) -> Any:
    """A loss's section with its name, non-saturating if nothing is said."""
    return {"name": "non-saturating"} | section if isinstance(section, dict) else section


Loss = Annotated[
    CrossEntropy | CriticLoss, Field(discriminator="name"), BeforeValidator(loss_by_name)
]


class Training(Section):
    epochs: Count = 100
    batch_size: Annotated[int, Field(ge=2, le=1_000_000_000)] = 128
    update: Literal["alternating", "simultaneous"] = "alternating"
    """`alternating`: G's step goes through the D just updated. `simultaneous`: both gradients are
    taken at the same parameters, from the same fakes and the same pass through D."""
    discriminator_steps: Count = 1
    """k of Algorithm 1: D steps for each G step."""
    generator_latents: Literal["shared", "fresh"] = "shared"
    """Whether G's step uses the fakes of the last D step, or draws its own."""
    precision: Literal["float32", "bf16"] = "float32"
    """`bf16`: matrix products and hidden activations in bfloat16; weights, optimisers, statistics,
    logits and losses stay in float32."""

    @model_validator(mode="after")
    def _simultaneous_means_one_step(self) -> "Training":
        if self.update == "simultaneous" and (
            self.discriminator_steps != 1 or self.generator_latents != "shared"
        ):
            raise ValueError(
                "simultaneous updates need discriminator_steps = 1 and generator_latents ="
                f" 'shared', not {self.discriminator_steps} and {self.generator_latents!r}"
            )
        return self
