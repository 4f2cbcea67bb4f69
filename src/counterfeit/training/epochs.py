"""A run's epochs: how many, of which images in which order, and whose checkpoints stay."""

import math
from dataclasses import replace
from typing import SupportsIndex

import torch
from jaxtyping import Int64
from torch import Tensor

from counterfeit import arguments, data, recipe
from counterfeit.errors import UsageError
from counterfeit.run import Run
from counterfeit.seeds import stream

KEPT_CHECKPOINTS = 2
"""The newest checkpoints stay, and those of `is_milestone` epochs."""


def training_images(spec: recipe.Recipe, train_split: data.ImageData) -> data.ImageData:
    """The images that the recipe trains on, of those that it may train on.

    Their labels are the classes' numbers, from 0 (see `data.classes`).

    Raises:
        UsageError: there are fewer than it needs, or they have no classes that it needs.
    """
    if spec.condition is not None and train_split.labels is None:
        raise UsageError(
            f"{spec.data.name} has no labels, and the networks of {spec.name} are told each image's"
            " class; sort the images into a folder for each class, or train without [condition]."
        )
    wanted = spec.data.train_images
    if wanted is not None and wanted > len(train_split):
        raise UsageError(
            f"data.train_images is {wanted:,}, and {spec.data.name} has {len(train_split):,}."
        )
    numbers = data.class_numbers(train_split, train_split)
    images = replace(train_split, labels=numbers).first(wanted)
    steps_per_epoch(spec, len(images))
    return images


def steps_per_epoch(spec: recipe.Recipe, images: int) -> int:
    """Updates of G in one pass over the data; a last short batch is left out.

    Raises:
        UsageError: there are fewer images than one update needs.
    """
    needed = spec.training.batch_size * spec.training.discriminator_steps
    if images < needed:
        least = 2 * spec.training.discriminator_steps
        remedy = (
            "lower training.batch_size" if images >= least else f"add images: {least} are least"
        )
        raise UsageError(
            f"{spec.data.name} has {images} training images, and one update needs {needed};"
            f" {remedy}."
        )
    return images // needed


def shuffled(count: int, seed: int, epoch: int) -> Int64[Tensor, " count"]:
    """The order in which an epoch sees the images."""
    return torch.randperm(count, generator=stream(seed, "order", epoch))


def with_epochs(spec: recipe.Recipe, epochs: SupportsIndex | None) -> recipe.Recipe:
    """The recipe with another number of epochs, or its own.

    Raises:
        UsageError: an impossible number.
    """
    if epochs is None:
        return spec
    return spec.with_values({"training.epochs": arguments.whole_number("epochs", epochs)})


def require_epochs(run: Run, done: float, spec: recipe.Recipe) -> None:
    """Refuse to train a run to fewer epochs than the `done` ones.

    Raises:
        UsageError: `spec` has fewer.
    """
    if done > spec.training.epochs:
        raise UsageError(
            f"{run.path} has {done:.4g} epochs already, and {spec.training.epochs} are asked for;"
            f" ask for {math.ceil(done)} or more, or train another run."
        )


def rates_end_with_epochs(spec: recipe.Recipe) -> bool:
    """Whether a learning rate falls to 0 at the last epoch, so that their number changes it."""
    return any(
        player.trained_with.schedule != "constant"
        for player in (spec.generator, spec.discriminator)
    )


def drop_old_checkpoints(run: Run, per_epoch: int) -> None:
    """Remove all but the newest, and those of milestones."""
    for old in run.checkpoint_steps[:-KEPT_CHECKPOINTS]:
        if not is_milestone(old, per_epoch):
            run.remove_checkpoint(old)


def is_milestone(step: int, per_epoch: int) -> bool:
    """Whether a step ends epoch 1, 2, 5, 10, 20, 50, 100 and so on, whose checkpoints stay."""
    epoch, rest = divmod(step, per_epoch)
    return rest == 0 and str(epoch).rstrip("0") in ("1", "2", "5")
