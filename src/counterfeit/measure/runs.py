"""Measuring a run: which images its samples are compared with, and the row that is kept."""

from contextlib import suppress
from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor

from counterfeit import data
from counterfeit.errors import UsageError
from counterfeit.files import Row
from counterfeit.measure.evaluate import Progress, Reference, full_name, measure_images, subset
from counterfeit.measure.inception import Inception
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.memorisation import discriminator_accuracy
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run

VALIDATION_SHARE = 6
"""The last sixth of the training images is the validation split: 10,000 of MNIST's 60,000."""

SAMPLES = 10_000

ASKED = 5_000
"""Images of each kind that D is asked about."""


def reference_for(
    run: Run,
    split: Literal["test", "validation"] = "test",
    *,
    inception: Inception | None = None,
    progress: Progress = lambda stage, done: None,
) -> Reference:
    """What the run's samples are measured against.

    Labelled data other than MNIST get a classifier of their own, trained on first use and kept
    beside the data sets.

    The validation images are the last sixth of the data's training split. A run that trains on
    them can still choose Parzen's bandwidth by them, but where they are what is measured against,
    nothing is held out, and the memorisation metrics are left out.

    Args:
        run: its recipe names the data.
        split: the images to measure against.
        inception: for data without labels, or beside their classifier.

    Raises:
        CounterfeitError: the data cannot be had.
    """
    folder = run.data_dir
    everything = data.load(run.recipe.data.name, "train", data_dir=folder)
    trained_on = everything.first(run.recipe.data.train_images)
    held_out = len(everything) // VALIDATION_SHARE
    validation = everything.images[-held_out:]
    overlap = len(trained_on) > len(everything) - held_out
    if split == "validation":
        images = validation
        training = None if overlap else trained_on.images
    else:
        images = data.load(run.recipe.data.name, "test", data_dir=folder).images
        training = trained_on.images
    network = None
    if everything.labels is not None:
        network = classifier_for(
            everything,
            data.data_folder(folder) / "classifiers",
            progress=lambda done: progress("training a classifier, once", done),
        )
    return Reference(
        split=split,
        images=images,
        validation=validation,
        training=training,
        labels=everything.labels,
        classifier=network,
        inception=inception,
    )


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
        full_name(name, None, reference.split, count): accuracy
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
    run.add_real_scores({name: (m.value, m.spread) for name, m in measured.items()})
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
                if not any("validation" in name.split("_") for name in run.real_scores):
                    with suppress(UsageError):  # too few real images: there is no ceiling to show
                        measure_real(run, self._reference, samples=self.samples)
            evaluate(run, samples=self.samples, reference=self._reference)


def _measured(run: Run, epoch: int) -> bool:
    """Whether there is a row of that epoch, measured against validation images."""
    return any(
        "validation" in name.split("_")
        for row in run.metrics
        if row["epoch"] == epoch
        for name in row.get("metrics", {})
    )


def as_row(step: int, epoch: float, measured: dict[str, Measurement]) -> Row:
    """A row of metrics.jsonl: `step`, `epoch`, and `[value, spread]` under each metric's name."""
    values = {name: [m.value, m.spread] for name, m in measured.items()}
    return {"step": step, "epoch": epoch, "metrics": values}


def real_images(run: Run, count: int) -> UInt8[Tensor, "count C H W"]:
    """Training images, always the same random ones, to be measured as if they were samples.

    None of them is a validation image: Parzen's bandwidth would shrink to fit its own copies.

    Raises:
        UsageError: there are not so many.
    """
    images = data.load(run.recipe.data.name, "train", data_dir=run.data_dir).images
    images = images[: -(len(images) // VALIDATION_SHARE)]
    if count > len(images):
        raise UsageError(f"there are only {len(images):,} training images; give --samples below.")
    return subset(images, count)
