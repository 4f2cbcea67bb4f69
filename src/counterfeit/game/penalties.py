"""What is added to D's loss to keep D well-behaved.

A new penalty is a class with the shape of `Penalty`, an entry in `PENALTIES` under the name that
recipes give its section, and a column of that name in `run.rows.PenaltyColumns`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit import recipe
from counterfeit.game.augment import translation
from counterfeit.game.inputs import Batch, says


class Penalty(Protocol):
    """A term of D's loss that needs D itself, such as the norm of its gradient at some images."""

    @property
    def name(self) -> str:
        """By which an `Outcome` names it."""

    @property
    def every(self) -> int:
        """It is added in each update whose number this divides, so many times; 1 for all."""

    def __call__(
        self, D: nn.Module, real: Batch, fake: Batch, rng: torch.Generator
    ) -> Float[Tensor, ""]:
        """The term, its weight included, with a graph to D's parameters.

        Args:
            real, fake: what D was shown, as many images of each, the fakes without a graph to G.
            rng: where it draws from.
        """


@dataclass(frozen=True)
class GradientPenalty:
    """weight * E[(|grad f(x)| - target)^2], at points between a real image and a fake.

    At the best critic's, gradients between coupled points have length 1. A target of 0 is the
    zero-centred form of Thanh-Tung et al. 2019 (arXiv 1902.03984).

    Source: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (arXiv 1704.00028),
    equation 3.
    """

    weight: float = 10.0
    every: int = 1
    target: float = 1.0

    name = "gradient"

    def __call__(
        self, D: nn.Module, real: Batch, fake: Batch, rng: torch.Generator
    ) -> Float[Tensor, ""]:
        share = torch.rand(len(real.images), 1, 1, 1, generator=rng, device=rng.device)
        between = torch.lerp(fake.images, real.images, share.to(real.images.dtype))
        points = replace(real, images=between)  # of the classes of both
        length: Tensor = torch.linalg.vector_norm(image_gradient(D, points), dim=1)  # (B,)
        return self.weight * (length - self.target).square().mean()


@dataclass(frozen=True)
class R1:
    """weight / 2 * E[|grad f(x)|^2] at real images: D must rest where G cannot gain.

    Source: Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?" (arXiv
    1801.04406), equation 9.
    """

    weight: float = 10.0
    every: int = 1

    name = "r1"

    def __call__(
        self, D: nn.Module, real: Batch, fake: Batch, rng: torch.Generator
    ) -> Float[Tensor, ""]:
        return self.weight / 2 * image_gradient(D, real).square().sum(dim=1).mean()


@dataclass(frozen=True)
class R2(R1):
    """The same at fakes: equation 10 there."""

    name = "r2"

    def __call__(
        self, D: nn.Module, real: Batch, fake: Batch, rng: torch.Generator
    ) -> Float[Tensor, ""]:
        return super().__call__(D, fake, real, rng)


@dataclass(frozen=True)
class Consistency:
    """weight * E[(f(x) - f(T(x)))^2]: D should say the same of a real image that is shifted.

    Source: Zhang et al. 2020, "Consistency Regularization for Generative Adversarial Networks"
    (arXiv 1910.12027), equation 3; T shifts without flipping, which would change digits.
    """

    weight: float = 10.0
    every: int = 1

    name = "consistency"

    def __call__(
        self, D: nn.Module, real: Batch, fake: Batch, rng: torch.Generator
    ) -> Float[Tensor, ""]:
        shifted = replace(real, images=translation(real.images, rng))
        said, again = (says(D, batch).logits for batch in (real, shifted))
        return self.weight * (said - again).square().mean()


def image_gradient(D: nn.Module, batch: Batch) -> Float[Tensor, "B pixels"]:
    """The gradient of D's logit of each image by its pixels, with a graph to D's parameters.

    It is that of the logits' sum: D must judge images apart.
    """
    images = batch.images.detach().requires_grad_()
    logits = says(D, replace(batch, images=images)).logits
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.flatten(1)


PENALTIES: dict[str, Callable[..., Penalty]] = {
    "gradient": GradientPenalty,
    "r1": R1,
    "r2": R2,
    "consistency": Consistency,
}
"""By the name of their section in a recipe, whose keys are their settings."""


def from_recipe(spec: recipe.Penalties) -> list[Penalty]:
    """The recipe's penalties."""
    return [
        make(**section.model_dump())
        for name, make in PENALTIES.items()
        if (section := getattr(spec, name)) is not None
    ]
