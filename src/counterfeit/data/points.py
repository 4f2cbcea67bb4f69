"""Distributions on a line and in the plane whose density is known: mixtures of Gaussians.

A point is an image of one row with a pixel for each coordinate, so that whatever trains and judges
images does so with points.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from counterfeit.errors import UsageError

CHUNK = 4_096
"""Points at once: bounds the memory of a table of distances to the centres."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of round Gaussians on a line (D = 1) or in the plane (D = 2)."""

    name: str
    centres: Float[Tensor, "M D"]
    stds: Float[Tensor, " M"]
    """Of each component, in every direction."""
    weights: Float[Tensor, " M"]
    """How probable each is; they sum to 1."""
    half_width: float
    """Of what is shown of the line or the plane, [-half_width, half_width]: a network's [-1, 1]."""
    has_modes: bool = True
    """Whether its components are modes that can be found and lost; those of a sketch are dabs."""

    @property
    def dim(self) -> int:
        return self.centres.shape[1]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a point as an image."""
        return 1, 1, self.dim

    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "count D"]:
        """Independent points."""
        chosen = torch.multinomial(self.weights, count, replacement=True, generator=rng)
        noise = torch.empty(count, self.dim).normal_(generator=rng)
        return self.centres[chosen] + self.stds[chosen].unsqueeze(1) * noise

    def density(self, points: Float[Tensor, "N D"]) -> Float[Tensor, " N"]:
        """p_data, for each unit of length or area, in float64."""
        variances = self.stds.double().square()
        scale = self.weights.double() / (2 * math.pi * variances) ** (self.dim / 2)  # (M,)
        parts = [
            torch.cdist(part, self.centres.double()).square().div_(-2 * variances).exp_() @ scale
            for part in torch.split(points.double(), CHUNK)
        ]
        return torch.cat(parts)

    def blurred(self, std: float) -> "Mixture":
        """The distribution of its points with normal noise of that deviation on them."""
        return replace(self, stds=(self.stds.square() + std**2).sqrt())

    def nearest(
        self, points: Float[Tensor, "N D"]
    ) -> tuple[Float[Tensor, " N"], Int64[Tensor, " N"]]:
        """The distance of each point to the nearest centre, in standard deviations, and which that
        is."""
        distances = torch.cdist(points.double(), self.centres.double())
        return (distances / self.stds.double()).min(1)

    def to_images(self, points: Float[Tensor, "N D"]) -> Float[Tensor, "N 1 1 D"]:
        """Points as a network sees them."""
        return (points / self.half_width).view(-1, *self.shape)

    def to_points(self, images: Float[Tensor, "N 1 1 D"]) -> Float[Tensor, "N D"]:
        """What a network made, as points."""
        return images.reshape(-1, self.dim) * self.half_width


def mixture(
    name: str,
    centres: Sequence[Sequence[float]],
    stds: float | Sequence[float],
    half_width: float,
    *,
    weights: Sequence[float] = (),
    has_modes: bool = True,
) -> Mixture:
    """A mixture of components, alike where one deviation and no weights are given."""
    count = len(centres)
    shares = torch.tensor(weights or [1.0] * count, dtype=torch.float64)
    widths = torch.tensor([stds] * count if isinstance(stds, int | float) else stds)
    shares = (shares / shares.sum()).float()
    return Mixture(name, torch.tensor(centres), widths, shares, half_width, has_modes)


def ring() -> Mixture:
    """Eight Gaussians on a circle of radius 2, of standard deviation 0.02.

    Source: Metz et al. 2017, "Unrolled Generative Adversarial Networks" (arXiv 1611.02163),
    section 3.1 and appendix A, whose discriminator divides by 4, the half-width here.
    """
    angles = [2 * math.pi * k / 8 for k in range(8)]
    return mixture("ring", [[2 * math.cos(a), 2 * math.sin(a)] for a in angles], 0.02, 4)


def grid() -> Mixture:
    """Twenty-five Gaussians at (-4 + 2i, -4 + 2j), of standard deviation 0.05.

    Source: Lin et al. 2018, "PacGAN" (arXiv 1712.04086), section 4.1, after VEEGAN (Srivastava et
    al. 2017, arXiv 1705.07761).
    """
    places = range(-4, 5, 2)
    return mixture("grid", [[x, y] for x in map(float, places) for y in places], 0.05, 6)


MIXTURES: dict[str, Callable[[], Mixture]] = {
    "gaussian": lambda: mixture("gaussian", [[1.0]], 0.6, 4),
    "two": lambda: mixture("two", [[-1.5], [1.5]], 0.4, 4),
    "four": lambda: mixture("four", [[-2.4], [-0.8], [0.8], [2.4]], 0.2, 4),
    "uneven": lambda: mixture("uneven", [[-1.0], [2.0]], [0.7, 0.2], 4, weights=[3, 1]),
    "ring": ring,
    "grid": grid,
}
"""By name: the first four on a line, the others in the plane."""


def by_name(name: str) -> Mixture:
    """The mixture of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in MIXTURES:
        raise UsageError(f"there is no distribution {name}; there are {', '.join(MIXTURES)}.")
    return MIXTURES[name]()


SKETCH = "sketch"
DAB = {1: 0.06, 2: 0.04}
"""Standard deviation of a sketch's dabs on a line and in the plane, in half-widths."""

MOST_DABS = 2_000


def sketch(dabs: Sequence[Sequence[float]], weights: Sequence[float] = ()) -> Mixture:
    """What a user has drawn, as a mixture of dabs.

    Args:
        dabs: their places in [-1, 1], one or two coordinates each.
        weights: how heavy each is; all alike when absent.

    Raises:
        UsageError: none of them weighs anything, they are too many, or one lies outside.
    """
    dims = {len(place) for place in dabs}
    if not dabs or dims not in ({1}, {2}):
        raise UsageError("a sketch is a list of places with one or two coordinates each.")
    if len(dabs) > MOST_DABS:
        raise UsageError(f"a sketch has at most {MOST_DABS:,} dabs, not {len(dabs):,}.")
    if not all(-1 <= x <= 1 for place in dabs for x in place):
        raise UsageError("a sketch's places lie in [-1, 1].")
    if weights and (
        len(weights) != len(dabs)
        or not all(0 <= weight < math.inf for weight in weights)
        or not 0 < sum(weights) < math.inf
    ):
        raise UsageError("a sketch has a weight of 0 or more for each place, not 0 for all.")
    (dim,) = dims
    places = [[float(x) for x in place] for place in dabs]
    return mixture(SKETCH, places, DAB[dim], 1, weights=weights, has_modes=False)
