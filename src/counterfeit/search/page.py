"""What the page about a search shows beside the study that confirms it."""

from collections.abc import Sequence

from counterfeit.language import tr, translated
from counterfeit.search.folder import Search, Trial
from counterfeit.search.space import brief
from counterfeit.search.words import metric_name
from counterfeit.study.names import shortest
from counterfeit.study.page import Listed


def listed(search: Search, trials: Sequence[Trial]) -> Listed:
    """All trials for the page: the best first, then those that came far."""
    keys = search.space.entries
    ranked = search.ranked(trials)
    others = sorted(
        (each for each in trials if each not in ranked),
        key=lambda each: (-max(each.scores, default=0), each.number),
    )
    return Listed(
        tr("Trials"),
        tr("{count} trials, the best first", count=str(len(trials))),
        [
            tr("trial"),
            metric_name(search),
            tr("epochs"),
            tr("state"),
            *(shortest(key, keys) for key in keys),
        ],
        [
            [
                tr("{number} (the recipe as it was)", number=str(each.number))
                if search.is_unchanged(each)
                else str(each.number),
                f"{each.score:.4g}" if each.scores else "",
                str(max(each.scores, default=0)),
                translated(each.state),
                *(brief(each.values[key]) if key in each.values else "" for key in keys),
            ]
            for each in [*ranked, *others]
        ],
    )
