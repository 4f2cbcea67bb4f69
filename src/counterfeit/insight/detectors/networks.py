"""The networks themselves: gradients, units that are never used, BatchNorm's statistics."""

import numpy as np

from counterfeit.insight.columns import column, not_finite
from counterfeit.insight.detectors.detector import GANHACKS, Seen, detector, last_spell
from counterfeit.insight.detectors.record import Record
from counterfeit.language import english

EXPLODED_NORM = 100.0
EXPLODED_UNITLESS = 1000.0
"""A critic's scores have no unit, and spectral norm's may be pushed hard while all is well. Nor has
the gradient of a D whose layers are normalised: it is the longer, the shorter their weights are."""
EXPLODED_ROWS = 2


@detector(
    "gradient-explosion",
    "critical",
    one_of=("d_grad_norm", "g_grad_norm"),
    evidence=("d_grad_norm", "g_grad_norm", "d_loss", "g_loss"),
    figure="gradients",
    meaning=english(
        "Gradients have exploded: updates jump across the loss instead of following it."
    ),
    advice=english(
        "Lower both learning rates tenfold: --set discriminator.optimizer.lr=... and --set"
        " generator.optimizer.lr=..."
    ),
    in_words=english("Lower both learning rates tenfold."),
    source=f"{GANHACKS}, entry 10; Pascanu et al. 2013 (arXiv 1211.5063)",
)
def gradient_explosion(record: Record) -> Seen:
    """Gradients are huge, or no longer finite."""
    rows = list(record.log)
    lost = not_finite(rows, "d_grad_norm") | not_finite(rows, "g_grad_norm")
    critic = np.isfinite(column(rows, "score_gap"))
    unitless = critic | record.recipe.discriminator.normalises
    huge = (column(rows, "d_grad_norm") > np.where(unitless, EXPLODED_UNITLESS, EXPLODED_NORM)) | (
        column(rows, "g_grad_norm") > np.where(critic, EXPLODED_UNITLESS, EXPLODED_NORM)
    )
    return Seen(rows, last_spell(lost, 1) or last_spell(huge, EXPLODED_ROWS))


DEAD_SHARE = 0.5
ONE_PIECE = 0.99
DEAD_EXAMINATIONS = 2


@detector(
    "dead-units",
    "warning",
    one_of=("g_dead", "d_dead", "d_idle_pieces"),
    evidence=("g_dead", "d_dead", "d_idle_pieces"),
    figure="gradients",
    meaning=english(
        "Most units of a layer are off for every input (or most maxout pieces are never"
        " chosen): they get no gradient, and the network is smaller than it looks."
    ),
    advice=english(
        "Lower the learning rate, or --set generator.activation=leaky-relu and --set"
        " discriminator.activation=leaky-relu, whose units cannot die."
    ),
    in_words=english("Lower the learning rate, or use LeakyReLU, whose units cannot die."),
    source=f"Maas et al. 2013, section 2; {GANHACKS}, entry 5; Goodfellow et al. 2013 (arXiv"
    " 1302.4389), section 5",
)
def dead_units(record: Record) -> Seen:
    """A layer of rectifiers that are mostly off, or of maxout units that are linear."""
    rows = record.images_with("g_dead", "d_dead", "d_idle_pieces")
    dead = np.fmax(column(rows, "g_dead"), column(rows, "d_dead")) > DEAD_SHARE
    pieces = getattr(record.recipe.discriminator, "pieces", 2)
    idle = column(rows, "d_idle_pieces") > ONE_PIECE * (pieces - 1) / pieces
    figure = "maxout" if idle.any() else None
    return Seen(rows, last_spell(dead | idle, DEAD_EXAMINATIONS), figure=figure)


GAP = 0.35
GAP_UPDATES = 100
GAP_EXAMINATIONS = 2


@detector(
    "batchnorm-gap",
    "warning",
    needs=("batchnorm_gap",),
    evidence=("batchnorm_gap",),
    figure="samples",
    meaning=english(
        "BatchNorm's running statistics are not those of its batches, so samples are not what D"
        " was shown in training."
    ),
    advice=english(
        "Larger batches (--set training.batch_size=...), or --set generator.batch_norm=false"
        " (generator.norm=group in a dcgan)."
    ),
    in_words=english("Larger batches, or GroupNorm in place of G's BatchNorm."),
    source="Ioffe 2017 (arXiv 1702.03275), section 1",
)
def batchnorm_gap(record: Record) -> Seen:
    """G makes other images when it is sampled than it was trained with."""
    rows = record.images_with("batchnorm_gap")
    settled = column(rows, "step") >= GAP_UPDATES  # running statistics start anywhere
    gap = column(rows, "batchnorm_gap") > GAP
    return Seen(rows, last_spell(gap & settled, GAP_EXAMINATIONS))
