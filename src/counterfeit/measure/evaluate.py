"""Measuring a run: its samples, beside real images, and the row that is kept."""

from contextlib import suppress

import torch
from jaxtyping import UInt8
from torch import Tensor

from counterfeit import data
from counterfeit.errors import UsageError
from counterfeit.files import Row
from counterfeit.measure.images import measure_images
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.memorisation import discriminator_accuracy
from counterfeit.measure.names import MetricName
from counterfeit.measure.reference import Progress, Reference, real_images, reference_for, subset
from counterfeit.run import Run

SAMPLES = 10_000

ASKED = 5_000
"""Images of each kind that D is asked about."""


def evaluate(
    run: Run,
    *,
    samples: int = SAMPLES,
    step: int | None = None,
    reference: Reference | None = None,
    progress: Progress = lambda stage, done: None,
) -> dict[str, Measurement]:
    """Measure the run's newest checkpoint, or that of `step`; add a row to its metrics.jsonl.

    The samples are those of `run.sample(samples)`. Where images are held out, D is asked about
    them too, beside training images and samples.

    Raises:
        UsageError: too few samples.
        CounterfeitError: there is no checkpoint, or the data cannot be had.
    """
    state = run.checkpoint(step)
    reference = reference or reference_for(run)
    images = run.sample(samples, step=state.step)
    measured = measure_images(images, reference, progress=progress)
    if reference.training is not None:
        measured |= _ask_discriminator(run, state.step, images, reference)
    run.append_metrics(as_row(state.step, state.epoch, measured))
    return measured


def _ask_discriminator(
    run: Run, step: int, samples: UInt8[Tensor, "N C H W"], reference: Reference
) -> dict[str, Measurement]:
    """D's accuracy on as many images of each kind, up to 5,000; see `discriminator_accuracy`."""
    assert reference.training is not None
    kinds = (reference.training, reference.images, samples)
    count = min(ASKED, *map(len, kinds))
    discriminator = run.discriminator(step)
    with torch.inference_mode():
        logits = [
            discriminator(data.as_float(subset(images, count), *run.recipe.value_range))
            for images in kinds
        ]
    return {
        str(MetricName(name, None, reference.split, count)): accuracy
        for name, accuracy in discriminator_accuracy(*logits).items()
    }


def measure_real(
    run: Run,
    reference: Reference,
    *,
    samples: int = SAMPLES,
    progress: Progress = lambda stage, done: None,
) -> dict[str, Measurement]:
    """Measure real training images as if they were samples: the ceiling. The run keeps it.

    Raises:
        UsageError: there are not so many.
    """
    measured = measure_images(real_images(run, samples), reference, progress=progress)
    run.add_real_scores(measured)
    return measured


class Evaluator:
    """Evaluates a run in training after every so many epochs: hand it to `train` as `on_epoch`.

    It measures against the validation images, so that a checkpoint may be chosen by the result;
    and real images once, where there are as many as samples. An epoch that it has measured already,
    before the run was resumed, it leaves alone.

    Raises:
        UsageError: `every` is below 1.
    """

    def __init__(self, every: int, *, samples: int = SAMPLES) -> None:
        if every < 1:
            raise UsageError(f"evaluate after every 1 epoch or more, not {every}.")
        self.every = every
        self.samples = samples
        self._reference: Reference | None = None

    def __call__(self, run: Run, epoch: int, generator: torch.nn.Module) -> None:
        if epoch % self.every == 0 and not _measured(run, epoch):
            if self._reference is None:
                self._reference = reference_for(run, "validation")
                if not any(map(_on_validation, run.real_scores)):
                    with suppress(UsageError):  # too few real images: there is no ceiling to show
                        measure_real(run, self._reference, samples=self.samples)
            evaluate(run, samples=self.samples, reference=self._reference)


def _measured(run: Run, epoch: int) -> bool:
    """Whether there is a row of that epoch, measured against validation images."""
    return any(
        _on_validation(name)
        for row in run.metrics
        if row["epoch"] == epoch
        for name in row["metrics"]
    )


def _on_validation(name: str) -> bool:
    return MetricName.parse(name).split == "validation"


def as_row(step: int, epoch: float, measured: dict[str, Measurement]) -> Row:
    """A row of metrics.jsonl."""
    return {"step": step, "epoch": epoch, "metrics": measured}
