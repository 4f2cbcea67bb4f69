"""Variety of the images: all alike, of few kinds, or others at every epoch."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from counterfeit.insight.columns import Column, column, numbers
from counterfeit.insight.detectors.detector import (
    GAN,
    LONGER,
    Seen,
    detector,
    final_spell,
    last_spell,
)
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import grown_up, stalled, updates_since_move
from counterfeit.language import english

COLLAPSED_SPREAD = 0.15
SAME_SPREAD = 0.01
COLLAPSED_EPOCHS = 2


@detector(
    "mode-collapse",
    "critical",
    needs=("spread", "moved"),
    evidence=("spread", "repeated", "distance"),
    figure="latents",
    meaning=english(
        "G makes about the same image whatever its latent: what the paper calls the Helvetica"
        " scenario."
    ),
    advice=english(
        "Train D more for each step of G (--set training.discriminator_steps=2) or G less"
        " (a lower --set generator.optimizer.lr), or --set generator.batch_norm=true"
        " (generator.norm=batch in a dcgan)."
    ),
    in_words=english(
        "Train D more for each step of G, or G less, with a lower learning rate; or give G"
        " BatchNorm."
    ),
    source=f"{GAN}, section 6; Salimans et al. 2016 (arXiv 1606.03498), section 3.2",
)
def mode_collapse(record: Record) -> Seen:
    """All latents become about the same image, for long; or exactly the same, at once."""
    rows = record.images
    spread = column(rows, "spread")
    same = (spread < SAME_SPREAD) & (updates_since_move(rows) > 0)
    spell = last_spell(same, COLLAPSED_EPOCHS)
    if spell is None or not spell.lasts:
        alike = (spread < COLLAPSED_SPREAD) & grown_up(rows)
        if record.recipe.generator.ema_decay:  # an average of young weights lags behind them
            alike &= stalled(rows)
        spell = last_spell(alike | same, COLLAPSED_EPOCHS) or spell
    return Seen(rows, spell)


NARROW_SPREAD = 0.5
REPEATED = 0.1
TOP_CLASS = 0.6
SURE_IMAGES = 20
NARROW_EPOCHS = 2
FEWER = 50
FEWEST = 100
"""Different images, as many times fewer than real ones: 20 and 10 instead of 1,000."""


@detector(
    "partial-mode-collapse",
    "warning",
    needs=("spread", "moved"),
    one_of=("repeated", "distance", "support"),
    evidence=("spread", "repeated", "support", "real_support", "distance"),
    figure="latents",
    meaning=english(
        "Different latents become the same few kinds of image, and it is not getting better."
    ),
    advice=english(
        "Train D more for each step of G (--set training.discriminator_steps=2), or lower both"
        " learning rates; check the classes with `counterfeit evaluate`."
    ),
    in_words=english(
        "Train D more for each step of G, or lower both learning rates; check the classes with"
        " `counterfeit evaluate`."
    ),
    source=f"{GAN}, section 6; Metz et al. 2017 (arXiv 1611.02163), section 3; Arora and Zhang 2017"
    " (arXiv 1706.08224)",
)
def partial_collapse(record: Record) -> Seen:
    """G's images are few, or of one class, and it stays so: they have stopped getting nearer to the
    data or more different, or training has ended with next to none."""
    rows = record.images
    spread = column(rows, "spread")
    top = np.array([top_share(numbers(row, "classes")) for row in rows])
    narrow = (spread < NARROW_SPREAD) | (top > TOP_CLASS)
    repeated = column(rows, "repeated") >= REPEATED
    support, of_real = column(rows, "support"), column(rows, "real_support")
    copies = 1 / np.fmax(support, 1)  # the share of pairs that are near-copies
    alike = (FEWER * support < of_real) & stalled(rows, copies) & stalled(rows)
    judged = (spread >= COLLAPSED_SPREAD) & grown_up(rows)
    few = (narrow & stalled(rows)) | repeated | alike
    spell = last_spell(few & judged, NARROW_EPOCHS)
    ends_so = final_spell(record, (FEWEST * support < of_real) & judged, NARROW_EPOCHS)
    if ends_so is None or (spell is not None and spell.lasts):
        return Seen(rows, spell)
    return Seen(
        rows,
        ends_so,
        meaning=english(
            "Different latents become the same few kinds of image, and training ends so."
        ),
        advice=LONGER,
    )


HOPPED = 0.35
HOPPED_SURE = 10
MOVED = 0.65
HOPPING_WINDOW = 4
HOPPING_UPDATES = 500
HOPPED_EPOCHS = 2


@detector(
    "mode-hopping",
    "warning",
    needs=("spread", "moved"),
    evidence=("moved", "spread", "distance"),
    figure="latents",
    meaning=english(
        "A fixed latent becomes another image after each epoch: G runs from what D has learned"
        " to where D has not looked, and round again."
    ),
    advice=english("Lower both learning rates, --set generator.optimizer.lr=... first."),
    in_words=english("Lower both learning rates, G's first."),
    source="Metz et al. 2017 (arXiv 1611.02163), section 3.1; Mescheder et al. 2018 (arXiv"
    " 1801.04406)",
)
def mode_hopping(record: Record) -> Seen:
    """The images of fixed latents become others from each epoch to the next."""
    rows = record.images
    judged = (column(rows, "spread") >= COLLAPSED_SPREAD) & grown_up(rows)
    classes = [numbers(row, "classes") for row in rows]
    hopped = np.array([changed_share(a, b) for a, b in zip([[], *classes], classes, strict=False)])
    before = np.concatenate([[0.0], updates_since_move(rows)[:-1]])  # as each epoch begins
    moved = np.where(before >= HOPPING_UPDATES, column(rows, "moved"), np.nan)
    spell = last_spell((recent_mean(hopped) > HOPPED) & judged, HOPPED_EPOCHS) or last_spell(
        (recent_mean(moved, HOPPING_WINDOW) > MOVED) & judged, 1
    )
    return Seen(rows, spell)


def top_share(classes: Sequence[int]) -> float:
    """The share of the commonest class among images that the classifier is sure of."""
    sure = [c for c in classes if c >= 0]
    return max(Counter(sure).values()) / len(sure) if len(sure) >= SURE_IMAGES else math.nan


def changed_share(before: Sequence[int], after: Sequence[int]) -> float:
    """The share of latents whose image is of another class, of those surely classified twice."""
    pairs = [(a, b) for a, b in zip(before, after, strict=False) if a >= 0 and b >= 0]
    if len(pairs) < HOPPED_SURE:
        return math.nan
    return sum(a != b for a, b in pairs) / len(pairs)


def recent_mean(values: Column, least: int = 2) -> Column:
    """Of the four values up to each, of which so many must be known."""
    recent = [values[max(0, i - HOPPING_WINDOW + 1) : i + 1] for i in range(len(values))]
    known = [part[np.isfinite(part)] for part in recent]
    return np.array([part.mean() if len(part) >= least else np.nan for part in known])
