"""D as a critic, whose scores are no probabilities: what is seen in them without their unit."""

from collections.abc import Sequence

import numpy as np

from counterfeit.files import Row
from counterfeit.game.losses import expected
from counterfeit.insight.columns import Column, column, not_finite
from counterfeit.insight.detectors.balance import GARBAGE_DISTANCE, PASSED_EPOCHS, WON_EPOCHS
from counterfeit.insight.detectors.detector import Seen, detector, last_spell
from counterfeit.insight.detectors.loops import taught_the_reverse
from counterfeit.insight.detectors.quality import saturated
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import (
    GROWN_UP,
    STALLED_UPDATES,
    grown_up,
    running_median,
    stalled,
    updates_since_move,
)
from counterfeit.language import english

SCORES = ("score_gap", *(f"score_{kind}_{q}" for kind in ("real", "fake") for q in ("q05", "q95")))

WON_LOSS = 0.03
"""Of D's loss where nobody can gain."""


@detector(
    "critic-overpowering",
    "critical",
    needs=("score_real_q05", "score_fake_q95", "d_loss"),
    evidence=("d_loss", "score_real_q05", "score_fake_q95", "g_loss", "g_grad_norm"),
    figure="scores",
    meaning=english(
        "D's loss is next to nothing, and its scores of fakes lie below those of real images: G"
        " cannot follow."
    ),
    advice=english(
        "Slow D down or bound it: a lower --set discriminator.optimizer.lr, a higher --set"
        " generator.optimizer.lr, or --set penalties.r1.weight=1."
    ),
    source="Arjovsky and Bottou 2017 (arXiv 1701.04862), section 2; Mescheder et al. 2018 (arXiv"
    " 1801.04406), section 4.1, of what keeps D from it",
)
def critic_overpowering(record: Record) -> Seen:
    """D has all but reached the least loss there is, where the loss has a least one."""
    rows = record.epochs
    fair = expected(record.recipe.loss).equilibrium.d_loss
    clear = column(rows, "score_real_q05") > column(rows, "score_fake_q95")
    won = clear & (column(rows, "d_loss") < WON_LOSS * (fair or 0.0))
    late = column(rows, "step") >= GROWN_UP  # at first G makes noise, and any D wins
    return Seen(rows, last_spell(won & late & bool(fair), WON_EPOCHS))


BLIND = 0.15


@detector(
    "blind-critic",
    "critical",
    needs=(*SCORES, "distance", "moved"),
    evidence=("score_gap", "separation", "d_loss", "distance"),
    figure="scores",
    meaning=english(
        "The critic scores G's images as high as real ones although they are nothing like them, so"
        " it teaches G nothing."
    ),
    advice=english(
        "Let D learn: a higher --set discriminator.optimizer.lr, or a smaller weight of its"
        " penalty (--set penalties.gradient.weight=..., or penalties.r1.weight)."
    ),
    in_words=english("Let D learn: a higher learning rate, or a smaller weight of its penalty."),
    source="Arjovsky et al. 2017 (arXiv 1701.07875), section 3: a critic trained to optimality",
)
def blind_critic(record: Record) -> Seen:
    """Scores of fakes are hardly below those of real images, or above, and the images are far."""
    rows = with_separation(record.joined)
    blind = (column(rows, "separation") < BLIND) & ~taught_the_reverse(record, rows)
    far = column(rows, "distance") > GARBAGE_DISTANCE
    return Seen(rows, last_spell(blind & far & grown_up(rows), PASSED_EPOCHS))


FLAT = 1e-4
FLAT_EPOCHS = 2


@detector(
    "flat-critic",
    "critical",
    needs=("score_gap", "g_grad_norm"),
    evidence=("g_grad_norm", "score_gap", "d_grad_norm"),
    figure="gradients",
    meaning=english(
        "The critic is flat: its scores hardly change with the image, and next to no gradient"
        " reaches G."
    ),
    advice=english(
        "Wider bounds (--set constraints.clip_weights=0.01), or a smaller weight of its penalty"
        " (--set penalties.gradient.weight=10, or penalties.r1.weight=1)."
    ),
    in_words=english("Clip D's weights less, or give its penalty a smaller weight."),
    source="Gulrajani et al. 2017 (arXiv 1704.00028), section 3.2: gradients vanish as weights are"
    " clipped",
)
def flat_critic(record: Record) -> Seen:
    """Next to no gradient comes through D, where it is not G's last layer that keeps it back."""
    signs = {row["step"]: row for row in record.images}
    rows = [signs.get(row["step"], {}) | row for row in record.epochs]
    flat = (column(rows, "g_grad_norm") < FLAT) & ~saturated(rows)
    return Seen(rows, last_spell(flat, FLAT_EPOCHS))


STEEP = 2.0
EXPLODED_EPOCHS = 2


@detector(
    "exploding-critic",
    "critical",
    needs=(*SCORES, "real_distance"),
    evidence=("score_gap", "score_width", "image_distance", "g_grad_norm"),
    figure="scores",
    meaning=english(
        "The critic's scores have exploded: they are further apart than the images themselves,"
        " so nothing bounds its slope, and what it calls a distance is none."
    ),
    advice=english(
        "Bound it: --set penalties.gradient.weight=10, --set constraints.clip_weights=0.01 or --set"
        " discriminator.norm=spectral; and a lower --set discriminator.optimizer.lr."
    ),
    in_words=english(
        "Bound it by a gradient penalty, clipped weights or spectral normalisation; and lower D's"
        " learning rate."
    ),
    source="Gulrajani et al. 2017 (arXiv 1704.00028), section 3.2; Arjovsky et al. 2017 (arXiv"
    " 1701.07875), section 3: the estimate is a multiple of the critic's Lipschitz constant",
)
def exploding_critic(record: Record) -> Seen:
    """Scores of one kind of image differ by more than any critic of a slope of 1 could make them;
    or they are no longer finite."""
    low, high = record.recipe.value_range
    far = next((v for v in column(record.vitals, "real_distance") if np.isfinite(v)), np.inf)
    rows = [row | {"image_distance": float(far * (high - low))} for row in record.epochs]
    widths = score_widths(rows)
    lost = not_finite(rows, "score_gap")
    steep = widths > STEEP * column(rows, "image_distance")
    shown = [row | {"score_width": float(each)} for row, each in zip(rows, widths, strict=True)]
    return Seen(shown, last_spell(lost | steep, EXPLODED_EPOCHS))


STILL_HIGH = 0.5
STALLED_ROWS = 2
STILL_FAR = 0.15
"""Energy distance; healthy critics rest above half of their highest gap when G is near the data."""


@detector(
    "stalled-critic",
    "warning",
    needs=("score_gap", "distance", "moved"),
    evidence=("score_gap", "highest_gap", "distance", "g_grad_norm"),
    figure="scores",
    meaning=english(
        "The gap between the critic's scores of real images and of fakes does not fall, and G's"
        " images get no nearer to the data: G cannot follow."
    ),
    advice=english(
        "A higher --set generator.optimizer.lr, or a lower --set discriminator.optimizer.lr; if the"
        " gap rises without end, a stronger penalty (--set penalties.gradient.weight=...)."
    ),
    in_words=english(
        "A higher learning rate for G, or a lower one for D; if the gap rises without end, a"
        " stronger penalty on D."
    ),
    source="Arjovsky et al. 2017 (arXiv 1701.07875), section 4.2: a Wasserstein critic's estimate"
    " falls as samples get better",
)
def stalled_critic(record: Record) -> Seen:
    """The gap between the scores, a Wasserstein critic's estimate, is still near its highest long
    after G began to learn, and its images are not near the data."""
    rows = record.joined
    gap = running_median(column(rows, "score_gap"))
    highest = np.fmax.accumulate(gap) if rows else gap
    late = updates_since_move(rows) >= STALLED_UPDATES
    far = column(rows, "distance") > STILL_FAR
    moves = ~(column(rows, "g_grad_norm") < FLAT)  # else that is what is wrong
    high = (gap > STILL_HIGH * highest) & (gap > 0) & far & late & moves & stalled(rows)
    shown = [row | {"highest_gap": float(top)} for row, top in zip(rows, highest, strict=True)]
    return Seen(shown, last_spell(high, STALLED_ROWS))


def score_widths(rows: Sequence[Row]) -> Column:
    """Between how far apart scores nine tenths lie, of real images or of fakes, whichever differ
    more."""
    widths: Column = np.fmax(
        column(rows, "score_real_q95") - column(rows, "score_real_q05"),
        column(rows, "score_fake_q95") - column(rows, "score_fake_q05"),
    )
    return widths


def with_separation(rows: Sequence[Row]) -> list[Row]:
    """How far the scores of real images are above those of fakes, as a multiple of that width: 0.3
    for each standard deviation. It has no unit, whatever scores have."""
    parted = column(rows, "score_gap") / np.fmax(score_widths(rows), np.finfo(float).tiny)
    return [row | {"separation": float(each)} for row, each in zip(rows, parted, strict=True)]
