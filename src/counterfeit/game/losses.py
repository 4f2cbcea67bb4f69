"""The losses of the two-player game, as pure functions of what the discriminator says.

With D(x) = sigmoid(f(x)):  -log D = softplus(-f)  and  -log(1 - D) = softplus(f).
All losses are means over the batch, in nats, and are minimised.

A new loss is a class with the methods of `Loss`, and an entry in `LOSSES` under the name that
recipes give it. Where its slopes are written out too, in `ANALYTIC`, the fast engine runs it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from counterfeit import recipe
from counterfeit.seeds import stream


class Scores(NamedTuple):
    """What a discriminator says of N images."""

    logits: Float[Tensor, " N"]
    extra: Mapping[str, Float[Tensor, "N ..."]] = MappingProxyType({})
    """What its other heads say, by name."""


class Loss(Protocol):
    """What the players play for. It holds its settings and no state."""

    @property
    def probabilistic(self) -> bool:
        """Whether sigmoid(logit) is D(x), a probability that may be logged as such."""

    @property
    def relative(self) -> bool:
        """Whether G's loss compares its fakes with real images, through the D just updated."""

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        """D's loss, of as many real images as fakes."""

    def generator(self, fake: Scores, real: Scores | None) -> Float[Tensor, ""]:
        """G's loss; `real` is None where the loss is not `relative`."""


def value(real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " M"]) -> Float[Tensor, ""]:
    """V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))], which D maximises and G minimises.

    At the optimum, where p_g = p_data and D = 1/2 everywhere, it is -log 4.

    Source: Goodfellow et al. 2014 (arXiv 1406.2661), equation 1.
    """
    return -softplus(-real_logits).mean() - softplus(fake_logits).mean()


def discriminator_loss(
    real_logits: Float[Tensor, " N"],
    fake_logits: Float[Tensor, " M"],
    real_labels: Float[Tensor, " N"] | float = 1.0,
) -> Float[Tensor, ""]:
    """The mean of two cross entropies: real images against `real_labels`, fakes against 0.

    For labels of 1 it is -V(D, G) / 2, and log 2 for an undecided D. Labels below 1 are the
    one-sided smoothing of Salimans et al. 2016 (arXiv 1606.03498), section 3.4.
    """
    # t softplus(-f) + (1 - t) softplus(f) = softplus(f) - t f
    real = (softplus(real_logits) - real_labels * real_logits).mean()
    fake = softplus(fake_logits).mean()
    return (real + fake) / 2


def nonsaturating_generator_loss(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, ""]:
    """E[-log D(G(z))]: same fixed point as minimax, strong gradients when D rejects the fakes.

    Source: Goodfellow et al. 2014, section 3.
    """
    return softplus(-fake_logits).mean()


def minimax_generator_loss(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, ""]:
    """E[log(1 - D(G(z)))], G's part of equation 1; its gradient vanishes when D rejects the fakes.

    Source: Goodfellow et al. 2014, equation 1.
    """
    return -softplus(fake_logits).mean()


# The losses' derivatives by each logit, for updates that run without autograd.


def discriminator_slopes(
    real_logits: Float[Tensor, " N"],
    fake_logits: Float[Tensor, " M"],
    real_labels: Float[Tensor, " N"] | float = 1.0,
) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
    """Of `discriminator_loss`: (D(x) - t) / 2N and D(G(z)) / 2M."""
    real = (real_logits.sigmoid() - real_labels) / (2 * len(real_logits))
    return real, fake_logits.sigmoid() / (2 * len(fake_logits))


def nonsaturating_generator_slopes(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Of `nonsaturating_generator_loss`: -(1 - D(G(z))) / N."""
    return (-fake_logits).sigmoid() / -len(fake_logits)


def minimax_generator_slopes(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Of `minimax_generator_loss`: -D(G(z)) / N."""
    return fake_logits.sigmoid() / -len(fake_logits)


@dataclass(frozen=True)
class CrossEntropy:
    """D's part of the paper's game: it tells real images from fakes.

    Args:
        real_labels: what D should say of real images, by position in the batch.
    """

    real_labels: Float[Tensor, " N"] | float = 1.0

    probabilistic = True
    relative = False

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        return discriminator_loss(real.logits, fake.logits, self.real_labels)

    def discriminator_slopes(
        self, real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " M"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
        return discriminator_slopes(real_logits, fake_logits, self.real_labels)


class NonSaturating(CrossEntropy):
    """And G maximises log D(G(z)): Goodfellow et al. 2014, section 3."""

    def generator(self, fake: Scores, real: Scores | None = None) -> Float[Tensor, ""]:
        return nonsaturating_generator_loss(fake.logits)

    def generator_slopes(self, fake_logits: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
        return nonsaturating_generator_slopes(fake_logits)


class Minimax(CrossEntropy):
    """And G minimises log(1 - D(G(z))): Goodfellow et al. 2014, equation 1."""

    def generator(self, fake: Scores, real: Scores | None = None) -> Float[Tensor, ""]:
        return minimax_generator_loss(fake.logits)

    def generator_slopes(self, fake_logits: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
        return minimax_generator_slopes(fake_logits)


LOSSES: dict[str, Callable[[Tensor], Loss]] = {
    "non-saturating": NonSaturating,
    "minimax": Minimax,
}
"""By the name that a recipe gives to G's loss."""

AnalyticLoss = NonSaturating | Minimax
ANALYTIC = get_args(AnalyticLoss)
"""Those whose derivatives by each logit are written out, as `…_slopes`."""


def from_recipe(spec: recipe.Loss, batch_size: int, seed: int, device: torch.device) -> Loss:
    """The recipe's loss for batches of that size on a device.

    Real labels are drawn once, one for each position in the batch, and are the same everywhere.
    """
    real_labels = torch.empty(batch_size)
    real_labels.uniform_(*spec.real_labels, generator=stream(seed, "labels"))
    return LOSSES[spec.generator](real_labels.to(device))
