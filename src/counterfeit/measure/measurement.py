"""A number with its spread, and the one way in which spreads are found here.

The reference images are fixed by a metric's protocol, so what varies from one evaluation of a
generator to the next is which samples it drew. The delete-a-group jackknife estimates that: leave
out each of 20 random groups of samples in turn and see how much the metric moves. The bootstrap
would draw the same sample twice, which puts nearest neighbours at distance zero and raises FID.

Source: Efron and Stein 1981, "The Jackknife Estimate of Variance"; Kott 2001, "The
Delete-a-Group Jackknife".
"""

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.run.rows import Measurement
from counterfeit.seeds import stream

GROUPS = 20

LEAST_SAMPLES = 2 * GROUPS

__all__ = ["Measurement"]


def random_groups(count: int) -> Bool[Tensor, "groups count"]:
    """Each of `count` samples in one of 20 groups of equal size (to one); the same every time."""
    number = torch.empty(count, dtype=torch.int64)
    number[torch.randperm(count, generator=stream(0, "jackknife"))] = torch.arange(count) % GROUPS
    return number == torch.arange(GROUPS).unsqueeze(1)


def all_then_without_each(count: int) -> Float[Tensor, "weightings count"]:
    """Weights of samples that sum to one: first of all alike, then of all but each group."""
    keep = torch.ones(1 + GROUPS, count, dtype=torch.float64)
    keep[1:].masked_fill_(random_groups(count), 0)
    return keep / keep.sum(1, keepdim=True)


def jackknife(values: Shaped[Tensor, " values"]) -> Measurement:
    """A metric's value on all samples, with its standard error.

    Args:
        values: of all samples, then of all but each of g groups. The variance is (g - 1) / g
            times the sum of the latter's squared deviations from their mean.
    """
    variance = (GROUPS - 1) * values[1:].double().var(correction=0)
    return Measurement(float(values[0]), float(variance.sqrt()))


def mean(values: Shaped[Tensor, " N"]) -> Measurement:
    """A mean over N >= 2 independent values, with its standard error."""
    values = values.double()
    return Measurement(float(values.mean()), float(values.std() / len(values) ** 0.5))


def require_finite(values: Float[Tensor, "N D"], what: str) -> None:
    """Refuse NaN and infinity, which would spread into every number.

    Raises:
        CounterfeitError: naming `what` and how many of its N rows are bad.
    """
    bad = int((~values.isfinite()).any(1).sum())
    if bad:
        raise CounterfeitError(
            f"{bad:,} of {len(values):,} {what} hold NaN or infinite values, so nothing can be"
            " measured; the network has diverged, use an earlier checkpoint"
        )


def require_count(values: Shaped[Tensor, "N ..."], least: int, what: str) -> None:
    """Refuse too few.

    Raises:
        UsageError: naming `what` and how many it takes.
    """
    if len(values) < least:
        raise UsageError(f"{len(values):,} {what} are too few; give at least {least:,}")
