"""From a study of tricks to what having each of them changes."""

import math
from collections.abc import Sequence

import numpy as np

from counterfeit.errors import CounterfeitError
from counterfeit.measure.names import MetricName
from counterfeit.study import statistics
from counterfeit.study.folder import Study
from counterfeit.study.results import Result, read
from counterfeit.study.statistics import Estimate
from counterfeit.study.verdict import Comparison, Scale, Verdict, judge
from counterfeit.tricks.catalogue import FAMILIES, Base, Change, catalogue, plan_of
from counterfeit.tricks.record import Effect, Judged, Worth

NOTHING = Estimate(math.nan, math.nan, math.nan)
RATIO = Scale(lower_is_better=True, log=True)


def judged(base: Base, study: Study) -> Judged | None:
    """What the study of a base shows so far; None where the recipe as it is was not measured.

    Raises:
        CounterfeitError: a file of the study is damaged, or it tried other values than are listed.
    """
    _require_same(base, study)
    results = read(study)
    own = [each for each in results if each.label == base.recipe]
    run = next((each.run for each in own if each.scores), None)
    if run is None:
        return None
    by_fid, by_coverage = judge(own, metric="fid"), judge(own, metric="coverage")
    (metric,) = by_fid.names.values()
    return Judged(
        epochs=run.recipe.training.epochs,
        metric=metric,
        protocol=MetricName.parse(metric).protocol_parts,
        fid=by_fid.standings[0].mean,
        coverage=by_coverage.standings[0].mean,
        seeds=by_fid.standings[0].measured,
        torch=run.environment["torch"],
        processor=run.environment["processor"],
        effects=effects(base, results),
    )


def _require_same(base: Base, study: Study) -> None:
    """
    Raises:
        CounterfeitError: a variant has other values than the list of tricks.
    """
    planned = {each.label: each.values for each in plan_of(base).variants}
    for each in study.plan.variants:
        if each.values != planned.get(each.label):
            raise CounterfeitError(
                f"{study.folder} tried {each.label} with other values than tricks.toml has now;"
                " run its study anew under another --out."
            )


def effects(base: Base, results: Sequence[Result]) -> dict[str, Effect]:
    """What having each trick changes, of those that were measured, by their labels."""
    found = {}
    for family in FAMILIES:
        changes = {
            trick.label: change for trick, change in catalogue().of(base) if trick.family == family
        }
        compared = {base.recipe, *(each.variant for each in changes.values())}
        part = [each for each in results if each.label in compared]
        by_fid, by_coverage = (
            judge(part, metric=metric, against=base.recipe) for metric in ("fid", "coverage")
        )
        for label, change in changes.items():
            fid = _of_having(base, change, by_fid)
            coverage = _of_having(base, change, by_coverage)
            if fid is not None and fid.seeds:
                found[label] = Effect(
                    worth=_worth(fid),
                    fid=fid.difference,
                    p=fid.p,
                    coverage=NOTHING if coverage is None else coverage.difference,
                    seconds=_times_as_long(part, fid.first, fid.second),
                    failed=sum(each.failed for each in part if each.label == change.variant),
                    seeds=fid.seeds,
                )
    return found


def _worth(having: Comparison) -> Worth:
    if not having.real:
        return "unsure"
    return "better" if having.better == having.first else "worse"


def _of_having(base: Base, change: Change, verdict: Verdict) -> Comparison | None:
    """The comparison of a trick's variant with the recipe as it is, what has the trick first."""
    pair = {base.recipe, change.variant}
    with_it = base.recipe if change.takes_away else change.variant
    found = next((each for each in verdict.comparisons if {each.first, each.second} == pair), None)
    return found if found is None or found.first == with_it else found.turned()


def _times_as_long(results: Sequence[Result], first: str, second: str) -> Estimate:
    """The seconds of training of one variant as a multiple of another's, by their seeds."""
    seconds = {
        (each.label, each.task.seed): each.seconds for each in results if each.state == "finished"
    }
    seeds = {
        seed for label, seed in seconds if (first, seed) in seconds and (second, seed) in seconds
    }
    ratios = [math.log(seconds[first, seed] / seconds[second, seed]) for seed in sorted(seeds)]
    return RATIO.back(statistics.mean(np.array(ratios, np.float64)))
