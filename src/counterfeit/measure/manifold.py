"""Do samples lie where the data lie, and everywhere where they lie? By nearest neighbours."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from counterfeit.measure.measurement import (
    LEAST_SAMPLES,
    Measurement,
    all_then_without_each,
    jackknife,
    require_count,
    require_finite,
)
from counterfeit.measure.pairs import squared_distances

K = 5
"""Which neighbour's distance is a ball's radius."""

SPARE = 10
"""Further neighbours kept, so that leaving out a group of samples needs no new search."""


def prdc(
    samples: Float[Tensor, "N F"], reference: Float[Tensor, "M F"], k: int = K
) -> dict[str, Measurement]:
    """Precision, recall, density and coverage.

    A point's ball reaches to its k-th nearest neighbour in its own set, boundary included.

    - precision: the share of samples inside any reference ball: are samples realistic?
    - recall: the share of reference points inside any sample's ball: is all of the data made? One
      far sample has a large ball, and recall is fooled by it.
    - density: in how many reference balls a sample lies, on average, divided by k. It can exceed 1.
    - coverage: the share of reference balls that contain a sample.

    Source: Kynkäänniemi et al. 2019 (arXiv 1904.06991), section 2, for precision and recall; Naeem
    et al. 2020 (arXiv 2002.09797), section 3, for density and coverage.

    Raises:
        UsageError: no more than k reference images, or fewer samples than the spread needs.
        CounterfeitError: a feature is not finite.
    """
    require_count(samples, max(LEAST_SAMPLES, 2 * (k + 1)), "samples")
    require_count(reference, k + 1, "reference images")
    require_finite(samples, "samples' features")
    require_finite(reference, "reference features")
    weights = all_then_without_each(len(samples))  # (1 + groups, N)
    distance = squared_distances(reference, samples)  # (M, N)

    # Which samples lie in which reference balls.
    reference_radius = _neighbours(reference, k).distance[:, k]  # (M,)
    inside = distance <= reference_radius.unsqueeze(1)  # (M, N)
    balls = inside.sum(0)  # (N,)
    filled = inside.float() @ (weights > 0).T.float() > 0  # (M, 1 + groups)

    # Which reference points lie in which samples' balls, without each group too.
    neighbours = _neighbours(samples, k + SPARE)
    recall = []
    for weight in weights:
        radius = _radius_among(neighbours, weight > 0, k)
        recall.append((distance <= radius).any(1).double().mean())

    return {
        "precision": jackknife(weights @ (balls > 0).double()),
        "recall": jackknife(torch.stack(recall)),
        "density": jackknife(weights @ balls.double() / k),
        "coverage": jackknife(filled.double().mean(0)),
    }


class _Neighbours(NamedTuple):
    """Of N points, the nearest in their own set, each point itself first."""

    distance: Float[Tensor, "N nearest"]
    """Squared, in rising order."""
    which: Int64[Tensor, "N nearest"]


def _neighbours(points: Float[Tensor, "N F"], count: int) -> _Neighbours:
    distance = squared_distances(points, points).fill_diagonal_(-1)
    found = distance.topk(min(count + 1, len(points)), dim=1, largest=False)
    return _Neighbours(found.values, found.indices)


def _radius_among(
    neighbours: _Neighbours, stays: Bool[Tensor, " N"], k: int
) -> Float[Tensor, " N"]:
    """The squared distance to the k-th neighbour that stays; -1 for points that do not.

    Where fewer than k of those at hand stay, the last one's: it does not happen that more than 10
    of 15 neighbours are in a group of 1 in 20.
    """
    near = stays[neighbours.which]
    # A point that stays counts as its own neighbour number 0.
    kth = near & (near.cumsum(1) == k + 1)
    last = neighbours.distance[:, -1:].expand_as(kth)
    return torch.where(kth, neighbours.distance, last).amin(1).masked_fill(~stays, -1)
