"""A labelled zoo of runs, healthy ones and ones broken on purpose, to set and to test diagnosis.

    python benchmarks/zoo.py train --out ZOO [NAME ...] [--quick]    # about 10 minutes of one core
    python benchmarks/zoo.py measure --out ZOO [--json FILE] [--markdown FILE]

`train` makes the runs that ZOO lacks; `measure` needs no training. `SPECIMENS` declares what is
wrong with each run, which findings must be made, and which may be. Thresholds are set on its runs;
those of `TEST_SPECIMENS` are measured only. `--quick` trains two epochs on a few digits instead,
which shows that each can be made, and nothing else.

The networks and data sets are small, so that a run takes seconds: 6,000 images of MNIST or
Fashion-MNIST in batches of 64, or the 1,437 digits of scikit-learn.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from counterfeit import data, networks, recipe
from counterfeit.data import ImageData
from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.game import losses, optimizers
from counterfeit.game.inputs import draw_latents
from counterfeit.insight.detectors import Record, examine
from counterfeit.insight.diagnose import read
from counterfeit.insight.vitals import Gauge, take, untrained
from counterfeit.run import Run
from counterfeit.seeds import stream
from counterfeit.training import loop

Breakage = Callable[[recipe.Recipe], AbstractContextManager[Any]]
"""Breaks training while it is entered, as a function of what is trained."""

G, D = 0, 1
"""The players of a pair."""

MNIST = (
    "data.train_images=6000", "training.batch_size=64", "training.epochs=16",
    "generator.hidden=[128, 256]", "discriminator.hidden=[256, 128]",
)  # fmt: skip
SHORT = "training.epochs=10"
FASHION = (*MNIST, "data.name=fashion-mnist")
DIGITS = (
    "data.name=digits", "training.batch_size=64", "training.epochs=40",
    "generator.hidden=[64, 128]", "discriminator.hidden=[128, 64]",
)  # fmt: skip
PAPER_MNIST = (
    "data.train_images=6000", "training.epochs=16",
    "generator.hidden=[300, 300]", "discriminator.hidden=[120, 120]",
)  # fmt: skip
PAPER_DIGITS = (
    "data.name=digits", "data.train_images=1437", "training.epochs=60", "training.batch_size=50",
    "generator.hidden=[300, 300]", "discriminator.hidden=[120, 120]",
)  # fmt: skip
LEAKY = (
    "discriminator.activation=leaky-relu",
    "generator.optimizer.betas=[0.5, 0.999]", "discriminator.optimizer.betas=[0.5, 0.999]",
)  # fmt: skip
"""What most GANs have today."""

ADAM_D = 'discriminator.optimizer={name="adam", lr=0.001}'
ADAM_G_HIGH, ADAM_D_HIGH = "generator.optimizer.lr=0.1", "discriminator.optimizer.lr=0.1"
SGD_G_HIGH, SGD_D_HIGH = "generator.optimizer.lr=3.0", "discriminator.optimizer.lr=3.0"
SLOW_ADAM_D = 'discriminator.optimizer={name="adam", lr=0.0002}'

STAGE_1, STAGE_2, STAGE_3, PAPER = "sgd", "adam", "batchnorm-smoothing", "paper"


# Breakages: faults that no recipe can express


@contextmanager
def replaced(function: Callable[..., Any], by: Callable[..., Any]) -> Iterator[None]:
    """Another function in its place, wherever the package refers to it.

    Raises:
        RuntimeError: nobody called it, so that nothing was broken.
    """
    called = False

    def broken(*given: Any, **options: Any) -> Any:
        nonlocal called
        called = True
        return by(*given, **options)

    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] == "counterfeit":
                for key, value in list(vars(module).items()):
                    if value is function:
                        stack.enter_context(patch.object(module, key, broken))
        yield
    if not called:
        raise RuntimeError(f"{function.__name__} was not called: nothing was broken")


def _with_images(change: Callable[[Tensor], Tensor]) -> Breakage:
    load = data.load

    def broken(name: str, split: Any = "train", *rest: Any, **options: Any) -> ImageData:
        images = load(name, split, *rest, **options)
        return replace(images, images=change(images.images)) if split == "train" else images

    return lambda spec: replaced(load, broken)


def truncated(kept: float) -> Breakage:
    """A file cut short: the rest of the images are zeros. Every other image, say, for kept = 1/2,
    so that any first so many of them are hit."""

    def cut(images: Tensor) -> Tensor:
        lost = torch.rand(len(images), generator=torch.Generator().manual_seed(0)) >= kept
        return images.clone().masked_fill_(lost.view(-1, 1, 1, 1), 0)

    return _with_images(cut)


def few_different(count: int) -> Breakage:
    """The first `count` images over and over, as from a loader whose index wraps around."""
    return _with_images(lambda images: images[torch.arange(len(images)) % count])


def patched_latents(change: Callable[[Tensor], Tensor]) -> Breakage:
    return lambda spec: replaced(draw_latents, lambda *given: change(draw_latents(*given)))


def few_latents(bits: int) -> Breakage:
    """Only 2^bits different latents: the generator can make no more images than that."""

    def quantise(z: Tensor) -> Tensor:
        signs = z[:, :bits].sign() * z.std()
        return torch.cat([signs, torch.zeros_like(z[:, bits:])], 1)

    return patched_latents(quantise)


