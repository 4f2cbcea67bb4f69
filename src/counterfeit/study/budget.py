"""Where a budget in images, seconds or epochs ends a run."""

import math

from counterfeit import data
from counterfeit.insight.columns import spent
from counterfeit.recipe import Recipe
from counterfeit.run import Run
from counterfeit.training.epochs import steps_per_epoch, training_images


def epochs_for(spec: Recipe, images: int, train_split: data.ImageData) -> int:
    """The fewest epochs in which D sees so many real images.

    Raises:
        UsageError: there are fewer training images than one update needs.
    """
    steps = steps_per_epoch(spec, len(training_images(spec, train_split)))
    return math.ceil(
        images / (steps * spec.training.discriminator_steps * spec.training.batch_size)
    )


class Spent(Exception):
    """A run has used up what it was given, all is saved."""


class Clock:
    """Ends a run with the epoch that uses up its seconds: hand it to `train` as `on_epoch`.

    Raises:
        Spent: it did.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, run: Run, epoch: int, generator: object) -> None:
        _, _, seconds = spent(run)
        if len(seconds) and seconds[-1] >= self.seconds:
            raise Spent


class Rung:
    """Ends a run at an epoch from which it may go on later: hand it to `train` as `on_epoch`.

    Raises:
        Spent: that epoch has ended.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def __call__(self, run: Run, epoch: int, generator: object) -> None:
        if epoch >= self.epochs:
            raise Spent
