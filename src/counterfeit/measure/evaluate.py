"""Measuring a run: its samples, beside real images, and the row that is kept."""

import logging
import os
from collections.abc import Callable

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor, nn

from counterfeit import arguments, data
from counterfeit.errors import CannotWrite, CounterfeitError, UsageError, command
from counterfeit.files import Row
from counterfeit.game.inputs import says
from counterfeit.language import english, tr
from counterfeit.measure.images import (
    Measured,
    measure_images,
    measure_real,
    missing,
    none_held_out,
)
from counterfeit.measure.measurement import LEAST_SAMPLES
from counterfeit.measure.memorisation import discriminator_accuracy
from counterfeit.measure.names import ACCURACIES, MetricName, images_of, left_out_line
from counterfeit.measure.reference import (
    Progress,
    Reference,
    classes_in,
    reference_for,
    require_measurable,
    some,
)
from counterfeit.measure.train_classifier import kept_classifier
from counterfeit.recipe import SIGNED
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.rows import LeftOut, MetricsRow
from counterfeit.run.stored import Samples

logger = logging.getLogger(__name__)

SAMPLES = 10_000

BRIEF_SAMPLES = 2_000
"""Of an evaluation in training: less than a tenth of an epoch of MNIST's (docs/metrics.md)."""

MOST_SAMPLES = 1_000_000

ASKED = 5_000
"""Images of each kind that D is asked about."""


class NotKept(CannotWrite):
    """A run was measured, and its row could not be written."""

    def __init__(self, measured: Measured, why: CannotWrite) -> None:
        super().__init__(f"what was measured could not be kept: {why}")
        self.measured = measured


def evaluate(
    run: Run,
    *,
    samples: int = SAMPLES,
    step: int | Checkpoint | Samples | None = None,
    reference: Reference | None = None,
    brief: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Measured:
    """Measure the run's newest checkpoint, or that of `step`; add a row to its metrics.jsonl.

    The samples are those of `run.sample(samples)`, or as many as a run keeps of a generator that is
    the user's code; else D is asked about them too, beside training images and held-out ones, if
    the loss gives its answers a sign (`recipe.SIGNED`). The checkpoint is read first and only once,
    as a run that goes on may remove it meanwhile.

    Args:
        step: of the checkpoint; or one, or samples, read before.
        reference: what to compare with; the test images by default.
        brief: see `measure_images`; D is not asked either.

    Raises:
        UsageError: too few samples, or too many.
        CounterfeitError: there is no checkpoint, or the data cannot be had.
        NotKept: the row cannot be written; the exception's `measured` has what it would hold.
    """
    require_samples(samples)
    state = (
        step
        if isinstance(step, Samples)
        else run.newest()
        if step is None
        else run.checkpoint(step)
    )
    loss = run.recipe.loss.name
    asked, discriminator, signed = None, None, loss in SIGNED
    if isinstance(state, Samples):
        images = state.images[:samples]
        asked = None if state.labels is None else state.labels[:samples]
    else:
        asked = run.labels(samples)
        images = run.sample(samples, labels=asked, step=state)
        if signed and not brief and run.can_build("discriminator"):
            discriminator = run.discriminator(state)
    reference = reference or reference_for(run)
    measured = measure_images(images, reference, asked=asked, brief=brief, progress=progress)
    if discriminator is not None:
        measured |= _ask_discriminator(
            discriminator, images, asked, reference, run.recipe.value_range
        )
    elif not (brief or signed or isinstance(state, Samples)):
        why = english("the {loss} loss gives the sign of D's answers no meaning", loss=loss)
        measured |= Measured({}, (LeftOut(ACCURACIES, why),))
    row: MetricsRow = {
        "step": state.step,
        "epoch": state.epoch,
        "metrics": measured.metrics,
        "left_out": measured.left_out,
    }
    try:
        run.append_metrics(row)
    except CannotWrite as error:
        raise NotKept(measured, error) from error
    return measured


def newest_is_measured(run: Run) -> bool:
    """Whether there is nothing newer to measure than what was measured."""
    steps = run.sampled_steps
    return not steps or any(row["step"] >= steps[-1] for row in run.metrics)


def measure_newest(
    run: Run, *, samples: int = SAMPLES, progress: Progress = lambda stage, done: None
) -> None:
    """Evaluate the newest checkpoint, if it was not, and real images beside it.

    Raises:
        CounterfeitError: it cannot be, or not in seconds: the data's classifier has to be trained.
    """
    if newest_is_measured(run):
        return
    if not os.access(run.path, os.W_OK):
        raise CannotWrite(f"{run.path} cannot be written.")
    everything = run.load_split("train")
    require_measurable(everything)
    folder = data.data_folder(run.data_dir) / "classifiers"
    if classes_in(everything) >= 2 and kept_classifier(everything, folder) is None:
        raise CounterfeitError(
            f"{everything.name} has no classifier yet;"
            f" {command('counterfeit', 'evaluate', run.path)} trains it once, in some minutes."
        )
    reference = reference_for(run)
    evaluate(run, samples=samples, reference=reference, progress=progress)
    if not any(MetricName.parse(name).split == reference.split for name in run.real_scores):
        run.add_real_scores(measure_real(reference, samples, progress=progress).metrics)


def require_samples(count: int) -> None:
    """Refuse a number of samples that cannot be measured.

    Raises:
        UsageError: it is not from 40 to 1,000,000.
    """
    count = arguments.whole_number("samples", count)
    if not LEAST_SAMPLES <= count <= MOST_SAMPLES:
        raise UsageError(
            f"{count:,} samples: must be from {LEAST_SAMPLES} to {MOST_SAMPLES:,}; the paper's"
            f" protocol takes {SAMPLES:,}."
        )


def _ask_discriminator(
    discriminator: nn.Module,
    samples: UInt8[Tensor, "N C H W"],
    asked: Int64[Tensor, " N"] | None,
    reference: Reference,
    value_range: tuple[float, float],
) -> Measured:
    """D's accuracy on as many images of each kind, up to 5,000; see `discriminator_accuracy`."""
    split = reference.split
    if reference.training is None:
        return Measured({}, (none_held_out(ACCURACIES, split),))
    kinds = (
        (reference.training, reference.training_classes),
        (reference.images, reference.image_classes),
        (samples, asked),
    )
    count = min(ASKED, *(len(images) for images, _ in kinds))
    if count < 2:
        return Measured({}, (missing(ACCURACIES, count, 2, images_of(split)),))
    with torch.inference_mode():
        logits = [says(discriminator, some(*images, count, value_range)).logits for images in kinds]
    accuracies = discriminator_accuracy(*logits)
    return Measured(
        {str(MetricName(name, None, split, count)): accuracies[name] for name in accuracies}, ()
    )


class Evaluator:
    """Evaluates a run in training after every so many epochs: hand it to `train` as `on_epoch`.

    It is brief, so that training is hardly slower: FID, precision to coverage and the classes of
    2,000 samples; `evaluate` measures all. It measures against the validation images, so that a
    checkpoint may be chosen by the result; and real images once. An epoch that it has measured
    already, before the run was resumed, it leaves alone. What cannot be measured it says once, and
    never ends a training for it.

    Args:
        on_stage: told what is being done, and the share of it that is done.
        on_metrics: handed each row of metrics when it is written.

    Raises:
        UsageError: `every` is below 1, or a number of samples that cannot be measured.
    """

    def __init__(
        self,
        every: int,
        *,
        samples: int = BRIEF_SAMPLES,
        on_stage: Progress = lambda stage, done: None,
        on_metrics: Callable[[Row], None] = lambda row: None,
    ) -> None:
        every = arguments.whole_number("every", every)
        if every < 1:
            raise UsageError(f"evaluate after every 1 epoch or more, not {every}.")
        require_samples(samples)
        self.every = every
        self.samples = samples
        self.on_stage = on_stage
        self.on_metrics = on_metrics
        self._reference: Reference | None = None
        self._compared = False
        self._unable = False
        self._said: set[LeftOut] = set()

    def __call__(self, run: Run, epoch: int, generator: nn.Module) -> None:
        if epoch % self.every or self._unable or _measured(run, epoch):
            return
        if self._reference is None:
            try:
                require_measurable(run.load_split("train"))
                self._reference = reference_for(run, "validation", progress=self.on_stage)
            except CounterfeitError as error:
                self._unable = True
                logger.warning(
                    tr("Training goes on without evaluations: {error}", error=str(error))
                )
                return
        measured = evaluate(
            run, samples=self.samples, reference=self._reference, brief=True, progress=self.on_stage
        )
        if not self._compared and not measured.metrics.keys() <= run.real_scores.keys():
            self.on_stage(english("real images"), 0.0)
            real = measure_real(self._reference, self.samples, brief=True)
            run.add_real_scores(real.metrics)
        self._compared = True
        self.on_metrics(run.metrics[-1])
        for each in measured.left_out:
            if each not in self._said:
                logger.warning(tr("Not measured: {what}.", what=left_out_line(each)))
                self._said.add(each)


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
