"""A study's verdict in words."""

import math
from collections.abc import Sequence
from pathlib import Path

from counterfeit.language import english, tr, translated
from counterfeit.measure.names import MetricName
from counterfeit.study.statistics import ALPHA, MOST_SEEDS, least_seeds
from counterfeit.study.verdict import Comparison, Verdict

SAID = 30
"""Comparisons that are told of, in a terminal and on a page."""

FAILURES = english(
    "Failed runs are not dropped: in a comparison, each counts as bad as the worst run of the study"
    " that ended well. Means are of those that ended well."
)


def summary(verdict: Verdict, data: str) -> str:
    """Who leads on a data set, in one sentence."""
    leaders = verdict.leaders(data)
    compared = [each for each in verdict.comparisons if each.data == data]
    if not leaders:
        return _nothing(verdict, data)
    if not compared:
        return tr("There is one recipe, and nothing to compare it with.")
    seeds, made = max(each.seeds for each in compared), compared[0].comparisons
    if seeds < (least := least_seeds(ALPHA / made)):
        return (
            tr(
                "Can't tell yet: {count} comparisons take {least} seeds or more; `--against RECIPE`"
                " makes fewer comparisons.",
                count=str(made),
                least=str(least),
            )
            if made > 1
            else tr("Can't tell yet: that takes {least} seeds or more.", least=str(least))
        )
    if not any(each.real for each in compared):
        return tr("Can't tell: no difference between these recipes is beyond chance.")
    if len(leaders) == 1:
        return tr("{recipe} leads.", recipe=leaders[0])
    return tr("No recipe is shown to be better than these: {recipes}.", recipes=", ".join(leaders))


def _nothing(verdict: Verdict, data: str) -> str:
    """Why there is nothing to compare."""
    own = [each for each in verdict.standings if each.data == data]
    if all(each.failed == each.planned for each in own):
        return tr("Nothing to compare: all runs failed.")
    if others := verdict.others[data]:
        return tr(
            "Nothing to compare: no run has {metric}; `--metric {other}` decides by one that was"
            " measured.",
            metric=translated(MetricName(verdict.metric).short),
            other=others[0],
        )
    return tr("Nothing to compare yet: no run was measured.")


def sentences(comparisons: Sequence[Comparison]) -> list[str]:
    """What the first `SAID` comparisons show, and that there are more."""
    said = [sentence(each) for each in comparisons[:SAID]]
    if more := len(comparisons) - len(said):
        said.append(
            tr(
                "… and {count} more, which differences.csv holds; `--against RECIPE` makes fewer",
                count=str(more),
            )
        )
    return said


def sentence(comparison: Comparison) -> str:
    """What a comparison shows, in one sentence."""
    if comparison.seeds < 2:
        return tr(
            "can't tell {first} from {second}: they need {least} seeds or more that both have",
            first=comparison.first,
            second=comparison.second,
            least=str(least_seeds(comparison.level)),
        )
    numbers = _numbers(comparison)
    if comparison.real:
        return tr(
            "{first} is better than {second}: {numbers}",
            first=comparison.first,
            second=comparison.second,
            numbers=numbers,
        )
    return tr(
        "can't tell {first} from {second}: {numbers}; {advice}",
        first=comparison.first,
        second=comparison.second,
        numbers=numbers,
        advice=advice(comparison),
    )


def advice(comparison: Comparison) -> str:
    """How many seeds would tell."""
    if comparison.needed is None:
        return tr("so small a difference takes over {count} seeds", count=f"{MOST_SEEDS:,}")
    count = str(comparison.needed)
    return tr("if that is the difference, about {count} seeds would do", count=count)


def _numbers(comparison: Comparison) -> str:
    """The difference, its interval where the seeds allow one, and what both rest on."""
    value, low, high = comparison.difference
    log, told = comparison.scale.log, not math.isnan(low)
    form = ("{:.2f}" if log else "{:+.3g}").format
    difference = form(value) + (f" [{form(low)}, {form(high)}]" if told else "")
    metric = translated(comparison.metric)
    size = (
        tr("{metric} {ratio} times as large", metric=metric, ratio=difference)
        if log
        else tr("{metric} differs by {difference}", metric=metric, difference=difference)
    )
    seeds, count, p = str(comparison.seeds), str(comparison.comparisons), p_text(comparison.p)
    one = comparison.comparisons == 1
    if told and one:
        return tr("{size}, p {p}, {seeds} seeds", size=size, p=p, seeds=seeds)
    if told:
        return tr(
            "{size}, p {p} (Holm, {count} comparisons), {seeds} seeds",
            size=size,
            p=p,
            count=count,
            seeds=seeds,
        )
    if one:
        return tr("{size}, but {seeds} seeds are too few to tell", size=size, seeds=seeds)
    return tr(
        "{size}, but {seeds} seeds are too few to tell in {count} comparisons",
        size=size,
        seeds=seeds,
        count=count,
    )


def p_text(p: float) -> str:
    """`= .0043`, `= .52`, `< .001`."""
    return "< .001" if p < 0.001 else f"= {p:.2g}".replace("0.", ".", 1)


def data_name(data: str) -> str:
    """A data set's name, or a folder's without those that it lies in."""
    return Path(data).name or data


def count_of(count: int, of: int) -> str:
    """`5`, or `3 of 5`."""
    return f"{count}" if count == of else tr("{found} of {of}", found=str(count), of=str(of))


def notes(verdict: Verdict) -> list[str]:
    """How the numbers are to be read, as far as it matters for this study."""
    protocols = dict.fromkeys(
        ", ".join(map(translated, MetricName.parse(name).protocol_parts))
        for name in verdict.names.values()
    )
    metric = translated(MetricName(verdict.metric).short)
    said = [
        tr("{metric}: {protocol}; {good}.", metric=metric, protocol=protocol, good=good(verdict))
        for protocol in protocols
    ]
    said.append(
        tr("Of each run its last checkpoint is reported.")
        if verdict.checkpoint == "last"
        else tr(
            "Of each run that checkpoint is reported, of those that are kept, which has the lowest"
            " FID on the validation images; the numbers are of the test images."
        )
    )
    if verdict.any_failed:
        said.append(translated(FAILURES))
    return said


def good(verdict: Verdict) -> str:
    """Which values of the metric that decides are good."""
    if verdict.scale.lower_is_better:
        return tr("lower is better")
    return tr("higher is better")
