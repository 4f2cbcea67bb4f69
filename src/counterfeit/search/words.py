"""What a search found, in words and as a table of its trials."""

from collections.abc import Sequence
from typing import Any

from counterfeit.language import tr, translated
from counterfeit.measure.names import MetricName
from counterfeit.search.folder import Search, Trial
from counterfeit.search.space import brief
from counterfeit.study.names import shortest
from counterfeit.study.tables import cost
from counterfeit.terminal import aligned

SHOWN = 10
"""Of the best trials, in a terminal."""


def account(search: Search, trials: Sequence[Trial]) -> list[str]:
    """What the trials found and cost, in a few sentences; what they cannot say is said too."""
    seconds = sum(outcome.seconds or 0.0 for each in trials if (outcome := each.task.outcome))
    said = [
        tr(
            "{count} trials took {seconds} seconds, evaluations included; {pruned} were pruned, and"
            " {failed} failed.",
            count=str(len(trials)),
            seconds=cost(seconds),
            pruned=str(sum(each.state == "pruned" for each in trials)),
            failed=str(sum(each.state == "failed" for each in trials)),
        )
    ]
    ranked = search.ranked(trials)
    if not ranked:
        return [*said, tr("No trial got to its end yet."), *_unchanged(search, trials)]
    best = ranked[0]
    said.append(
        tr(
            "Best on the validation images: trial {number}, with {metric} {score}.",
            number=str(best.number),
            metric=metric_name(search),
            score=f"{best.score:.4g}",
        )
    )
    if changes := search.changes(best):
        said.append(
            tr(
                "It has {changes}. The best of many looks better than it is: what counts is what"
                " other seeds say on the test images.",
                changes="; ".join(changes),
            )
        )
        said += _unchanged(search, trials)
    else:
        said.append(tr("That is the recipe as it was: the search found nothing better."))
    return said


def _unchanged(search: Search, trials: Sequence[Trial]) -> list[str]:
    """What the trial of the recipe as it was came to, where there was one."""
    own = next((each for each in trials if search.is_unchanged(each)), None)
    if own is None or (ended := own.task.outcome) is None:
        return []
    if ended.state == "failed":
        return [tr("The recipe as it was failed in its trial: {why}", why=ended.why or "")]
    return [
        tr(
            "The recipe as it was came to {score} there, after {epochs} epochs.",
            score=f"{own.score:.4g}",
            epochs=str(max(own.scores, default=0)),
        )
    ]


def table(search: Search, trials: Sequence[Trial]) -> list[str]:
    """The best trials, a line for each."""
    keys = search.space.entries
    head = [tr("trial"), metric_name(search), *(shortest(key, keys) for key in keys)]
    rows = [
        [str(each.number), f"{each.score:.4g}", *(brief(each.values[key]) for key in keys)]
        for each in search.ranked(trials)[:SHOWN]
    ]
    return aligned([head, *rows]) if rows else []


def rows(search: Search, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """A row for each trial: what it tried, how it ended, and its scores at each rung."""
    found = []
    for each in trials:
        outcome = each.task.outcome
        found.append(
            {
                "trial": each.number,
                "state": each.state,
                "why": (outcome.why if outcome else None) or "",
                "seconds": outcome.seconds if outcome else None,
                "run": f"runs/{each.task.id}",
                **{key: _plain(each.values.get(key)) for key in search.space.entries},
                **{
                    f"{search.plan.metric}_epoch_{epochs}": each.scores.get(epochs)
                    for epochs in search.plan.rung_epochs
                },
            }
        )
    return found


def metric_name(search: Search) -> str:
    """What the metric that is searched by is called."""
    return translated(MetricName(search.plan.metric).short)


def _plain(value: Any) -> Any:
    """A value that a column of a table can hold."""
    return value if value is None or isinstance(value, str | int | float) else brief(value)
