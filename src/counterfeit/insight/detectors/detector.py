"""What a detector is: a failure by name, the columns that show it, and what is said of it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from counterfeit.files import Row
from counterfeit.insight.detectors.record import Record
from counterfeit.language import english
from counterfeit.run.findings import SEVERITIES, Finding, Severity

GAN = "Goodfellow et al. 2014 (arXiv 1406.2661)"
GANHACKS = "ganhacks (Chintala et al. 2016)"
LONGER = english(
    "Train for more epochs: it may still be getting better. If it does not, lower both learning"
    " rates."
)


@dataclass(frozen=True)
class Spell:
    """The rows, from `first` to `last`, in which something held without a break."""

    first: int
    last: int
    lasts: bool
    """Whether it still holds at the last row."""


def _within(sentence: str) -> str:
    """A sentence as a part of another one: without its capital, unless that is a name's, as G's."""
    if re.match(r"A\b|[A-Z][a-z]+\b", sentence):
        return sentence[0].lower() + sentence[1:]
    return sentence


def last_spell(holds: Bool[np.ndarray, " rows"], least: int) -> Spell | None:
    """The last time that something held for `least` rows or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(int)))
    spells = [
        Spell(int(start), int(end) - 1, int(end) == len(holds))
        for start, end in edges.reshape(-1, 2)
        if end - start >= least
    ]
    return spells[-1] if spells else None


def final_spell(record: Record, holds: Bool[np.ndarray, " rows"], least: int) -> Spell | None:
    """The same where it held to the last epoch that was planned, and that has been looked at."""
    spell = last_spell(holds, least) if record.has_ended else None
    return spell if spell is not None and spell.lasts else None


@dataclass(frozen=True)
class Seen:
    """The spell in which a detector saw its failure, and what it words otherwise than usual."""

    rows: Sequence[Row]
    """What the spell counts."""
    spell: Spell | None
    """None: it saw nothing."""
    evidence: Sequence[str] | None = None
    figure: str | None = None
    meaning: str | None = None
    advice: str | None = None


@dataclass(frozen=True)
class Detector:
    """A failure by name: how it is seen, and what is said of it."""

    look: Callable[[Record], Seen]
    name: str
    severity: Severity
    """While it lasts; one degree milder when it has passed."""
    needs: Sequence[str]
    """The columns without any of which it is silent (see `Record.columns`)."""
    one_of: Sequence[str]
    """Columns of which it needs one more; more of them show it in more ways."""
    evidence: Sequence[str]
    """Keys whose values in the spell's last row are shown."""
    figure: str
    meaning: str
    advice: str
    in_words: str
    """The advice to a loop that is not ours, which has no keys to set; none where it is the same.
    """
    source: str

    def __call__(self, record: Record) -> Finding | None:
        there = record.columns
        if not there.issuperset(self.needs) or (self.one_of and there.isdisjoint(self.one_of)):
            return None
        seen = self.look(record)
        return None if seen.spell is None else self._finding(record, seen, seen.spell)

    def _finding(self, record: Record, seen: Seen, spell: Spell) -> Finding:
        first, last = seen.rows[spell.first], seen.rows[spell.last]
        severity, meaning = self.severity, seen.meaning or self.meaning
        if not spell.lasts:
            severity = SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
            meaning = english(
                "It has passed after epoch {epoch}: {meaning}",
                epoch=f"{last['epoch']:.4g}",
                meaning=_within(meaning),
            )
        advice = self.in_words if self.in_words and record.recipe.is_custom else self.advice
        numbers: dict[str, float | str] = {
            key: last[key]
            for key in seen.evidence or self.evidence
            if isinstance(last.get(key), int | float)
        }
        return Finding(
            name=self.name,
            severity=severity,
            first_step=int(first["step"]),
            last_step=int(last["step"]),
            first_epoch=float(first["epoch"]),
            last_epoch=float(last["epoch"]),
            evidence=numbers | {"figure": seen.figure or self.figure},
            meaning=meaning,
            advice=seen.advice or advice,
            source=self.source,
            lasts=spell.lasts,
        )


def detector(
    name: str,
    severity: Severity,
    *,
    needs: Sequence[str] = (),
    one_of: Sequence[str] = (),
    evidence: Sequence[str] = (),
    figure: str,
    meaning: str = "",
    advice: str = "",
    in_words: str = "",
    source: str,
) -> Callable[[Callable[[Record], Seen]], Detector]:
    """Make a function that looks at a record into a `Detector`, whose fields these are."""

    def of(look: Callable[[Record], Seen]) -> Detector:
        words = meaning, advice, in_words, source
        return Detector(look, name, severity, needs, one_of, evidence, figure, *words)

    return of
