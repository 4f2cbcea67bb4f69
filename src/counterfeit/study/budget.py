"""What a run has cost so far, and where a budget ends it."""

import math

from counterfeit import data
from counterfeit.files import Row
from counterfeit.recipe import Recipe
from counterfeit.run import Run
from counterfeit.training.epochs import steps_per_epoch, training_images


def images_per_update(spec: Recipe) -> int:
    """Real images that D sees in one update."""
    return spec.training.discriminator_steps * spec.training.batch_size


def epochs_for(spec: Recipe, images: int, train_split: data.ImageData) -> int:
    """The fewest epochs in which D sees so many real images.

    Raises:
        UsageError: there are fewer training images than one update needs.
    """
    steps = steps_per_epoch(spec, len(training_images(spec, train_split)))
    return math.ceil(images / (steps * images_per_update(spec)))


def seconds_trained(spec: Recipe, log: list[Row]) -> float:
    """Seconds of training in a run's log, evaluations and other work at epochs' ends left out."""
    seconds, before = 0.0, 0
    for row in log:
        if rate := row.get("images_per_second"):
            seconds += (row["step"] - before) * images_per_update(spec) / rate
        before = row["step"]
    return seconds


class Spent(Exception):
    """A run has used up its seconds, all is saved."""


class Clock:
    """Ends a run with the epoch that uses up its seconds: hand it to `train` as `on_epoch`.

    Raises:
        Spent: it did.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, run: Run, epoch: int, generator: object) -> None:
        if seconds_trained(run.recipe, run.log) >= self.seconds:
            raise Spent
