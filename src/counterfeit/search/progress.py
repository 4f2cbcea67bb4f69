"""How far a search is, as its files say: from the command that conducts it, or from any other."""

from collections.abc import Sequence
from contextlib import suppress

from counterfeit.errors import CounterfeitError
from counterfeit.language import tr
from counterfeit.run.findings import Finding
from counterfeit.search.folder import Search, Trial
from counterfeit.search.space import brief
from counterfeit.search.words import metric_name
from counterfeit.study.folder import Task
from counterfeit.study.names import shortest
from counterfeit.study.outcome import ENDINGS
from counterfeit.study.progress import Glance, Seen


class TrialsGlance(Glance):
    """All trials of a search, as seen last."""

    def __init__(self, search: Search) -> None:
        super().__init__(search)
        self._search = search
        self._trials: dict[str, Trial] = {}

    def look(self) -> list[tuple[Task, Finding]]:
        new = super().look()
        for name, seen in self.seen.items():
            if name not in self._trials or self._trials[name].state not in ENDINGS:
                with suppress(CounterfeitError):  # a row is being written
                    self._trials[name] = self._search.trial(seen.task)
        return new

    @property
    def headings(self) -> Sequence[str]:
        keys = self._search.space.entries
        return [metric_name(self._search), *(shortest(key, keys) for key in keys)]

    def cells(self, seen: Seen) -> Sequence[str]:
        trial = self._trials.get(seen.task.id)
        values = trial.values if trial else {}
        return [
            f"{trial.score:.4g}" if trial and trial.scores else "",
            *(brief(values[key]) if key in values else "" for key in self._search.space.entries),
        ]

    def summary(self) -> str:
        """One line: how many have ended and how, and which is best so far."""
        parts = [
            tr(
                "{ended} of {of} trials have ended",
                ended=str(self.ended),
                of=str(max(self._search.plan.trials, len(self.seen))),
            )
        ]
        if pruned := self.count("pruned"):
            parts.append(tr("{count} of them pruned", count=str(pruned)))
        parts += self.counts()
        if ranked := self._search.ranked(self._trials.values()):
            parts.append(
                tr(
                    "best so far: trial {number}, {metric} {score}",
                    number=str(ranked[0].number),
                    metric=metric_name(self._search),
                    score=f"{ranked[0].score:.4g}",
                )
            )
        return ", ".join(parts)
