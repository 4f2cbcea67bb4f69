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
from counterfeit.insight.detectors.series import at_least, grown_up, stalled, updates_since_move
from counterfeit.language import english

COLLAPSED_SPREAD = 0.15
"""Where it stays so: healthy ones may have less, 0.07, for their first 700 updates."""

NEXT_TO_NONE = 0.03
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
    """All latents become about the same image, and it stays so; or next to exactly the same, at
    once."""
    rows = record.images
    spread = column(rows, "spread")
    alike = (spread < COLLAPSED_SPREAD) & stalled(rows)
    if not record.recipe.generator.ema_decay:  # an average of young weights lags behind them
        alike |= spread < NEXT_TO_NONE
    same = (spread < SAME_SPREAD) & (updates_since_move(rows) > 0)
    return Seen(rows, last_spell(alike & grown_up(rows) | same, COLLAPSED_EPOCHS))


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
HOPPED_PAIRS = 40
"""Images that were surely classified before and after an epoch, in four epochs together."""
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
    """The images of fixed latents become others from each epoch to the next, for four epochs that
    began when G had left noise behind: on the way out of it every healthy one's do."""
    rows = record.images
    judged = (column(rows, "spread") >= COLLAPSED_SPREAD) & grown_up(rows)
    before = np.concatenate([[0.0], updates_since_move(rows)[:-1]])  # as each epoch begins
    begun = np.where(before >= HOPPING_UPDATES, 1.0, np.nan)
    moved = of_window(begun * column(rows, "moved")) / HOPPING_WINDOW
    classes = [numbers(row, "classes") for row in rows]
    changes = [changed(a, b) for a, b in zip([[], *classes], classes, strict=False)]
    hops, pairs = (of_window(begun * each) for each in np.reshape(changes, (-1, 2)).T)
    enough = np.where(pairs >= HOPPED_PAIRS, pairs, np.nan)
    spell = last_spell((at_least(hops / enough, enough) > HOPPED) & judged, HOPPED_EPOCHS)
    return Seen(rows, spell or last_spell((moved > MOVED) & judged, 1))


def top_share(classes: Sequence[int]) -> float:
    """The share of the commonest class among images that the classifier is sure of."""
    sure = [c for c in classes if c >= 0]
    return max(Counter(sure).values()) / len(sure) if len(sure) >= SURE_IMAGES else math.nan


def changed(before: Sequence[int], after: Sequence[int]) -> tuple[int, int]:
    """Of how many latents the image is of another class, and of how many it is surely of a class
    both times."""
    pairs = [(a, b) for a, b in zip(before, after, strict=False) if a >= 0 and b >= 0]
    return sum(a != b for a, b in pairs), len(pairs)


def of_window(values: Column) -> Column:
    """The sum of the four values up to each; NaN where one of them is not known, or not there."""
    padded = np.concatenate([np.full(HOPPING_WINDOW - 1, np.nan), values])
    return np.array([padded[i : i + HOPPING_WINDOW].sum() for i in range(len(values))])
