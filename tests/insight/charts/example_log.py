"""Rows and images to draw."""

import math

import numpy as np
from matplotlib.figure import Figure

from counterfeit.files import Row
from counterfeit.insight.charts import discriminator, losses

EVEN = losses.Equilibrium(math.log(2), math.log(2), output=0.5)


def loss_curves(rows: list[Row], findings=()) -> Figure:
    return losses.loss_curves(rows, EVEN, findings)


def output_bands(rows: list[Row], findings=()) -> Figure:
    return discriminator.output_bands(rows, EVEN, findings)


def score_bands(rows: list[Row], findings=()) -> Figure:
    return discriminator.score_bands(rows, losses.Equilibrium(d_loss=0), findings)


def log_row(step: int, epoch: float, **values: float) -> Row:
    row: Row = {"step": step, "epoch": epoch}
    for name in ("d_loss", "g_loss", "d_loss_last", "g_loss_last", "d_grad_norm", "g_grad_norm"):
        row[name] = 1.0
    for name in ("score_gap", "penalty_r1", "penalty_r2"):
        row[name] = 1.0
    for name in ("d_real", "d_fake", "score_real", "score_fake"):
        row |= {f"{name}_q{q}": 0.5 for q in ("05", "25", "50", "75", "95")}
    return row | values


def random_images(count: int, channels: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, channels, size, size), dtype=np.uint8)
