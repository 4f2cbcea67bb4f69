"""What a loop of one's own gets wrong around the update. Runs of recipes lack these columns, but
for D's answers."""

from collections.abc import Sequence

import numpy as np

from counterfeit.files import Row
from counterfeit.game.losses import expected
from counterfeit.insight.columns import Mask, column
from counterfeit.insight.detectors.balance import GARBAGE_DISTANCE
from counterfeit.insight.detectors.detector import GAN, GANHACKS, Seen, detector, last_spell
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import GROWN_UP
from counterfeit.language import english

RANGE_MEAN = 0.15
RANGE_STD = (0.6, 1.7)


@detector(
    "wrong-range",
    "critical",
    needs=("shown_mean", "shown_std", "real_mean", "real_std"),
    evidence=("shown_mean", "real_mean", "shown_std", "real_std"),
    figure="preview",
    meaning=english(
        "The real images that D is shown are not in the range of G's, so that D can tell them"
        " apart by their brightness alone."
    ),
    advice=english(
        "Scale the data to G's last layer: [-1, 1] for a tanh, [0, 1] for a sigmoid; or say"
        " Monitor(value_range=...) where another range is meant."
    ),
    source=f"{GANHACKS}, entry 1",
)
def wrong_range(record: Record) -> Seen:
    """Real images, as D sees them, have another mean or spread than the data in G's range."""
    rows = record.images_with("shown_mean")
    off = np.abs(column(rows, "shown_mean") - column(rows, "real_mean")) > RANGE_MEAN
    ratio = column(rows, "shown_std") / np.maximum(column(rows, "real_std"), 1e-6)
    wrong = off | (ratio < RANGE_STD[0]) | (ratio > RANGE_STD[1])
    return Seen(rows, last_spell(wrong, 1))


SWAPPED_GAP = 0.2
SWAPPED_EPOCHS = 2


@detector(
    "labels-swapped",
    "critical",
    needs=("distance",),
    one_of=("d_real_mean", "score_gap"),
    evidence=("d_real_mean", "d_fake_mean", "score_gap", "distance"),
    figure="outputs",
    meaning=english(
        "D rates G's images above real ones although they are nothing like them: it is taught"
        " the opposite of what G is."
    ),
    advice=english(
        "Look at the labels, or the signs, of D's loss and of G's: what D is told of real"
        " images, G must want of its own."
    ),
    source=f"{GAN}, algorithm 1",
)
def labels_swapped(record: Record) -> Seen:
    """D's answers are the wrong way round, and the images are far from the data."""
    rows = record.joined
    far = column(rows, "distance") > GARBAGE_DISTANCE
    late = column(rows, "step") >= GROWN_UP
    return Seen(rows, last_spell(taught_the_reverse(record, rows) & far & late, SWAPPED_EPOCHS))


def taught_the_reverse(record: Record, rows: Sequence[Row]) -> Mask:
    """Where D's answers are the wrong way round, and it does not do badly by its own loss."""
    gap = column(rows, "d_fake_mean") - column(rows, "d_real_mean")
    reversed_: Mask = (gap > SWAPPED_GAP) | (column(rows, "score_gap") < 0)
    if (fair := expected(record.recipe.loss).equilibrium.d_loss) is not None:
        reversed_ &= ~(column(rows, "d_loss") > fair)
    return reversed_


REPEATED_SHARE = 0.5
REPEATED_EPOCHS = 2


@detector(
    "latents-reused",
    "critical",
    needs=("latents_repeated",),
    evidence=("latents_repeated",),
    figure="latents",
    meaning=english(
        "G is trained on the same latents again and again, and learns what to make of these alone."
    ),
    advice=english("Draw new ones for every update, and set no seed inside the loop."),
    source=f"{GAN}, algorithm 1: a minibatch of noise samples in every step",
)
def latents_reused(record: Record) -> Seen:
    """Batches of latents that occurred before."""
    rows = record.images_with("latents_repeated")
    return Seen(
        rows, last_spell(column(rows, "latents_repeated") > REPEATED_SHARE, REPEATED_EPOCHS)
    )


@detector(
    "sampled-in-train-mode",
    "warning",
    needs=("sampled_in_train_mode",),
    evidence=("sampled_in_train_mode",),
    figure="samples",
    meaning=english(
        "Images are drawn with G in train mode: they depend on which others are drawn with"
        " them, and move BatchNorm's statistics."
    ),
    advice=english("G.eval() before images are drawn, and G.train() after it."),
    source="Ioffe and Szegedy 2015 (arXiv 1502.03167), section 3.1",
)
def sampled_in_train_mode(record: Record) -> Seen:
    """G was called in train mode where no loss came of it."""
    rows = record.images_with("sampled_in_train_mode")
    return Seen(rows, last_spell(column(rows, "sampled_in_train_mode") > 0, 1))


EVAL_SHARE = 0.5


@detector(
    "trained-in-eval-mode",
    "warning",
    needs=("trained_in_eval_mode",),
    evidence=("trained_in_eval_mode",),
    figure="samples",
    meaning=english(
        "G is trained in eval mode: BatchNorm uses statistics that no longer follow its"
        " batches, and dropout is off."
    ),
    advice=english("G.train() at each epoch's start, above all after images were drawn."),
    source="Ioffe and Szegedy 2015 (arXiv 1502.03167), section 3.1",
)
def trained_in_eval_mode(record: Record) -> Seen:
    """Most of G's steps were made in eval mode."""
    rows = record.images_with("trained_in_eval_mode")
    return Seen(rows, last_spell(column(rows, "trained_in_eval_mode") > EVAL_SHARE, 1))
