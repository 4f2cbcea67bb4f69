"""A run's vital signs: what its images and networks tell at an epoch's end, in a few numbers.

The log knows losses, D's answers and gradients. These are the rest: cheap numbers on small batches,
which `insight.detectors` turn into findings. `run.rows.VitalsRow` says what each of them means.
"""

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.insight.vitals.gauge import Gauge
from counterfeit.run import Run
from counterfeit.run.rows import VitalsRow

__all__ = ["Gauge", "examination_due", "take", "untrained", "vitals"]


EXAMINE_IMAGES = 40_000
"""Images trained on from one examination of the networks to the next, at least: on a processor
one costs as much as training on about 500."""

COPIES_EPOCHS = 10
"""Epochs from one search for copies to the next: its cost grows with the data."""


def vitals(run: Run) -> list[Row]:
    """The run's rows of vital signs: those kept, and those of other snapshots, taken now.

    Where an epoch's checkpoint is gone or damaged, its row lacks the networks' numbers.

    Raises:
        CounterfeitError: the data cannot be had, or another file is damaged.
    """
    rows = {row["epoch"]: row for row in run.vitals}
    missing = [epoch for epoch in run.snapshot_epochs if epoch not in rows]
    if missing:
        gauge = Gauge(run)
        steps = {row["epoch"]: row["step"] for row in run.log} | {0: 0}
        kept = set(run.checkpoint_steps)
        for epoch in missing:
            if epoch not in steps:
                continue
            step = steps[epoch]
            row = gauge.row(
                step,
                epoch,
                _snapshot(run, epoch),
                _snapshot_before(run, epoch),
                _players(run, step) if step in kept else None,
            )
            rows[epoch] = {**row}
    return [rows[epoch] for epoch in sorted(rows)]


def untrained(gauge: Gauge, run: Run) -> VitalsRow:
    """The vital signs before training, of the images alone."""
    return gauge.row(0, 0, _snapshot(run, 0))


def take(
    gauge: Gauge, run: Run, epoch: int, generator: nn.Module, *, full: bool = False
) -> VitalsRow:
    """The vital signs at the end of an epoch that has just been trained.

    Args:
        generator: as it is now; the discriminator is read from the newest checkpoint.
        full: examine the networks and look for copies, whether it is time to or not.
    """
    step = run.checkpoint_steps[-1]
    return gauge.row(
        step,
        epoch,
        _snapshot(run, epoch),
        _snapshot_before(run, epoch),
        (generator, run.discriminator(step))
        if full or examination_due(epoch, len(gauge.training))
        else None,
        copies=full or epoch % COPIES_EPOCHS == 0,
    )


def examination_due(epoch: int, images: int) -> bool:
    """Whether to examine the networks after an epoch of so many training images."""
    return epoch * images // EXAMINE_IMAGES > (epoch - 1) * images // EXAMINE_IMAGES


def _players(run: Run, step: int) -> tuple[nn.Module, nn.Module] | None:
    """The networks at that step; none where its checkpoint is gone, as in a run that goes on, or
    cannot be used."""
    try:
        state = run.checkpoint(step)
        return run.generator(state), run.discriminator(state)
    except CounterfeitError:
        return None


def _snapshot(run: Run, epoch: int) -> UInt8[Tensor, "N C H W"]:
    return torch.from_numpy(run.snapshot(epoch).copy())  # the archive's is read-only


def _snapshot_before(run: Run, epoch: int) -> UInt8[Tensor, "N C H W"] | None:
    try:
        return _snapshot(run, epoch - 1)
    except CounterfeitError:
        return None
