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
from counterfeit.training import epochs, loop

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


def patched_network(player: int, change: Callable[[nn.Module], None]) -> Breakage:
    """G, player 0, or D, player 1, changed when a training builds it."""
    build = networks.build_pair

    def broken(*given: Any, **options: Any) -> tuple[nn.Module, nn.Module]:
        pair = build(*given, **options)
        with torch.no_grad():
            change(pair[player])
        return pair

    return lambda spec: replaced(build, broken)


def batchnorm_momentum(value: float) -> Breakage:
    """How fast running statistics follow: with 0 they never leave their start."""

    def change(network: nn.Module) -> None:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = value

    return patched_network(G, change)


def shifted_biases(player: int, shift: float, share: float = 1.0) -> Breakage:
    """The first `share` of each hidden linear layer's biases moved by `shift`."""

    def change(network: nn.Module) -> None:
        assert isinstance(network.hidden, nn.Module)
        for module in network.hidden.modules():
            if isinstance(module, nn.Linear):
                module.bias[: round(share * len(module.bias))] += shift

    return patched_network(player, change)


@contextmanager
def swapped_labels(spec: recipe.Recipe) -> Iterator[None]:
    """D is taught that real images are fake and fakes are real."""
    loss, slopes = losses.discriminator_loss, losses.discriminator_slopes

    def swapped_loss(real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return loss(fake, real, labels)

    def swapped_slopes(real: Tensor, fake: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        of_fake, of_real = slopes(fake, real, labels)
        return of_real, of_fake

    with replaced(loss, swapped_loss), replaced(slopes, swapped_slopes):
        yield


def one_class_an_epoch(spec: recipe.Recipe) -> AbstractContextManager[None]:
    """Each epoch sees one class only, as from data sorted by label: G must run after it."""
    labels = epochs.training_images(spec, data.load(spec.data.name)).labels
    assert labels is not None

    def order(count: int, seed: int, epoch: int) -> Tensor:
        of_class = torch.nonzero(labels == epoch % 10).flatten()
        return of_class[
            torch.randperm(count, generator=stream(seed, "order", epoch)) % len(of_class)
        ]

    return replaced(epochs.shuffled, order)


def rates_change(epoch: int, factor: float) -> Breakage:
    """From that epoch on (counted from 0), both learning rates are `factor` times as high."""
    schedule = optimizers.schedule

    def broken(
        optimizer: torch.optim.Optimizer, spec: Any, update: int, now: int, share: float = 1.0
    ) -> None:
        schedule(optimizer, spec, update, now, share * (factor if now >= epoch else 1.0))

    return lambda spec: replaced(schedule, broken)


# The zoo


@dataclass(frozen=True)
class Specimen:
    name: str
    kind: str
    recipe: str
    overrides: Sequence[str] = ()
    breakage: Breakage = nullcontext
    must: frozenset[str] = frozenset()
    """Findings that must be made."""
    may: frozenset[str] = frozenset()
    """Findings that may be: true of the run, but not what was broken, or not for sure."""
    seed: int = 0
    broken_at: int | None = None
    """The epoch from which on it is broken, where it starts healthy."""


def of(kind: str, must: str = "", may: str = "") -> Callable[..., Specimen]:
    """A maker of specimens of one kind, with its findings' names separated by blanks."""

    def make(name: str, base: str, *overrides: Sequence[str] | str, **rest: Any) -> Specimen:
        flat = [o for given in overrides for o in ([given] if isinstance(given, str) else given)]
        extra_must, extra_may = rest.pop("must", ""), rest.pop("may", "")
        return Specimen(
            name, kind, base, flat,
            must=frozenset((must + " " + extra_must).split()),
            may=frozenset((may + " " + extra_may).split()),
            **rest,
        )  # fmt: skip

    return make


OVERPOWERED = "discriminator-overpowering"
COLLAPSE, PARTIAL = "mode-collapse", "partial-mode-collapse"
AFTER_DEFEAT = f"{COLLAPSE} {PARTIAL} no-progress saturated-outputs best-long-ago dead-units"
"""What becomes of a generator that has lost."""

healthy = of("healthy")
young = of("healthy", may=PARTIAL)  # stage 3 makes one digit only in its first thousand updates
d_too_fast = of("D too fast", OVERPOWERED, AFTER_DEFEAT)
minimax = of("minimax, strong D", OVERPOWERED, AFTER_DEFEAT)
d_too_slow = of(
    "D too slow",
    "garbage-passes",
    f"{COLLAPSE} {PARTIAL} no-progress saturated-outputs batchnorm-gap best-long-ago",
)
too_slow = of("G too slow", "no-progress", f"{AFTER_DEFEAT} {OVERPOWERED} garbage-passes")
hopping = of("a class an epoch", "mode-hopping", AFTER_DEFEAT)
collapsed = of(
    "one image", COLLAPSE, f"{OVERPOWERED} no-progress mode-hopping best-long-ago dead-units"
)
few_modes = of("few images", PARTIAL, f"{OVERPOWERED} no-progress mode-hopping best-long-ago")
batchnorm = of("BatchNorm misused", "batchnorm-gap", f"{AFTER_DEFEAT} garbage-passes mode-hopping")
swapped = of("labels swapped", "garbage-passes", AFTER_DEFEAT)
tiny_data = of(
    "tiny data", "discriminator-overfitting", f"memorisation {OVERPOWERED} {AFTER_DEFEAT}"
)
copied = of(
    "few images to copy", "memorisation broken-data", f"discriminator-overfitting {AFTER_DEFEAT}"
)
bad_data = of(
    "bad data",
    "broken-data",
    f"{OVERPOWERED} {AFTER_DEFEAT} memorisation discriminator-overfitting",
)
dead = of("dead units", "dead-units", f"{OVERPOWERED} {AFTER_DEFEAT} garbage-passes")
GRADIENT_LOST = "saturated-outputs/dead-units/gradient-explosion"
"""One of them must be found."""

high_rates = of(
    "learning rates too high",
    may=f"{OVERPOWERED} {AFTER_DEFEAT} gradient-explosion garbage-passes mode-hopping"
    " batchnorm-gap",
)
spoiled = of(
    "spoiled later",
    "best-long-ago",
    f"{OVERPOWERED} {AFTER_DEFEAT} mode-hopping garbage-passes gradient-explosion batchnorm-gap",
)

SPECIMENS: list[Specimen] = [
    healthy("leaky-mnist-s0", STAGE_3, MNIST, LEAKY),
    healthy("leaky-mnist-s1", STAGE_3, MNIST, LEAKY, seed=1),
    healthy("leaky-mnist-s2", STAGE_3, MNIST, LEAKY, seed=2),
    healthy("leaky-fashion-s0", STAGE_3, FASHION, LEAKY),
    healthy("leaky-fashion-s1", STAGE_3, FASHION, LEAKY, seed=1),
    healthy("tanh-mnist-s0", STAGE_3, MNIST, LEAKY, "generator.output=tanh"),
    healthy("leaky-digits-s0", STAGE_3, DIGITS, LEAKY),
    healthy("leaky-digits-s1", STAGE_3, DIGITS, LEAKY, seed=1),
    young("stage3-mnist-s0", STAGE_3, MNIST),
    young("stage3-mnist-s1", STAGE_3, MNIST, seed=1),
    healthy("stage3-digits-s0", STAGE_3, DIGITS, "training.epochs=60"),
    healthy("stage3-digits-s1", STAGE_3, DIGITS, "training.epochs=60", seed=1),
    healthy("paper-digits-s0", PAPER, PAPER_DIGITS),
    healthy("paper-digits-s1", PAPER, PAPER_DIGITS, seed=1),
    young("paper-mnist-s0", PAPER, PAPER_MNIST),
    # The discriminator wins.
    d_too_fast("stage1-mnist-s0", STAGE_1, MNIST, SHORT),
    d_too_fast("stage1-mnist-s1", STAGE_1, MNIST, SHORT, seed=1),
    d_too_fast("slow-g-mnist", STAGE_3, MNIST, SHORT, LEAKY, "generator.optimizer.lr=1e-5"),
    d_too_fast("stage1-trained-fashion", STAGE_1, FASHION, SHORT,
               "discriminator.train_shared_maxout=true"),
    d_too_fast("slow-g-digits", STAGE_3, DIGITS, LEAKY, "generator.optimizer.lr=1e-6",
               "discriminator.optimizer.lr=0.003", "loss.real_labels=[1.0, 1.0]"),
    d_too_fast("many-d-steps-mnist", STAGE_3, MNIST, LEAKY, "training.discriminator_steps=4",
               "generator.optimizer.lr=5e-5", "discriminator.dropout=0.0"),
    minimax("minimax-mnist", STAGE_1, MNIST, SHORT, "loss.name=minimax", LEAKY[0], ADAM_D),
    minimax("minimax-stage1-mnist", STAGE_1, MNIST, SHORT, "loss.name=minimax",
            "discriminator.train_shared_maxout=true"),
    minimax("minimax-digits", STAGE_1, DIGITS, "loss.name=minimax", LEAKY[0], ADAM_D),
    minimax("minimax-fashion", STAGE_1, FASHION, SHORT, "loss.name=minimax", LEAKY[0],
            ADAM_D, "generator.optimizer.lr=0.001"),
    # The discriminator learns nothing.
    d_too_slow("stage2-mnist-s0", STAGE_2, MNIST, SHORT),
    d_too_slow("stage2-mnist-s1", STAGE_2, MNIST, SHORT, seed=1),
    d_too_slow("slow-d-fashion", STAGE_3, FASHION, SHORT, LEAKY,
               "discriminator.optimizer.lr=1e-6"),
    d_too_slow("slow-d-digits", STAGE_3, DIGITS, LEAKY, "discriminator.optimizer.lr=1e-6"),
    swapped("swapped-mnist", STAGE_3, MNIST, SHORT, LEAKY, breakage=swapped_labels),
    swapped("swapped-digits", STAGE_3, DIGITS, LEAKY, breakage=swapped_labels),
    too_slow("still-g-digits", STAGE_3, DIGITS, LEAKY, "generator.optimizer.lr=1e-8",
             "discriminator.optimizer.lr=1e-5"),
    too_slow("still-sgd-g-digits", STAGE_1, DIGITS, LEAKY[0], "generator.optimizer.lr=1e-7",
             "discriminator.optimizer.lr=0.001"),
    hopping("a-class-an-epoch-mnist", STAGE_3, MNIST, SHORT, LEAKY,
            breakage=one_class_an_epoch),
    hopping("a-class-an-epoch-fashion", STAGE_3, FASHION, SHORT, LEAKY,
            breakage=one_class_an_epoch),
    hopping("a-class-an-epoch-mnist-s1", STAGE_3, MNIST, SHORT, LEAKY, seed=1,
            breakage=one_class_an_epoch),
    hopping("a-class-an-epoch-fashion-s1", STAGE_3, FASHION, SHORT, LEAKY, seed=1,
            breakage=one_class_an_epoch),
    # One image, or a few.
    collapsed("no-noise-mnist", STAGE_3, MNIST, SHORT, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false"),
    collapsed("one-latent-fashion", STAGE_3, FASHION, SHORT, LEAKY, "generator.batch_norm=false",
              breakage=patched_latents(torch.ones_like)),
    collapsed("one-latent-digits", STAGE_3, DIGITS, LEAKY, "generator.batch_norm=false",
              breakage=patched_latents(torch.ones_like)),
    collapsed("no-noise-digits", STAGE_3, DIGITS, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false"),
    few_modes("two-latents-mnist", STAGE_3, MNIST, SHORT, LEAKY, breakage=few_latents(1)),
    few_modes("four-latents-digits", STAGE_3, DIGITS, LEAKY, breakage=few_latents(2)),
    few_modes("eight-latents-digits", STAGE_3, DIGITS, LEAKY, breakage=few_latents(3)),
    few_modes("four-latents-fashion", STAGE_3, FASHION, SHORT, LEAKY, breakage=few_latents(2)),
    # BatchNorm's statistics.
    batchnorm("frozen-statistics-mnist", STAGE_3, MNIST, SHORT, LEAKY,
              breakage=batchnorm_momentum(0.0)),
    batchnorm("slow-statistics-digits", STAGE_3, DIGITS, LEAKY,
              breakage=batchnorm_momentum(1e-4)),
    batchnorm("batches-of-2-digits", STAGE_3, DIGITS, LEAKY, "training.batch_size=2",
              "training.epochs=8"),
    batchnorm("frozen-statistics-fashion", STAGE_3, FASHION, SHORT, LEAKY,
              breakage=batchnorm_momentum(0.0)),
    # Data.
    tiny_data("100-images-mnist", STAGE_3, MNIST, LEAKY, "data.train_images=100",
              "training.batch_size=20", "training.epochs=80", "discriminator.dropout=0.0"),
    tiny_data("50-images-digits", STAGE_3, DIGITS, LEAKY, "data.train_images=50",
              "training.batch_size=10", "training.epochs=100", "discriminator.dropout=0.0"),
    tiny_data("100-images-digits", STAGE_3, DIGITS, LEAKY, "data.train_images=100",
              "training.batch_size=20", "training.epochs=100", "discriminator.dropout=0.0"),
    tiny_data("60-images-fashion", STAGE_3, FASHION, LEAKY, "data.train_images=60",
              "training.batch_size=20", "training.epochs=80", "discriminator.dropout=0.0"),
    bad_data("truncated-mnist", STAGE_3, MNIST, SHORT, LEAKY, breakage=truncated(0.5)),
    bad_data("truncated-digits", STAGE_3, DIGITS, LEAKY, breakage=truncated(0.7)),
    bad_data("wrapped-digits", STAGE_3, DIGITS, LEAKY, breakage=few_different(200)),
    bad_data("one-image-fashion", STAGE_3, FASHION, SHORT, LEAKY, breakage=few_different(1)),
    copied("10-images-repeated-digits", STAGE_3, DIGITS, LEAKY, breakage=few_different(10)),
    copied("30-images-repeated-digits", STAGE_3, DIGITS, LEAKY, breakage=few_different(30)),
    # Networks.
    dead("dead-g-mnist", STAGE_2, MNIST, SHORT, LEAKY[0], SLOW_ADAM_D,
         breakage=shifted_biases(G, -3.0, 0.8)),
    dead("dead-g-digits", STAGE_2, DIGITS, LEAKY[0], SLOW_ADAM_D,
         breakage=shifted_biases(G, -3.0, 0.8)),
    dead("idle-pieces-digits", PAPER, PAPER_DIGITS, "training.epochs=30",
         breakage=shifted_biases(D, 1.0, 0.2)),
    dead("dead-d-mnist", STAGE_3, MNIST, SHORT, "discriminator.activation=relu",
         breakage=shifted_biases(D, -5.0, 0.8)),
    # Learning rates.
    high_rates("adam-0.1-mnist", STAGE_3, MNIST, SHORT, LEAKY, ADAM_G_HIGH, ADAM_D_HIGH,
               must=GRADIENT_LOST),
    high_rates("adam-0.1-digits", STAGE_3, DIGITS, LEAKY, ADAM_G_HIGH, ADAM_D_HIGH,
               must=GRADIENT_LOST),
    high_rates("sgd-3-mnist", STAGE_1, MNIST, SHORT, LEAKY[0], SGD_G_HIGH, SGD_D_HIGH,
               must=GRADIENT_LOST),
    high_rates("sgd-3-digits", STAGE_1, DIGITS, LEAKY[0], SGD_G_HIGH, SGD_D_HIGH,
               must=GRADIENT_LOST),
    spoiled("rates-jump-mnist", STAGE_3, MNIST, LEAKY, breakage=rates_change(8, 30), broken_at=9),
    spoiled("rates-jump-digits", STAGE_3, DIGITS, LEAKY, breakage=rates_change(25, 30),
            broken_at=26),
    spoiled("rates-jump-digits-s1", STAGE_3, DIGITS, LEAKY, breakage=rates_change(25, 100),
            broken_at=26, seed=1),
    spoiled("rates-jump-fashion", STAGE_3, FASHION, LEAKY, breakage=rates_change(8, 30),
            broken_at=9),
]  # fmt: skip


TEST_SPECIMENS: list[Specimen] = [
    healthy("test-leaky-mnist", STAGE_3, MNIST, LEAKY, seed=10),
    healthy("test-leaky-fashion", STAGE_3, FASHION, LEAKY, seed=10),
    healthy("test-leaky-digits", STAGE_3, DIGITS, LEAKY, seed=10),
    healthy("test-tanh-digits", STAGE_3, DIGITS, LEAKY, "generator.output=tanh", seed=10),
    young("test-stage3-mnist", STAGE_3, MNIST, seed=10),
    healthy("test-stage3-digits", STAGE_3, DIGITS, "training.epochs=60", seed=10),
    healthy("test-stage3-trained-digits", STAGE_3, DIGITS, "training.epochs=60",
            "discriminator.train_shared_maxout=true", seed=10),
    healthy("test-paper-digits", PAPER, PAPER_DIGITS, seed=10),
    d_too_fast("test-stage1-mnist", STAGE_1, MNIST, SHORT, seed=10),
    d_too_fast("test-slow-g-fashion", STAGE_3, FASHION, SHORT, LEAKY,
               "generator.optimizer.lr=1e-5", seed=10),
    d_too_fast("test-many-d-steps-digits", STAGE_3, DIGITS, LEAKY,
               "training.discriminator_steps=5", "generator.optimizer.lr=1e-5",
               "discriminator.dropout=0.0", "training.epochs=60", seed=10),
    minimax("test-minimax-mnist", STAGE_1, MNIST, SHORT, "loss.name=minimax", LEAKY[0],
            ADAM_D, seed=10),
    minimax("test-minimax-tanh-digits", STAGE_1, DIGITS, "loss.name=minimax", LEAKY[0],
            ADAM_D, "generator.output=tanh", seed=10),
    d_too_slow("test-stage2-fashion", STAGE_2, FASHION, SHORT, seed=10),
    d_too_slow("test-slow-d-mnist", STAGE_3, MNIST, SHORT, LEAKY,
               "discriminator.optimizer.lr=1e-6", seed=10),
    d_too_slow("test-sgd-d-digits", STAGE_3, DIGITS, LEAKY,
               'discriminator.optimizer={name="sgd", lr=1e-5}', seed=10),
    swapped("test-swapped-fashion", STAGE_3, FASHION, SHORT, LEAKY, breakage=swapped_labels,
            seed=10),
    swapped("test-swapped-stage1-mnist", STAGE_1, MNIST, SHORT, breakage=swapped_labels, seed=10),
    too_slow("test-still-g-digits", STAGE_3, DIGITS, LEAKY, "generator.optimizer.lr=1e-8",
             "discriminator.optimizer.lr=3e-5", seed=10),
    too_slow("test-still-g-mnist", STAGE_1, MNIST, SHORT, LEAKY[0],
             "generator.optimizer.lr=1e-7", "discriminator.optimizer.lr=0.0003", seed=10),
    hopping("test-a-class-an-epoch-mnist", STAGE_3, MNIST, SHORT, LEAKY, seed=10,
            breakage=one_class_an_epoch),
    hopping("test-a-class-an-epoch-fashion", STAGE_3, FASHION, SHORT, LEAKY, seed=10,
            breakage=one_class_an_epoch),
    collapsed("test-one-latent-mnist", STAGE_3, MNIST, SHORT, LEAKY, "generator.batch_norm=false",
              breakage=patched_latents(torch.ones_like), seed=10),
    collapsed("test-no-noise-fashion", STAGE_3, FASHION, SHORT, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false", seed=10),
    collapsed("test-one-latent-digits", STAGE_3, DIGITS, LEAKY, "generator.batch_norm=false",
              breakage=patched_latents(torch.zeros_like), seed=10),
    few_modes("test-four-latents-mnist", STAGE_3, MNIST, SHORT, LEAKY, breakage=few_latents(2),
              seed=10),
    few_modes("test-eight-latents-mnist", STAGE_3, MNIST, SHORT, LEAKY, breakage=few_latents(3),
              seed=10),
    few_modes("test-two-latents-digits", STAGE_3, DIGITS, LEAKY, breakage=few_latents(1),
              seed=10),
    batchnorm("test-slow-statistics-mnist", STAGE_3, MNIST, SHORT, LEAKY,
              breakage=batchnorm_momentum(1e-4), seed=10),
    batchnorm("test-frozen-statistics-digits", STAGE_3, DIGITS, LEAKY,
              breakage=batchnorm_momentum(0.0), seed=10),
    batchnorm("test-batches-of-3-digits", STAGE_3, DIGITS, LEAKY, "training.batch_size=3",
              "training.epochs=8", seed=10),
    tiny_data("test-100-images-mnist", STAGE_3, MNIST, LEAKY, "data.train_images=100",
              "training.batch_size=10", "training.epochs=60", "discriminator.dropout=0.0",
              seed=10),
    tiny_data("test-50-images-digits", STAGE_3, DIGITS, LEAKY, "data.train_images=50",
              "training.batch_size=10", "training.epochs=100", "discriminator.dropout=0.0",
              seed=10),
    tiny_data("test-80-images-digits", STAGE_3, DIGITS, LEAKY, "data.train_images=80",
              "training.batch_size=10", "training.epochs=80", "discriminator.dropout=0.0",
              seed=10),
    copied("test-10-images-repeated-digits", STAGE_3, DIGITS, LEAKY, breakage=few_different(10),
           seed=10),
    copied("test-6-images-repeated-digits", STAGE_3, DIGITS, LEAKY, breakage=few_different(6),
           seed=10),
    bad_data("test-truncated-fashion", STAGE_3, FASHION, SHORT, LEAKY, breakage=truncated(0.8),
             seed=10),
    bad_data("test-one-image-digits", STAGE_3, DIGITS, LEAKY, breakage=few_different(1), seed=10),
    bad_data("test-wrapped-mnist", STAGE_3, MNIST, SHORT, LEAKY, breakage=few_different(500),
             seed=10),
    dead("test-dead-g-fashion", STAGE_2, FASHION, SHORT, LEAKY[0], SLOW_ADAM_D,
         breakage=shifted_biases(G, -3.0, 0.8), seed=10),
    dead("test-dead-d-digits", STAGE_3, DIGITS, "discriminator.activation=relu",
         breakage=shifted_biases(D, -5.0, 0.8), seed=10),
    dead("test-idle-pieces-digits", PAPER, PAPER_DIGITS, "training.epochs=30",
         breakage=shifted_biases(D, 1.0, 0.2), seed=10),
    high_rates("test-adam-0.1-fashion", STAGE_3, FASHION, SHORT, LEAKY, ADAM_G_HIGH, ADAM_D_HIGH,
               must=GRADIENT_LOST, seed=10),
    high_rates("test-sgd-3-fashion", STAGE_1, FASHION, SHORT, LEAKY[0], SGD_G_HIGH, SGD_D_HIGH,
               must=GRADIENT_LOST, seed=10),
    high_rates("test-adam-0.2-digits", STAGE_3, DIGITS, LEAKY, "generator.optimizer.lr=0.2",
               "discriminator.optimizer.lr=0.2", must=GRADIENT_LOST, seed=10),
    spoiled("test-rates-jump-mnist", STAGE_3, MNIST, LEAKY, breakage=rates_change(8, 50),
            broken_at=9, seed=10),
    spoiled("test-rates-jump-digits", STAGE_3, DIGITS, LEAKY, breakage=rates_change(25, 50),
            broken_at=26, seed=10),
    spoiled("test-rates-jump-fashion", STAGE_3, FASHION, LEAKY, breakage=rates_change(8, 50),
            broken_at=9, seed=10),
]  # fmt: skip
"""Declared after the first two halves were measured, and looked at once, when all was fixed."""


def half(specimen: Specimen) -> str:
    """`test` runs are only measured. Of the others every second one of each kind was, at first;
    what it showed was then mended, and all of them are `calibration` now."""
    return "test" if specimen in TEST_SPECIMENS else "calibration"


QUICK_IMAGES = 320


def quickly(spec: recipe.Recipe) -> recipe.Recipe:
    """The same with a few digits, for two epochs."""
    few = min(spec.data.train_images or QUICK_IMAGES, QUICK_IMAGES)
    return spec.with_values({"data.name": "digits", "data.train_images": few, "training.epochs": 2})


def train(specimen: Specimen, out: Path, *, quick: bool) -> None:
    """Make the specimen's run in `out / name`, with its vital signs taken at every epoch."""
    place = out / specimen.name
    scratch = out / f".{specimen.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    spec = recipe.load(specimen.recipe).with_overrides(specimen.overrides)
    spec = quickly(spec) if quick else spec
    gauges: list[Gauge] = []

    def examine(run: Run, epoch: int, generator: nn.Module) -> None:
        if not gauges:
            gauges.append(Gauge(run))
            run.append_vitals(untrained(gauges[0], run))
        run.append_vitals(take(gauges[0], run, epoch, generator, full=True))

    with ExitStack() as stack:
        stack.enter_context(specimen.breakage(spec))
        try:
            loop.train(spec, seed=specimen.seed, device="cpu", out=scratch, on_epoch=[examine])
        except CounterfeitError as error:  # it diverged
            print(f"{specimen.name}: {error}")
    (made,) = scratch.iterdir()
    for step in Run.open(made).checkpoint_steps[:-1]:
        Run.open(made).remove_checkpoint(step)
    made.rename(place)
    scratch.rmdir()


# Measuring


@dataclass(frozen=True)
class Outcome:
    """What diagnosis said of a specimen, epoch by epoch, as if it were in training."""

    specimen: Specimen
    said: dict[str, float]
    """The epoch at which each finding was first said."""
    critical: frozenset[str]
    """Findings that were ever said to be critical."""
    overpowered_from: float | None
    collapsed_from: float | None

    @property
    def broken_from(self) -> int | None:
        return self.specimen.broken_at

    @property
    def owed(self) -> list[str]:
        """What must be found; not a failure that by its definition of onset did not happen."""
        happened = {
            OVERPOWERED: self.overpowered_from is not None,
            COLLAPSE: self.collapsed_from is not None,
        }
        return sorted(name for name in self.specimen.must if happened.get(name, True))

    @property
    def right(self) -> list[str]:
        return [name for name in self.owed if self.said.keys() & name.split("/")]

    @property
    def missed(self) -> list[str]:
        return [name for name in self.owed if not self.said.keys() & name.split("/")]

    @property
    def wrong(self) -> list[str]:
        fitting = {each for name in self.specimen.must for each in name.split("/")}
        return sorted(self.said.keys() - fitting - self.specimen.may)


def observe(specimen: Specimen, run: Run) -> Outcome:
    record = read(run)
    said: dict[str, float] = {}
    critical: set[str] = set()
    for row in record.epochs:
        for finding in examine(record.until(row["epoch"])):
            said.setdefault(finding.name, row["epoch"])
            if finding.severity == "critical":
                critical.add(finding.name)
    return Outcome(
        specimen, said, frozenset(critical), overpowered_from(record), collapsed_from(record)
    )


def overpowered_from(record: Record) -> float | None:
    """Onset, as docs/diagnosis.md defined it before anything was measured."""
    rows = record.epochs
    return _from(rows, [r["d_real_q05"] > 0.75 and r["d_fake_q95"] < 0.1 for r in rows])


def collapsed_from(record: Record) -> float | None:
    """Onset, as docs/diagnosis.md defined it before anything was measured."""
    return _from(record.images, [row["spread"] < 0.15 for row in record.images])


def _from(rows: Sequence[Row], holds: Sequence[bool]) -> float | None:
    for row, now, then in zip(rows, holds, holds[1:], strict=False):
        if now and then:
            return float(row["epoch"])
    return None


def tally(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """For each finding: how often it was rightly made, missed, and wrongly made."""
    table: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        for column in ("right", "missed", "wrong"):
            for name in getattr(outcome, column):
                table.setdefault(name, dict.fromkeys(("right", "missed", "wrong"), 0))[column] += 1
    total = {column: sum(row[column] for row in table.values())
             for column in ("right", "missed", "wrong")}  # fmt: skip
    return {name: table[name] for name in sorted(table)} | {"all": total}


def share(part: int, rest: int) -> str:
    return f"{part / (part + rest):.2f}" if part + rest else "–"


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The tables of docs/diagnosis.md."""
    lines: list[str] = []
    for title, runs in halves(outcomes).items():
        lines += [
            f"{title}: {len(runs)} runs", "",
            "| finding | rightly made | missed | wrongly made | recall | precision |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for name, row in tally(runs).items():
            right, missed, wrong = row["right"], row["missed"], row["wrong"]
            lines.append(
                f"| {name} | {right} | {missed} | {wrong} | {share(right, missed)}"
                f" | {share(right, wrong)} |"
            )
        healthy_runs = [o for o in runs if o.specimen.kind == "healthy"]
        alarmed = [o.specimen.name for o in healthy_runs if o.critical]
        allowed = sum(len(o.said.keys() & (o.specimen.may - o.specimen.must)) for o in runs)
        excused = [o.specimen.name for o in runs if len(o.owed) < len(o.specimen.must)]
        lines += [
            "",
            f"- Not counted: {allowed} findings that may be made; failures that did not happen by"
            f" their onset: {', '.join(excused) or 'none'}.",
            f"- Healthy runs called critical: {len(alarmed)} of {len(healthy_runs)}.",
        ]
        for name, onset in (
            (OVERPOWERED, "overpowered_from"),
            (COLLAPSE, "collapsed_from"),
            ("best-long-ago", "broken_from"),
        ):
            delays = [
                o.said[name] - getattr(o, onset)
                for o in runs
                if name in o.specimen.must and name in o.said and getattr(o, onset)
            ]
            lines.append(
                f"- Epochs from onset to `{name}`: median {median(delays or [nan]):.0f},"
                f" most {max(delays, default=nan):.0f} (n = {len(delays)})."
            )
        lines.append("")
    lines += [
        "| run | kind | half | said, at epoch | missed | wrong |",
        "|---|---|---|---|---|---|",
    ]
    for o in outcomes:
        said = ", ".join(f"{name} {epoch:.0f}" for name, epoch in o.said.items())
        lines.append(
            f"| {o.specimen.name} | {o.specimen.kind} | {half(o.specimen)} | {said}"
            f" | {', '.join(o.missed)} | {', '.join(o.wrong)} |"
        )
    return "\n".join(lines) + "\n"


def halves(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    return {
        name: [o for o in outcomes if half(o.specimen) == name] for name in ("calibration", "test")
    }


def as_json(outcomes: Sequence[Outcome]) -> str:
    report = {title: tally(runs) for title, runs in halves(outcomes).items()}
    rows = [
        {
            "name": o.specimen.name,
            "kind": o.specimen.kind,
            "half": half(o.specimen),
            "said": o.said,
            "critical": sorted(o.critical),
            "missed": o.missed,
            "wrong": o.wrong,
            "overpowered_from": o.overpowered_from,
            "collapsed_from": o.collapsed_from,
        }
        for o in outcomes
    ]
    return json.dumps({"findings": report, "runs": rows}, indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=["train", "measure"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--half", choices=["calibration", "test", "both"], default="both")
    parser.add_argument("--quick", action="store_true", help="two epochs on a few digits")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    everything = [*SPECIMENS, *TEST_SPECIMENS]
    chosen = [s for s in everything if not options.names or s.name in options.names]
    if options.task == "train":
        options.out.mkdir(parents=True, exist_ok=True)
        for specimen in chosen:
            if not (options.out / specimen.name).is_dir():
                print(specimen.name, flush=True)
                train(specimen, options.out, quick=options.quick)
        return
    if options.half != "both":
        chosen = [specimen for specimen in chosen if half(specimen) == options.half]
    there = [s for s in chosen if (options.out / s.name).is_dir()]
    outcomes = [observe(s, Run.open(options.out / s.name)) for s in there]
    print(markdown(outcomes))
    if options.markdown:
        options.markdown.write_text(markdown(outcomes))
    if options.json:
        options.json.write_text(as_json(outcomes))


if __name__ == "__main__":
    main()
