"""What the results of runs let one say of recipes: pure functions of arrays.

Runs of a study lie in arrays (..., recipes, seeds); NaN is a run that is not there yet. Leading
axes are studies of their own, so that thousands can be simulated at once. docs/study.md gives the
reasons for each choice, and what it was found to do on simulated truth.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import combinations, count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Values = NDArray[np.float64]

ALPHA = 0.05
"""How often a study of recipes that are all alike may claim a difference."""

POWER = 0.8
"""How often a difference is to be found that is there."""

MOST_SEEDS = 1000
"""More than so many are not counted out."""


class Estimate(NamedTuple):
    """A number for each study, and the interval that holds the truth in 95 % of them; NaN where
    seeds are too few for one."""

    value: Any
    low: Any
    high: Any


class Differences(NamedTuple):
    """Pairs of recipes, compared seed by seed; arrays (..., pairs)."""

    pairs: Sequence[tuple[int, int]]
    """Which recipes: the first one's values less the second one's."""
    seeds: Values
    """That both have."""
    mean: Values
    low: Values
    """Of Student's interval at `level`, which holds the truth in 95 % of studies or more, and
    excludes 0 just where a difference is claimed. NaN where seeds are too few to claim any."""
    high: Values
    spread: Values
    """Standard deviation over the seeds."""
    p: Values
    """Corrected by Holm for how many pairs there are; NaN below two seeds."""
    level: Values
    """At which each was tested: from ALPHA / pairs for the clearest to ALPHA."""

    @property
    def real(self) -> NDArray[np.bool_]:
        """Whether a difference is claimed."""
        return self.p <= ALPHA


def with_failures(values: Values, failed: NDArray[np.bool_], *, lower_is_better: bool) -> Values:
    """The values with those of failed runs: each as bad as the worst run of its study.

    So failing is never better than anything that was seen, no run is dropped, and recipes that are
    alike stay alike (worst-rank scores; Lachin 1999). Where nothing succeeded, all are NaN.

    Args:
        values: (..., recipes, seeds).
        failed: likewise; what values stand there is ignored.
    """
    seen = np.where(failed, np.nan, values)
    worst = (np.fmax if lower_is_better else np.fmin).reduce(seen, axis=(-2, -1), keepdims=True)
    return np.where(failed, worst, seen)


def mean(values: Values, level: float = ALPHA) -> Estimate:
    """The mean over the last axis, NaN left out, with Student's interval at 1 - level."""
    seeds, centre, spread = _moments(values)
    return _interval(centre, spread / np.sqrt(seeds), seeds - 1, seeds, level)


def interquartile_mean(values: Values, level: float = ALPHA) -> Estimate:
    """The mean of the middle half over the last axis, which a few odd runs do not move.

    A quarter is cut at each end, rounded down, as in rliable (2108.13264). The interval is that of
    Tukey and McLaughlin (1963), from the winsorised spread.

    Args:
        values: without NaN.
    """
    ordered = np.sort(values, axis=-1)
    count = ordered.shape[-1]
    cut = count // 4
    kept = count - 2 * cut
    middle = ordered[..., cut : count - cut].mean(-1)
    ordered[..., :cut] = ordered[..., cut : cut + 1]
    ordered[..., count - cut :] = ordered[..., count - cut - 1 : count - cut]
    _, _, spread = _moments(ordered)
    error = spread * np.sqrt((count - 1) / (kept * max(kept - 1, 1)))
    return _interval(middle, error, kept - 1, count, level)


def share(count: Any, of: Any, level: float = ALPHA) -> Estimate:
    """`count` of `of`, with the exact binomial interval of Clopper and Pearson (1934)."""
    count, of = np.asarray(count, np.float64), np.asarray(of, np.float64)
    low = np.where(count > 0, stats.beta.ppf(level / 2, np.maximum(count, 1), of - count + 1), 0.0)
    high = np.where(
        count < of, stats.beta.isf(level / 2, count + 1, np.maximum(of - count, 1)), 1.0
    )
    return Estimate(count / of, low, high)


def profile(values: Values, failed: NDArray[np.bool_], thresholds: Values) -> Estimate:
    """The share of runs (seeds,) at or below each threshold: a performance profile (2108.13264).

    A failed run is below none.
    """
    ended = failed | np.isfinite(values)
    below = (~failed & (values <= thresholds[:, None])).sum(-1)
    return share(below, ended.sum())


def compare(values: Values, pairs: Sequence[tuple[int, int]] | None = None) -> Differences:
    """Compare recipes by paired t tests over the seeds, corrected by Holm (1979).

    A test of ranks or of signs claims nothing below six seeds, where its smallest p is 2 / 2^n;
    Student's can, and holds its size where recipes are alike, as their differences are symmetric
    then. It fails where results have two ends, as of GANs that collapse or not: by chance all
    differences are the same, and their spread is next to nothing. So no p is below `least_p`.

    Args:
        values: (..., recipes, seeds), on the scale on which differences mean the same everywhere.
        pairs: which to compare, by their places; all by default.
    """
    pairs = list(combinations(range(values.shape[-2]), 2)) if pairs is None else list(pairs)
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    seeds, centre, spread = _moments(values[..., first, :] - values[..., second, :])
    error = spread / np.sqrt(seeds)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stats.t.sf(np.abs(centre) / error, seeds - 1)
    p = np.where((centre == 0) & (seeds > 1), 1.0, np.maximum(p, least_p(seeds)))
    corrected, level = holm(p)
    mean, low, high = _interval(centre, error, seeds - 1, seeds, level)
    return Differences(pairs, seeds, mean, low, high, spread, corrected, level)


def least_p(seeds: Any) -> Any:
    """The chance that so many differences are all one and the same, if recipes are alike and half
    of their runs end at one value and half at another: 2 / 4^n."""
    return 0.5 ** (2.0 * np.asarray(seeds) - 1)


def least_seeds(level: float = ALPHA) -> int:
    """Fewer of them can claim nothing at that level."""
    return next(seeds for seeds in count(2) if least_p(seeds) <= level)


def holm(p: Values) -> tuple[Values, Values]:
    """p values corrected for how many there are, and the level at which each was tested.

    Args:
        p: (..., tests); NaN is a test that could not be made, and counts as one.
    """
    tests = p.shape[-1]
    order = np.argsort(p, axis=-1)
    left = tests - np.arange(tests)  # tests that are not decided yet
    ordered = np.take_along_axis(p, order, -1)
    stepped = np.maximum.accumulate(np.minimum(1.0, left * ordered), axis=-1)
    claimed = (stepped <= ALPHA).sum(-1, keepdims=True)
    levels = ALPHA / np.maximum(left, np.maximum(tests - claimed, 1))
    corrected, level = np.empty_like(p), np.empty_like(p)
    np.put_along_axis(corrected, order, stepped, -1)
    np.put_along_axis(level, order, levels, -1)
    return corrected, level


def power(effect: Any, spread: Any, seeds: int, level: float = ALPHA) -> Values:
    """How often a true difference is claimed, tested at `level` over so many seeds.

    Args:
        effect: the true mean difference.
        spread: the differences' standard deviation.
    """
    if least_p(seeds) > level:
        return np.zeros(np.broadcast(effect, spread).shape)
    edge = stats.t.isf(level / 2, seeds - 1)
    shift = seeds * (np.asarray(effect) / spread) ** 2
    found: Values = stats.ncf.sf(edge**2, 1, seeds - 1, shift)  # of t squared: scipy's nct can fail
    return found


def seeds_needed(
    effect: float, spread: float, level: float = ALPHA, *, known_from: int | None = None
) -> int | None:
    """The fewest seeds that would find such a difference with POWER; None above MOST_SEEDS.

    Args:
        known_from: how many seeds the spread was estimated from. Few do not know it well: the
            power is then the mean over the spreads that they leave open.
    """
    spreads = np.array([spread])
    if known_from is not None:
        freedom = known_from - 1
        spreads = spread * np.sqrt(freedom / stats.chi2.ppf((np.arange(100) + 0.5) / 100, freedom))
    counts = range(2, MOST_SEEDS + 1)

    def mean_power(seeds: int) -> float:
        return float(power(effect, spreads, seeds, level).mean())

    if not effect:
        return None
    if not spread:
        return next(n for n in counts if least_p(n) <= level)
    if mean_power(MOST_SEEDS) < POWER:
        return None
    return counts[bisect_left(counts, POWER, key=mean_power)]


def detectable(spread: float, seeds: int, level: float = ALPHA) -> float:
    """The smallest difference that so many seeds find with POWER; infinite where they find none."""
    if least_p(seeds) > level:
        return np.inf
    most = 4 * stats.t.isf(level / 2, seeds - 1)
    found = optimize.brentq(lambda effect: power(effect, 1.0, seeds, level) - POWER, 0, most)
    return float(found * spread)


def _moments(values: Values) -> tuple[Values, Values, Values]:
    """Count, mean and standard deviation along the last axis of what is there, or NaN."""
    there = np.isfinite(values)
    count = there.sum(-1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.where(there, values, 0.0).sum(-1) / count
        squares = np.where(there, values - centre[..., None], 0.0) ** 2
        spread = np.sqrt(squares.sum(-1) / np.where(count > 1, count - 1, np.nan))
    return count, centre, spread


def _interval(centre: Values, error: Values, freedom: Any, seeds: Any, level: Any) -> Estimate:
    """Student's interval at 1 - level. NaN where so few seeds can claim nothing at that level:
    their spread may be next to nothing by chance, and the interval with it."""
    quantile = stats.t.isf(np.asarray(level) / 2, np.maximum(freedom, 1))
    half = np.where(least_p(seeds) > level, np.nan, quantile * error)
    return Estimate(centre, centre - half, centre + half)
