"""From a run's rows to findings: each detector is one small function with its own thresholds.

A detector looks at a `Record` and says what it found, if anything. Thresholds were set on one half
of a zoo of labelled runs and tested on the other: benchmarks/zoo.py, docs/diagnosis.md.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from counterfeit.files import Row
from counterfeit.insight.finding import SEVERITIES, Finding, Severity
from counterfeit.recipe import Recipe

Column = Float[np.ndarray, " rows"]

GAN = "Goodfellow et al. 2014 (arXiv 1406.2661)"
GANHACKS = "ganhacks (Chintala et al. 2016)"


@dataclass(frozen=True)
class Record:
    """What is known of a run, up to some step."""

    recipe: Recipe
    log: Sequence[Row]
    vitals: Sequence[Row] = ()
    metrics: Sequence[Row] = ()
    kept_epochs: Sequence[int] = ()
    """Epochs whose checkpoints are kept."""

    def until(self, epoch: float) -> "Record":
        """What was known at the end of that epoch."""
        log, vitals, metrics = (
            [row for row in rows if row["epoch"] <= epoch]
            for rows in (self.log, self.vitals, self.metrics)
        )
        kept = [each for each in self.kept_epochs if each <= epoch]
        return replace(self, log=log, vitals=vitals, metrics=metrics, kept_epochs=kept)

    @cached_property
    def epochs(self) -> list[Row]:
        """The log's rows, averaged within each epoch, the last of which may be going on."""
        groups: dict[int, list[Row]] = {}
        for row in self.log:
            groups.setdefault(math.ceil(row["epoch"] - 1e-9), []).append(row)
        return [
            {key: float(column(rows, key).mean()) for key in rows[-1]}
            | {key: rows[-1][key] for key in ("step", "epoch")}
            for rows in groups.values()
        ]

    @cached_property
    def images(self) -> list[Row]:
        """Rows of vital signs, but that of the untrained networks."""
        return [row for row in self.vitals if row["step"] > 0]

    @cached_property
    def examined(self) -> list[Row]:
        """Those with the networks' numbers."""
        return [row for row in self.images if "d_generated" in row]


def column(rows: Sequence[Row], key: str) -> Column:
    """A number of each row, NaN where it is absent or was not finite."""
    return np.array([np.nan if row.get(key) is None else row[key] for row in rows], np.float64)


@dataclass(frozen=True)
class Spell:
    """The rows, from `first` to `last`, in which something held without a break."""

    first: int
    last: int
    lasts: bool
    """Whether it still holds at the last row."""


def last_spell(holds: Bool[np.ndarray, " rows"], least: int) -> Spell | None:
    """The last time that something held for `least` rows or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(int)))
    spells = [
        Spell(int(start), int(end) - 1, int(end) == len(holds))
        for start, end in edges.reshape(-1, 2)
        if end - start >= least
    ]
    return spells[-1] if spells else None


def _found(
    name: str,
    severity: Severity,
    rows: Sequence[Row],
    spell: Spell | None,
    evidence: Sequence[str],
    figure: str,
    meaning: str,
    advice: str,
    source: str,
) -> list[Finding]:
    """The finding that a spell makes, one degree milder when it has passed.

    Args:
        rows: what the spell counts.
        evidence: keys whose values in the spell's last row are shown.
    """
    if spell is None:
        return []
    first, last = rows[spell.first], rows[spell.last]
    if not spell.lasts:
        severity = SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
        meaning = (
            f"It has passed after epoch {last['epoch']:.4g}: {meaning[0].lower()}{meaning[1:]}"
        )
    numbers: dict[str, float | str] = {key: last[key] for key in evidence if key in last}
    return [
        Finding(
            name=name,
            severity=severity,
            first_step=int(first["step"]),
            last_step=int(last["step"]),
            first_epoch=float(first["epoch"]),
            last_epoch=float(last["epoch"]),
            evidence=numbers | {"figure": figure},
            meaning=meaning,
            advice=advice,
            source=source,
        )
    ]


# Discriminator against generator

WON_REAL_Q05 = 0.75
WON_FAKE_Q95 = 0.1
WON_EPOCHS = 2


def overpowering(record: Record) -> list[Finding]:
    """D is sure of nineteen in twenty real images and of as many fakes."""
    rows = record.epochs
    won = (column(rows, "d_real_q05") > WON_REAL_Q05) & (column(rows, "d_fake_q95") < WON_FAKE_Q95)
    minimax = record.recipe.loss.generator == "minimax"
    meaning = "D tells every fake from every real image, so G has nothing left to learn from."
    advice = (
        "Slow D down or strengthen G: a lower --set discriminator.optimizer.lr, more"
        " --set discriminator.dropout, or --set generator.batch_norm=true."
    )
    if minimax:
        meaning = (
            "D rejects every fake, and the slope of log(1 - D(G(z))) is proportional to D(G(z)):"
            " the minimax loss gives G no gradient just when it needs one."
        )
        advice = "--set loss.generator=non-saturating, whose gradient stays when D wins."
    return _found(
        "discriminator-overpowering",
        "critical",
        rows,
        last_spell(won, WON_EPOCHS),
        ["d_loss", "d_real_q05", "d_fake_mean", "d_fake_q95", "g_loss", "g_grad_norm"],
        "outputs",
        meaning,
        advice,
        f"{GAN}, section 3; Arjovsky and Bottou 2017 (arXiv 1701.04862), section 2; "
        f"{GANHACKS}, entry 10",
    )


DETECTORS: dict[str, Callable[[Record], list[Finding]]] = {
    "discriminator-overpowering": overpowering,
}
NAMES = frozenset(DETECTORS)


def examine(record: Record) -> list[Finding]:
    """All that the detectors find, in order."""
    return in_order([finding for detect in DETECTORS.values() for finding in detect(record)])


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, then by when they began."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.first_step))
