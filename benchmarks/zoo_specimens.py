"""The runs of the zoo, and what must be found in each. Part of zoo.py."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from zoo_breakages import (
    Breakage,
    D,
    G,
    batchnorm_momentum,
    few_different,
    few_latents,
    one_class_an_epoch,
    patched_latents,
    rates_change,
    shifted_biases,
    swapped_labels,
    truncated,
)

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
UNLIKE = "unlike-real-images"
AFTER_DEFEAT = (
    f"{COLLAPSE} {PARTIAL} no-progress saturated-outputs best-long-ago dead-units {UNLIKE}"
)
"""What becomes of a generator that has lost."""

healthy = of("healthy")
young = of("healthy", may=f"{PARTIAL} {UNLIKE}")
"""Healthy, and over before it shows: stage 3 makes one digit only in its first thousand updates,
and the paper's networks begin to move after as many. What is few or odd at the end is said."""
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
few_modes = of(
    "few images", PARTIAL, f"{OVERPOWERED} {UNLIKE} no-progress mode-hopping best-long-ago"
)
batchnorm = of("BatchNorm misused", "batchnorm-gap", f"{AFTER_DEFEAT} garbage-passes mode-hopping")
swapped = of("labels swapped", "garbage-passes", f"{AFTER_DEFEAT} labels-swapped")
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
    young("stage3-digits-s0", STAGE_3, DIGITS, "training.epochs=60"),
    young("stage3-digits-s1", STAGE_3, DIGITS, "training.epochs=60", seed=1),
    young("paper-digits-s0", PAPER, PAPER_DIGITS),
    young("paper-digits-s1", PAPER, PAPER_DIGITS, seed=1),
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
    young("test-stage3-digits", STAGE_3, DIGITS, "training.epochs=60", seed=10),
    young("test-stage3-trained-digits", STAGE_3, DIGITS, "training.epochs=60",
            "discriminator.train_shared_maxout=true", seed=10),
    young("test-paper-digits", PAPER, PAPER_DIGITS, seed=10),
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
