"""What D sees of images, real or generated: as they are, or augmented, or with noise on them."""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit import recipe
from counterfeit.game.augment import AUGMENTATIONS, color
from counterfeit.seeds import stream_seed

ADAPTED_IMAGES = 500_000
"""Images after which a probability that only rises has gone from 0 to 1 (Karras et al. 2020, arXiv
2006.06676, section 3.1)."""


class View:
    """A function of images, drawn anew at each call, that D's and G's steps look through alike.

    Noise blurs the two distributions into each other: Sonderby et al. 2017 (arXiv 1610.04490).
    Augmentations are those of `augment`; with `spec.adaptive`, each is applied to an image with a
    probability that keeps D from knowing its training images by heart: Karras et al. 2020 (arXiv
    2006.06676), whose heuristic is the mean sign of D's logits of them.

    Args:
        spec: the recipe's `[inputs]`.
        value_range: the lowest and highest pixel value.
        seed: fixes all that is drawn, with an update's number.
    """

    def __init__(
        self,
        spec: recipe.Inputs,
        value_range: tuple[float, float],
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        self.spec = spec
        self.seed = seed
        self.noise = spec.noise
        self.rng = torch.Generator(device)
        self.probability = torch.tensor(float(spec.adaptive is None), device=device)
        low, high = value_range
        functions = AUGMENTATIONS | {"color": partial(color, width=high - low)}
        self.augmentations = [functions[name] for name in spec.augment]

    @property
    def adapts(self) -> bool:
        """Whether the probability of augmentation follows how sure D is."""
        return self.spec.adaptive is not None

    def begin(self, step: int, epoch: float) -> None:
        """Get ready for an update."""
        self.rng.manual_seed(stream_seed(self.seed, "view", step))
        if self.spec.noise_epochs is not None:
            self.noise = self.spec.noise * max(0.0, 1 - epoch / self.spec.noise_epochs)

    def __call__(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        for augment in self.augmentations:
            changed = augment(images, self.rng)
            if self.adapts:
                drawn = torch.rand(len(images), 1, 1, 1, generator=self.rng, device=images.device)
                changed = torch.where(drawn < self.probability, changed, images)
            images = changed
        if self.noise:
            noise = torch.empty_like(images, memory_format=torch.contiguous_format)
            images = images + noise.normal_(0, self.noise, generator=self.rng)
        return images

    def adapt(self, real_logits: Float[Tensor, " B"]) -> None:
        """Augment more where D is surer of training images than it may be, and else less."""
        if self.spec.adaptive is not None:
            sure = real_logits.detach().sign().mean() - self.spec.adaptive
            step = sure.sign() * (len(real_logits) / ADAPTED_IMAGES)
            self.probability.add_(step).clamp_(0, 1)

    def tensors(self) -> dict[str, Tensor]:
        return {"probability": self.probability} if self.adapts else {}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        if self.adapts:
            self.probability.copy_(tensors["probability"])


def from_recipe(spec: recipe.Recipe, seed: int, device: torch.device) -> View | None:
    """What the recipe shows D; None where that is the images themselves."""
    if not spec.inputs.noise and not spec.inputs.augment:
        return None
    return View(spec.inputs, spec.value_range, seed=seed, device=device)
