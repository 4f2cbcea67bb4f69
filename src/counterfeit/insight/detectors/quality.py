"""Nearness of the images to the data: never gained, lost again, or lost at the last layer."""

import math
from collections.abc import Sequence

import numpy as np

from counterfeit.files import Row
from counterfeit.insight.columns import Mask, column
from counterfeit.insight.detectors.detector import (
    GANHACKS,
    LONGER,
    Seen,
    Spell,
    detector,
    final_spell,
    last_spell,
)
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import GROWN_UP, grown_up, running_median, stalled
from counterfeit.language import english

NO_PROGRESS_UPDATES = 500
NO_PROGRESS_EPOCHS = 5
NO_PROGRESS_SHARE = 0.7
FAR = 0.6


@detector(
    "no-progress",
    "warning",
    needs=("distance",),
    evidence=("distance", "spread"),
    figure="history",
    meaning=english("G's images are about as far from the data as before training."),
    advice=english(
        "See the other findings for the reason; without one, raise --set"
        " generator.optimizer.lr=... tenfold."
    ),
    in_words=english(
        "See the other findings for the reason; without one, raise G's learning rate tenfold."
    ),
    source=f"{GANHACKS}, entry 10",
)
def no_progress(record: Record) -> Seen:
    """The images are about as far from the data as those of the untrained generator."""
    rows = record.images
    if math.isnan(untrained_distance(record)):
        return Seen(rows, None)
    late = column(rows, "step") >= NO_PROGRESS_UPDATES
    return Seen(rows, last_spell(as_far(record) & late, NO_PROGRESS_EPOCHS))


def untrained_distance(record: Record) -> float:
    """From the untrained generator's images to the data; NaN where nobody looked."""
    distance = column([row for row in record.vitals if row["step"] == 0], "distance")
    return float(distance[0]) if np.isfinite(distance).any() else math.nan


def as_far(record: Record) -> Mask:
    """Where the images are about as far from the data as those of the untrained generator, or just
    far where that is not known."""
    far = np.fmax(FAR, NO_PROGRESS_SHARE * untrained_distance(record))
    result: Mask = column(record.images, "distance") > far
    return result


UNLIKE = 0.3
UNLIKE_EPOCHS = 2


@detector(
    "unlike-real-images",
    "warning",
    needs=("unlike", "distance", "moved"),
    evidence=("unlike", "real_unlike", "distance"),
    figure="samples",
    meaning=english(
        "Many of G's images are rougher or smoother, paler or more coloured than any real image, or"
        " have something where none has, though on average they are near the data."
    ),
    advice=LONGER,
    source="Durall et al. 2020 (arXiv 2003.01826), of what is fine in an image",
)
def unlike_real_images(record: Record) -> Seen:
    """Images whose texture, contrast or colour no real image has, where it does not get better or
    training has ended. Where they are as far from the data as ever, other findings say so."""
    rows = record.images
    more = column(rows, "unlike") - np.nan_to_num(column(rows, "real_unlike"))
    odd = (more > UNLIKE) & ~as_far(record) & grown_up(rows)
    spell = last_spell(odd & stalled(rows, more) & stalled(rows), UNLIKE_EPOCHS)
    if spell is None or not spell.lasts:
        spell = final_spell(record, odd, UNLIKE_EPOCHS) or spell
    return Seen(rows, spell)


SATURATED_SHARE = 0.25
"""Of the pixels that real images have within the range: 0.05 of all in MNIST, where 0.8 are not."""

SATURATED_EPOCHS = 2


@detector(
    "saturated-outputs",
    "warning",
    needs=("extreme", "real_extreme"),
    evidence=("extreme", "real_extreme"),
    figure="samples",
    meaning=english(
        "G's last layer has gone to the ends of its range, where the slope is 0 and no gradient"
        " comes through."
    ),
    advice=english(
        "Lower --set generator.optimizer.lr, and start again: saturated units seldom return."
    ),
    in_words=english("Lower G's learning rate, and start again: saturated units seldom return."),
    source="Glorot and Bengio 2010, section 3",
)
def saturated_outputs(record: Record) -> Seen:
    """Far more of G's pixels are at an end of the range than of real images'."""
    rows = record.images
    late = column(rows, "step") >= GROWN_UP  # healthy ones may begin so, and leave it
    return Seen(rows, last_spell(saturated(rows) & late, SATURATED_EPOCHS))


def saturated(rows: Sequence[Row]) -> Mask:
    """Where far more of G's pixels are at an end of the range than of real images'."""
    of_real = column(rows, "real_extreme")
    more: Mask = column(rows, "extreme") - of_real > SATURATED_SHARE * (1 - of_real)
    return more


BEST_WORSE = 1.5
FID_WORSE = 1.3
BEST_MARGIN = 0.05
BEST_AGO_EPOCHS = 3
BEST_AGO_SHARE = 0.2
LEAST_FIDS = 3


@detector(
    "best-long-ago",
    "warning",
    one_of=("distance", "fid"),
    figure="history",
    advice=english("Train fewer epochs, or lower the learning rates."),
    source=f'{GANHACKS}, entry 10; Prechelt 1998, "Early Stopping - But When?"',
)
def best_long_ago(record: Record) -> Seen:
    """The images were clearly nearer to the data some epochs ago: by an FID that three epochs or
    more have, else by the energy distance. Of FIDs of several protocols, by that which was measured
    last, and of these by that which most epochs have."""
    fids = [fid for fid in record.fids.items() if len(fid[1]) >= LEAST_FIDS]
    worse = FID_WORSE
    if fids:
        name, rows = max(fids, key=lambda fid: (fid[1][-1]["epoch"], len(fid[1])))
    else:
        name, worse = "distance", BEST_WORSE
        rows = [row for row in record.images if np.isfinite(column([row], name)).all()]
    nothing = Seen(rows, None)
    if len(rows) < 3:
        return nothing
    smooth = running_median(column(rows, name))
    best = int(np.argmin(smooth))
    epochs, updates = (rows[-1][key] - rows[best][key] for key in ("epoch", "step"))
    if epochs < max(BEST_AGO_EPOCHS, BEST_AGO_SHARE * rows[-1]["epoch"]):
        return nothing
    if updates < GROWN_UP:
        return nothing
    if not smooth[-1] > worse * smooth[best] + BEST_MARGIN:
        return nothing
    kept = [] if record.recipe.is_custom else record.kept_epochs
    nearest = min(
        (row for row in rows if row["epoch"] in kept and row[name] < rows[-1][name]),
        key=lambda row: row[name],
        default=None,
    )
    return Seen(
        [*rows[:-1], rows[-1] | {"best": smooth[best], "best_epoch": rows[best]["epoch"]}],
        Spell(best, len(rows) - 1, lasts=True),
        evidence=(name, "best", "best_epoch"),
        meaning=english(
            "Its images were best about epoch {epoch} and are clearly worse now.",
            epoch=f"{rows[best]['epoch']:.4g}",
        ),
        advice=None
        if nearest is None
        else english(
            "Go back to it: `counterfeit sample RUN --epoch {epoch}` draws from the best"
            " checkpoint that is kept; train fewer epochs, or lower the learning rates.",
            epoch=f"{nearest['epoch']:.4g}",
        ),
    )
