"""The losses of the two-player game, as pure functions of what the discriminator says.

f(x) is what D says of an image, its logit or score. The paper's losses make a probability of it,
D(x) = sigmoid(f(x)):  -log D = softplus(-f)  and  -log(1 - D) = softplus(f).
All losses are means over the batch and are minimised; the paper's are in nats.

A new loss is a class with the methods of `Loss`, and an entry in `LOSSES` under the name that
recipes give it. Where its slopes are written out too, in `ANALYTIC`, the fast engine runs it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

from counterfeit import recipe
from counterfeit.errors import CounterfeitError
from counterfeit.networks import Scores
from counterfeit.seeds import stream


class Equilibrium(NamedTuple):
    """Where nobody can gain: G makes the data's images, and D is at its best against that."""

    d_loss: float | None = None
    """None where it may be anything, or is not known; `g_loss` likewise."""
    g_loss: float | None = None
    output: float | None = None
    """What D says of every image, D(x) or f(x); None where it may be anything."""


class Loss(Protocol):
    """What the players play for. It holds its settings and no state."""

    @property
    def probabilistic(self) -> bool:
        """Whether sigmoid(logit) is D(x), a probability that may be logged as such."""

    @property
    def relative(self) -> bool:
        """Whether G's loss compares its fakes with real images, through the D just updated."""

    @property
    def equilibrium(self) -> Equilibrium:
        """What the log shows where nobody can gain."""

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
    fake_labels: Float[Tensor, " M"] | float = 0.0,
) -> Float[Tensor, ""]:
    """The mean of two cross entropies: real images against `real_labels`, fakes against theirs.

    For labels of 1 and 0 it is -V(D, G) / 2, and log 2 for an undecided D. Real labels below 1 are
    the one-sided smoothing of Salimans et al. 2016 (arXiv 1606.03498), section 3.4.
    """
    # t softplus(-f) + (1 - t) softplus(f) = softplus(f) - t f
    real = (softplus(real_logits) - real_labels * real_logits).mean()
    fake = (softplus(fake_logits) - fake_labels * fake_logits).mean()
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
    fake_labels: Float[Tensor, " M"] | float = 0.0,
) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
    """Of `discriminator_loss`: (D(x) - t) / 2N, and likewise of the fakes."""
    real = (real_logits.sigmoid() - real_labels) / (2 * len(real_logits))
    return real, (fake_logits.sigmoid() - fake_labels) / (2 * len(fake_logits))


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
        fake_labels: of generated ones, likewise.
    """

    real_labels: Float[Tensor, " N"] | float = 1.0
    fake_labels: Float[Tensor, " N"] | float = 0.0

    probabilistic = True
    relative = False

    @property
    def best_answer(self) -> float:
        """D(x) at the equilibrium, where all labels are of the same images: the labels' mean.

        Source: Goodfellow et al. 2014, theorem 1; Salimans et al. 2016, section 3.4.
        """
        means = (float(torch.as_tensor(t).mean()) for t in (self.real_labels, self.fake_labels))
        return sum(means) / 2

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        return discriminator_loss(real.logits, fake.logits, self.real_labels, self.fake_labels)

    def discriminator_slopes(
        self, real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " M"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
        return discriminator_slopes(real_logits, fake_logits, self.real_labels, self.fake_labels)


class NonSaturating(CrossEntropy):
    """And G maximises log D(G(z)): Goodfellow et al. 2014, section 3."""

    @property
    def equilibrium(self) -> Equilibrium:
        return Equilibrium(entropy(t := self.best_answer), -math.log(t), t)

    def generator(self, fake: Scores, real: Scores | None = None) -> Float[Tensor, ""]:
        return nonsaturating_generator_loss(fake.logits)

    def generator_slopes(
        self, fake_logits: Float[Tensor, " N"], real_logits: Float[Tensor, " N"] | None = None
    ) -> Float[Tensor, " N"]:
        return nonsaturating_generator_slopes(fake_logits)


class Minimax(CrossEntropy):
    """And G minimises log(1 - D(G(z))): Goodfellow et al. 2014, equation 1."""

    @property
    def equilibrium(self) -> Equilibrium:
        return Equilibrium(entropy(t := self.best_answer), math.log1p(-t), t)

    def generator(self, fake: Scores, real: Scores | None = None) -> Float[Tensor, ""]:
        return minimax_generator_loss(fake.logits)

    def generator_slopes(
        self, fake_logits: Float[Tensor, " N"], real_logits: Float[Tensor, " N"] | None = None
    ) -> Float[Tensor, " N"]:
        return minimax_generator_slopes(fake_logits)


def entropy(share: float) -> float:
    """Of a coin that shows heads with that probability, in nats."""
    return -share * math.log(share) - (1 - share) * math.log1p(-share)


class LeastSquares:
    """D regresses to 1 for real images and to 0 for fakes, G to 1: half of the squared errors.

    Source: Mao et al. 2017, "Least Squares Generative Adversarial Networks" (arXiv 1611.04076),
    equation 9.
    """

    probabilistic = False
    relative = False
    equilibrium = Equilibrium(d_loss=1 / 4, g_loss=1 / 8, output=1 / 2)

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        return ((real.logits - 1).square().mean() + fake.logits.square().mean()) / 2

    def generator(self, fake: Scores, real: Scores | None = None) -> Float[Tensor, ""]:
        return (fake.logits - 1).square().mean() / 2

    def discriminator_slopes(
        self, real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " M"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
        return (real_logits - 1) / len(real_logits), fake_logits / len(fake_logits)

    def generator_slopes(
        self, fake_logits: Float[Tensor, " N"], real_logits: Float[Tensor, " N"] | None = None
    ) -> Float[Tensor, " N"]:
        return (fake_logits - 1) / len(fake_logits)


class Critic:
    """G's part of games in which D's score is all that counts: it maximises E[f(G(z))]."""

    probabilistic = False
    relative = False

    def generator(self, fake: Scores, real: Scores | None = None) -> Float[Tensor, ""]:
        return -fake.logits.mean()

    def generator_slopes(
        self, fake_logits: Float[Tensor, " N"], real_logits: Float[Tensor, " N"] | None = None
    ) -> Float[Tensor, " N"]:
        return torch.full_like(fake_logits, -1 / len(fake_logits))


class Wasserstein(Critic):
    """D maximises E[f(x)] - E[f(G(z))], which is the distance of p_g from p_data where f is the
    best of all 1-Lipschitz functions: something must keep it one, such as a gradient penalty.

    Source: Arjovsky et al. 2017, "Wasserstein GAN" (arXiv 1701.07875), equation 2.
    """

    equilibrium = Equilibrium(d_loss=0)

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        return fake.logits.mean() - real.logits.mean()

    def discriminator_slopes(
        self, real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " M"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
        real = torch.full_like(real_logits, -1 / len(real_logits))
        return real, torch.full_like(fake_logits, 1 / len(fake_logits))


class Hinge(Critic):
    """D pushes real images above 1 and fakes below -1, and no further.

    Source: Lim and Ye 2017, "Geometric GAN" (arXiv 1705.02894), equation 4, and Miyato et al. 2018
    (arXiv 1802.05957), equations 16 and 17.
    """

    equilibrium = Equilibrium(d_loss=2)  # for any answer in [-1, 1]

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        return relu(1 - real.logits).mean() + relu(1 + fake.logits).mean()

    def discriminator_slopes(
        self, real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " M"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
        real = (real_logits < 1).to(real_logits.dtype) / -len(real_logits)
        return real, (fake_logits > -1).to(fake_logits.dtype) / len(fake_logits)


class Relativistic:
    """D says how much more real a real image looks than a fake, G that its fake looks more so.

    Source: Jolicoeur-Martineau 2018, "The relativistic discriminator" (arXiv 1807.00734), section
    3.2, with f = -log(1 + exp(-t)); R3GAN (Huang et al. 2025, arXiv 2501.05441) builds on it.
    """

    probabilistic = False
    relative = True
    equilibrium = Equilibrium(d_loss=math.log(2), g_loss=math.log(2))

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        return softplus(fake.logits - real.logits).mean()

    def generator(self, fake: Scores, real: Scores | None) -> Float[Tensor, ""]:
        assert real is not None
        return softplus(real.logits - fake.logits).mean()

    def discriminator_slopes(
        self, real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " N"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"]]:
        slopes = (fake_logits - real_logits).sigmoid() / len(fake_logits)
        return -slopes, slopes

    def generator_slopes(
        self, fake_logits: Float[Tensor, " N"], real_logits: Float[Tensor, " N"] | None
    ) -> Float[Tensor, " N"]:
        assert real_logits is not None
        return (real_logits - fake_logits).sigmoid() / -len(fake_logits)


@dataclass(frozen=True)
class Unknown:
    """A loss that is not ours, of which a run knows what D answers with, and nothing else."""

    outputs: str
    relative = False
    equilibrium = Equilibrium()

    @property
    def probabilistic(self) -> bool:
        return self.outputs != "scores"

    def discriminator(self, real: Scores, fake: Scores) -> Float[Tensor, ""]:
        raise CounterfeitError(NOT_OURS)

    def generator(self, fake: Scores, real: Scores | None) -> Float[Tensor, ""]:
        raise CounterfeitError(NOT_OURS)


NOT_OURS = "the loss of this recipe is not ours, and only the code that has it can train with it."

LOSSES: dict[str, Callable[..., Loss]] = {
    "non-saturating": NonSaturating,
    "minimax": Minimax,
    "least-squares": LeastSquares,
    "wasserstein": Wasserstein,
    "hinge": Hinge,
    "relativistic": Relativistic,
}
"""By the name that a recipe gives them; those of labels take real and fake ones."""

AnalyticLoss = NonSaturating | Minimax | LeastSquares | Wasserstein | Hinge | Relativistic
ANALYTIC = get_args(AnalyticLoss)
"""Those whose derivatives by each logit are written out, as `…_slopes`."""


def from_recipe(spec: recipe.Loss, batch_size: int, seed: int, device: torch.device) -> Loss:
    """The recipe's loss for batches of that size on a device.

    Labels are drawn once, for each position in the batch, and are the same everywhere.
    """
    if isinstance(spec, recipe.CustomLoss):
        return Unknown(spec.outputs)
    if not isinstance(spec, recipe.CrossEntropy):
        return LOSSES[spec.name]()
    rng = stream(seed, "labels")
    real = torch.empty(batch_size).uniform_(*spec.real_labels, generator=rng)
    fake = torch.empty(batch_size).uniform_(*spec.fake_labels, generator=rng)
    flipped = torch.randperm(batch_size, generator=rng)[: round(spec.label_flips * batch_size)]
    real[flipped], fake[flipped] = fake[flipped], real[flipped]
    return LOSSES[spec.name](real.to(device), fake.to(device))


def expected(spec: recipe.Loss) -> Loss:
    """The recipe's loss with the labels that it draws on average, which flips leave as they are."""
    if isinstance(spec, recipe.CustomLoss):
        return Unknown(spec.outputs)
    labels = (spec.real_labels, spec.fake_labels) if isinstance(spec, recipe.CrossEntropy) else ()
    return LOSSES[spec.name](*(sum(each) / 2 for each in labels))
