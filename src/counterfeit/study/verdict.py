"""Which recipes of a study are better, as far as its runs can tell, and what that rests on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from counterfeit.errors import UsageError
from counterfeit.measure.names import MetricName
from counterfeit.study import statistics
from counterfeit.study.results import Board, Checkpoint, Result, board, by_data
from counterfeit.study.statistics import Estimate, Values

LEAST_RATIO = 1e-6
"""Of what is compared as ratios: by rounding, a distance of nothing may lie on either side of 0."""


@dataclass(frozen=True)
class Scale:
    """How a metric's values are compared."""

    lower_is_better: bool
    log: bool = False
    """As ratios: for distances, which are positive and whose spread grows with their size."""
    least: float = -math.inf
    most: float = math.inf

    def of(self, values: Values) -> Values:
        """The values where differences mean the same everywhere."""
        return np.log(np.maximum(values, LEAST_RATIO)) if self.log else values

    def back(self, estimate: Estimate) -> Estimate:
        """A mean or a difference on that scale as a number, or a ratio, to be shown."""
        return Estimate(*(float(np.exp(each) if self.log else each) for each in estimate))

    def mean(self, estimate: Estimate) -> Estimate:
        """A mean on that scale, within what the metric can be."""
        return Estimate(*np.clip(self.back(estimate), self.least, self.most).tolist())


_LESS = Scale(lower_is_better=True, least=0.0)
_RATIO = Scale(lower_is_better=True, log=True)
_SHARE = Scale(lower_is_better=False, least=0.0, most=1.0)

SCALES = {
    "fid": _RATIO,
    "parzen": Scale(lower_is_better=False),
    "coverage": _SHARE,
    "recall": _SHARE,
    "precision": _SHARE,
    "kid": Scale(lower_is_better=True),
    "intra_fid": _RATIO,
    "class_accuracy": _SHARE,
    "classes_found": Scale(lower_is_better=False, least=0.0),
    "inception_score": Scale(lower_is_better=False, least=1.0),
    "class_tv": _LESS,
    "class_kl": _LESS,
    "unsure": _LESS,
}
"""Metrics of which less or more is better, what tells most first. Of others, something in between
is, or they tell of copies."""


@dataclass(frozen=True)
class Standing:
    """One recipe on one data set."""

    label: str
    data: str
    planned: int
    """Runs."""
    measured: int
    """That ended well and have the metric."""
    failed: int
    failed_share: Estimate
    """Of those that ended."""
    seeds: Sequence[int]
    values: Sequence[float]
    """Of each seed; NaN where there is none."""
    mean: Estimate
    """Of the runs that ended well; geometric where the metric's scale is logarithmic."""
    middle: Estimate
    """Interquartile mean of all that ended; a failed one counts as the worst one of the study."""
    epochs: float
    """Of a run, the mean; the others likewise."""
    images: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """Two recipes on one data set, seed by seed."""

    data: str
    first: str
    second: str
    metric: str
    """Its short name."""
    scale: Scale
    difference: Estimate
    """The first one's mean as a multiple of the second one's, or less the second one's."""
    p: float
    """Corrected by Holm; NaN where fewer than two seeds have both."""
    comparisons: int
    """That were made together."""
    level: float
    """At which this one was tested."""
    seeds: int
    needed: int | None
    """How many seeds would show such a difference, were it the true one; None above a thousand."""
    detectable: float
    """The smallest difference, in the form of `difference`, that as many seeds would show."""

    @property
    def real(self) -> bool:
        return self.p <= statistics.ALPHA

    @property
    def better(self) -> str | None:
        """The better one, where the difference is real."""
        if not self.real:
            return None
        less = self.difference.value < (1 if self.scale.log else 0)
        return self.first if less == self.scale.lower_is_better else self.second

    def turned(self) -> "Comparison":
        """The same with the second one first."""
        value, low, high = self.difference
        turn = np.reciprocal if self.scale.log else np.negative
        difference = Estimate(*turn(np.array([value, high, low])).tolist())
        return replace(self, first=self.second, second=self.first, difference=difference)


@dataclass(frozen=True)
class Verdict:
    """What a study shows so far."""

    metric: str
    """The one that decides: `fid`."""
    names: dict[str, str]
    """Its full name on each data set; which are left out where nothing was measured."""
    checkpoint: Checkpoint
    standings: Sequence[Standing]
    comparisons: Sequence[Comparison]
    """Those with a real difference first, by their p."""
    boards: dict[str, Board]
    """On each data set."""
    others: dict[str, Sequence[str]]
    """Further metrics that may decide and were measured, on each data set."""

    @property
    def scale(self) -> Scale:
        return SCALES[self.metric]

    @property
    def any_failed(self) -> bool:
        return any(each.failed for each in self.standings)

    def leaders(self, data: str) -> list[str]:
        """The recipes than which no other was shown to be better."""
        beaten = {
            each.second if each.better == each.first else each.first
            for each in self.comparisons
            if each.data == data and each.better
        }
        return [
            each.label
            for each in self.standings
            if each.data == data and each.measured and each.label not in beaten
        ]


def judge(
    results: Sequence[Result],
    checkpoint: Checkpoint = "last",
    *,
    metric: str | None = None,
    against: str | None = None,
) -> Verdict:
    """The verdict on results that were read with that choice of a checkpoint.

    Args:
        metric: that decides, of `SCALES`; by default the first of them that was measured.
        against: a recipe that each other one is compared with, instead of all with all.

    Raises:
        UsageError: no such metric or recipe.
    """
    if metric is not None and metric not in SCALES:
        raise UsageError(
            f"no verdict by {metric}; metrics of which less or more is better are"
            f" {', '.join(SCALES)}."
        )
    labels = list(dict.fromkeys(each.label for each in results))
    if against is not None and against not in labels:
        raise UsageError(f"the study has no recipe {against}; it has {', '.join(labels)}.")
    parts = by_data(results)
    chosen = metric or next((m for m in SCALES if any(board(p, m) for p in parts.values())), "fid")
    boards = {
        data: found for data, part in parts.items() if (found := board(part, chosen)) is not None
    }
    return Verdict(
        metric=chosen,
        names={data: each.name for data, each in boards.items()},
        checkpoint=checkpoint,
        standings=[each for data, part in parts.items() for each in _standings(data, part, chosen)],
        comparisons=_comparisons(list(boards.values()), chosen, against),
        boards=boards,
        others={
            data: [m for m in SCALES if m != chosen and board(part, m)]
            for data, part in parts.items()
        },
    )


def _standings(data: str, results: Sequence[Result], metric: str) -> list[Standing]:
    found, scale = board(results, metric), SCALES[metric]
    labels = list(dict.fromkeys(each.label for each in results))
    standings = []
    for row, label in enumerate(labels):
        own = [each for each in results if each.label == label]
        ended = [each for each in own if each.state in ("finished", "failed")]
        failed = sum(each.failed for each in own)
        nothing = Estimate(*[math.nan] * 3)
        mean, middle, values = nothing, nothing, np.full(len(own), np.nan)
        if found is not None:
            values = found.values[row]
            mean = scale.mean(statistics.mean(scale.of(values)))
            known = with_failures(found, scale)[row]
            if np.isfinite(known).any():
                middle = scale.mean(
                    statistics.interquartile_mean(scale.of(known[np.isfinite(known)]))
                )
        standings.append(
            Standing(
                label=label,
                data=data,
                planned=len(own),
                measured=int(np.isfinite(values).sum()),
                failed=failed,
                failed_share=_floats(statistics.share(failed, len(ended))) if ended else nothing,
                seeds=found.seeds if found else sorted(each.task.seed for each in own),
                values=values.tolist(),
                mean=mean,
                middle=middle,
                epochs=_mean([each.trained for each in ended]),
                images=_mean([each.images for each in ended]),
                seconds=_mean([each.seconds for each in ended]),
            )
        )
    return standings


def with_failures(found: Board, scale: Scale) -> Values:
    """The board's values, those of failed runs as `statistics.with_failures` has them."""
    return statistics.with_failures(
        found.values, found.failed, lower_is_better=scale.lower_is_better
    )


def _floats(estimate: Estimate) -> Estimate:
    return Estimate(*map(float, estimate))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _comparisons(boards: Sequence[Board], metric: str, against: str | None) -> list[Comparison]:
    """All of them together, on all data sets, so that they are corrected for all."""
    scale = SCALES[metric]
    places = [(found, row) for found in boards for row in range(len(found.labels))]
    pairs = [
        (one, other)
        for one, other in combinations(range(len(places)), 2)
        if places[one][0] is places[other][0]
        and (
            against is None
            or against in {found.labels[row] for found, row in (places[one], places[other])}
        )
    ]
    if not pairs:
        return []
    seeds = sorted({seed for found in boards for seed in found.seeds})
    values = np.full((len(places), len(seeds)), np.nan)
    for start, (found, row) in enumerate(places):
        columns = [seeds.index(seed) for seed in found.seeds]
        values[start, columns] = scale.of(with_failures(found, scale))[row]
    tested = statistics.compare(values, pairs)
    compared = []
    for n, (one, other) in enumerate(pairs):
        found, count = places[one][0], int(tested.seeds[n])
        spread, level = float(tested.spread[n]), float(tested.level[n])
        difference = scale.back(Estimate(tested.mean[n], tested.low[n], tested.high[n]))
        needed, least = None, math.nan
        if count >= 2:
            needed = statistics.seeds_needed(float(tested.mean[n]), spread, level, known_from=count)
            least = statistics.detectable(spread, count, level)
        compared.append(
            Comparison(
                data=found.data,
                first=found.labels[places[one][1]],
                second=found.labels[places[other][1]],
                metric=MetricName.parse(found.name).short,
                scale=scale,
                difference=difference,
                p=float(tested.p[n]),
                comparisons=len(pairs),
                level=level,
                seeds=count,
                needed=needed,
                detectable=math.exp(least) if scale.log else least,
            )
        )
    ordered = [each if each.better != each.second else each.turned() for each in compared]
    return sorted(ordered, key=lambda each: (not each.real, each.p if each.p == each.p else 2.0))
