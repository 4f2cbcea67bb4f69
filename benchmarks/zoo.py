"""A labelled zoo of runs, healthy ones and ones broken on purpose, to set and to test diagnosis.

    python benchmarks/zoo.py train --out ZOO [NAME ...]     # about 10 minutes of one core
    python benchmarks/zoo.py measure --out ZOO [--json FILE] [--markdown FILE]

`train` makes the runs that ZOO lacks; `measure` needs no training. `SPECIMENS` declares what is
wrong with each run, which findings must be made, and which may be. Of each kind, every second run
is held out: thresholds are set on the others alone.

The networks and data sets are small, so that a run takes seconds: 6,000 images of MNIST or
Fashion-MNIST in batches of 64, or the 1,437 digits of scikit-learn.
"""

import argparse
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from counterfeit import data, latents, losses, model, recipe
from counterfeit.data import ImageData
from counterfeit.errors import CounterfeitError
from counterfeit.insight.vitals import Gauge, take
from counterfeit.run import Run
from counterfeit.training import loop, optimizers

Breakage = Callable[[], AbstractContextManager[Any]]

MNIST = (
    "data.train_images=6000", "training.batch_size=64", "training.epochs=16",
    "generator.hidden=[128, 256]", "discriminator.hidden=[256, 128]",
)  # fmt: skip
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
SLOW_ADAM_D = 'discriminator.optimizer={name="adam", lr=0.0002}'

STAGE_1, STAGE_2, STAGE_3, PAPER = "sgd", "adam", "batchnorm-smoothing", "paper"


# Breakages: faults that no recipe can express


@contextmanager
def _patched_data(change: Callable[[ImageData], ImageData]) -> Iterator[None]:
    load = data.load

    def broken(name: str, split: Any = "train", *rest: Any, **options: Any) -> ImageData:
        images = load(name, split, *rest, **options)
        return change(images) if split == "train" else images

    with patch.object(data, "load", broken):
        yield


def _with_images(change: Callable[[Tensor], Tensor]) -> Breakage:
    return lambda: _patched_data(lambda split: replace(split, images=change(split.images)))


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
    draw = latents.draw
    return lambda: patch.object(latents, "draw", lambda *given: change(draw(*given)))


def few_latents(bits: int) -> Breakage:
    """Only 2^bits different latents: the generator can make no more images than that."""

    def quantise(z: Tensor) -> Tensor:
        signs = z[:, :bits].sign() * z.std()
        return torch.cat([signs, torch.zeros_like(z[:, bits:])], 1)

    return patched_latents(quantise)


def patched_networks(which: str, change: Callable[[nn.Module], None]) -> Breakage:
    build = getattr(model, which)

    def broken(*given: Any, **options: Any) -> nn.Module:
        network: nn.Module = build(*given, **options)
        with torch.no_grad():
            change(network)
        return network

    return lambda: patch.object(model, which, broken)


def batchnorm_momentum(value: float) -> Breakage:
    """How fast running statistics follow: with 0 they never leave their start."""

    def change(network: nn.Module) -> None:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = value

    return patched_networks("build_generator", change)


def shifted_biases(which: str, shift: float, share: float = 1.0) -> Breakage:
    """The first `share` of each hidden linear layer's biases moved by `shift`."""

    def change(network: nn.Module) -> None:
        assert isinstance(network.hidden, nn.Module)
        for module in network.hidden.modules():
            if isinstance(module, nn.Linear):
                module.bias[: round(share * len(module.bias))] += shift

    return patched_networks(which, change)


@contextmanager
def swapped_labels() -> Iterator[None]:
    """D is taught that real images are fake and fakes are real."""
    loss, slopes = losses.discriminator_loss, losses.discriminator_slopes

    def swapped_loss(real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return loss(fake, real, labels)

    def swapped_slopes(real: Tensor, fake: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        of_fake, of_real = slopes(fake, real, labels)
        return of_real, of_fake

    with (
        patch("counterfeit.training.fast.discriminator_loss", swapped_loss),
        patch("counterfeit.training.fast.discriminator_slopes", swapped_slopes),
    ):
        yield


def rates_change(epoch: int, factor: float) -> Breakage:
    """From that epoch on (counted from 0), both learning rates are `factor` times as high."""
    schedule = optimizers.schedule

    def broken(optimizer: torch.optim.Optimizer, spec: Any, update: int, now: int) -> None:
        schedule(optimizer, spec, update, now)
        optimizer.param_groups[0]["lr"] = spec.lr * (factor if now >= epoch else 1.0)

    return lambda: patch.object(optimizers, "schedule", broken)


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
    "D too slow", "garbage-passes", f"{COLLAPSE} {PARTIAL} no-progress batchnorm-gap best-long-ago"
)
collapsed = of(
    "one image", COLLAPSE, f"{OVERPOWERED} no-progress mode-hopping best-long-ago dead-units"
)
few_modes = of("few images", PARTIAL, f"{OVERPOWERED} no-progress mode-hopping best-long-ago")
batchnorm = of("BatchNorm misused", "batchnorm-gap", f"{AFTER_DEFEAT} garbage-passes mode-hopping")
swapped = of("labels swapped", "garbage-passes", AFTER_DEFEAT)
tiny_data = of("tiny data", "discriminator-overfitting", f"memorisation {OVERPOWERED}")
bad_data = of("bad data", "broken-data", f"{OVERPOWERED} {AFTER_DEFEAT} memorisation")
dead = of("dead units", "dead-units", f"{OVERPOWERED} {AFTER_DEFEAT} garbage-passes")
high_rates = of("learning rates too high", "unstable", f"{OVERPOWERED} {AFTER_DEFEAT} unstable")
spoiled = of(
    "spoiled later", "best-long-ago", f"{OVERPOWERED} {AFTER_DEFEAT} mode-hopping garbage-passes"
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
    young("stage3-trained-mnist-s0", STAGE_3, MNIST, "discriminator.train_shared_maxout=true"),
    young("stage3-fashion-s0", STAGE_3, FASHION),
    healthy("stage3-digits-s0", STAGE_3, DIGITS, "training.epochs=60"),
    healthy("stage3-digits-s1", STAGE_3, DIGITS, "training.epochs=60", seed=1),
    young("paper-mnist-s0", PAPER, PAPER_MNIST),
    young("paper-mnist-s1", PAPER, PAPER_MNIST, seed=1),
    healthy("paper-digits-s0", PAPER, PAPER_DIGITS),
    healthy("paper-digits-s1", PAPER, PAPER_DIGITS, seed=1),
    # The discriminator wins.
    d_too_fast("stage1-mnist-s0", STAGE_1, MNIST),
    d_too_fast("stage1-mnist-s1", STAGE_1, MNIST, seed=1),
    d_too_fast("stage1-trained-mnist-s0", STAGE_1, MNIST,
               "discriminator.train_shared_maxout=true"),
    d_too_fast("stage1-trained-fashion-s0", STAGE_1, FASHION,
               "discriminator.train_shared_maxout=true"),
    d_too_fast("slow-g-mnist", STAGE_3, MNIST, LEAKY, "generator.optimizer.lr=1e-5"),
    d_too_fast("slow-g-digits", STAGE_3, DIGITS, LEAKY, "generator.optimizer.lr=1e-6",
               "discriminator.optimizer.lr=0.003", "loss.real_labels=[1.0, 1.0]"),
    d_too_fast("many-d-steps-mnist", STAGE_3, MNIST, LEAKY, "training.discriminator_steps=4",
               "generator.optimizer.lr=5e-5", "discriminator.dropout=0.0"),
    d_too_fast("sgd-g-fashion", STAGE_3, FASHION, LEAKY,
               'generator.optimizer={name="sgd", lr=0.0001}'),
    minimax("minimax-stage1-mnist", STAGE_1, MNIST, "loss.generator=minimax",
            "discriminator.train_shared_maxout=true"),
    minimax("minimax-leaky-mnist", STAGE_1, MNIST, "loss.generator=minimax",
            LEAKY[0], ADAM_D),
    minimax("minimax-many-steps-mnist", STAGE_1, MNIST, "loss.generator=minimax",
            "discriminator.activation=leaky-relu", "training.discriminator_steps=4"),
    minimax("minimax-fashion", STAGE_1, FASHION, "loss.generator=minimax",
            LEAKY[0], ADAM_D,
            "generator.optimizer.lr=0.001"),
    # The discriminator learns nothing.
    d_too_slow("stage2-mnist-s0", STAGE_2, MNIST),
    d_too_slow("stage2-mnist-s1", STAGE_2, MNIST, seed=1),
    d_too_slow("slow-d-mnist", STAGE_3, MNIST, LEAKY, "discriminator.optimizer.lr=1e-6"),
    d_too_slow("slow-d-fashion", STAGE_3, FASHION, LEAKY, "discriminator.optimizer.lr=1e-6"),
    d_too_slow("slow-d-digits", STAGE_3, DIGITS, LEAKY, "discriminator.optimizer.lr=1e-6"),
    d_too_slow("sgd-d-mnist", STAGE_3, MNIST, LEAKY,
               'discriminator.optimizer={name="sgd", lr=1e-5}'),
    swapped("swapped-mnist", STAGE_3, MNIST, LEAKY, breakage=swapped_labels),
    swapped("swapped-fashion", STAGE_3, FASHION, LEAKY, breakage=swapped_labels),
    swapped("swapped-digits", STAGE_3, DIGITS, LEAKY, breakage=swapped_labels),
    swapped("swapped-stage1-mnist", STAGE_1, MNIST, breakage=swapped_labels),
    # One image, or a few.
    collapsed("no-noise-mnist", STAGE_3, MNIST, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false"),
    collapsed("one-latent-mnist", STAGE_3, MNIST, LEAKY, "generator.batch_norm=false",
              breakage=patched_latents(torch.ones_like)),
    collapsed("one-latent-fashion", STAGE_3, FASHION, LEAKY, "generator.batch_norm=false",
              breakage=patched_latents(torch.ones_like)),
    collapsed("no-noise-digits", STAGE_3, DIGITS, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false"),
    few_modes("two-latents-mnist", STAGE_3, MNIST, LEAKY, breakage=few_latents(1)),
    few_modes("four-latents-mnist", STAGE_3, MNIST, LEAKY, breakage=few_latents(2)),
    few_modes("eight-latents-fashion", STAGE_3, FASHION, LEAKY, breakage=few_latents(3)),
    few_modes("four-latents-digits", STAGE_3, DIGITS, LEAKY, breakage=few_latents(2)),
    # BatchNorm's statistics.
    batchnorm("frozen-statistics-mnist", STAGE_3, MNIST, LEAKY,
              breakage=batchnorm_momentum(0.0)),
    batchnorm("slow-statistics-mnist", STAGE_3, MNIST, LEAKY, breakage=batchnorm_momentum(1e-4)),
    batchnorm("slow-statistics-digits", STAGE_3, DIGITS, LEAKY,
              breakage=batchnorm_momentum(1e-4)),
    batchnorm("batches-of-2-digits", STAGE_3, DIGITS, LEAKY, "training.batch_size=2",
              "training.epochs=10"),
    batchnorm("batches-of-3-mnist", STAGE_3, MNIST, LEAKY, "training.batch_size=3",
              "data.train_images=2000", "training.epochs=8"),
    batchnorm("frozen-statistics-fashion", STAGE_3, FASHION, LEAKY,
              breakage=batchnorm_momentum(0.0)),
    # Data.
    tiny_data("100-images-mnist", STAGE_3, MNIST, LEAKY, "data.train_images=100",
              "training.batch_size=20", "training.epochs=100", "discriminator.dropout=0.0"),
    tiny_data("60-images-fashion", STAGE_3, FASHION, LEAKY, "data.train_images=60",
              "training.batch_size=20", "training.epochs=120", "discriminator.dropout=0.0"),
    tiny_data("50-images-digits", STAGE_3, DIGITS, LEAKY, "data.train_images=50",
              "training.batch_size=10", "training.epochs=150", "discriminator.dropout=0.0"),
    tiny_data("300-images-mnist", STAGE_3, MNIST, LEAKY, "data.train_images=300",
              "training.batch_size=20", "training.epochs=60", "discriminator.dropout=0.0"),
    bad_data("truncated-mnist", STAGE_3, MNIST, LEAKY, breakage=truncated(0.5)),
    bad_data("truncated-digits", STAGE_3, DIGITS, LEAKY, breakage=truncated(0.7)),
    bad_data("one-image-fashion", STAGE_3, FASHION, LEAKY, breakage=few_different(1)),
    bad_data("wrapped-mnist", STAGE_3, MNIST, LEAKY, breakage=few_different(500)),
    # Networks.
    dead("dead-g-mnist", STAGE_2, MNIST, LEAKY[0], SLOW_ADAM_D,
         breakage=shifted_biases("build_generator", -3.0, 0.8)),
    dead("dead-d-mnist", STAGE_3, MNIST, "discriminator.activation=relu",
         breakage=shifted_biases("build_discriminator", -5.0, 0.8)),
    dead("dead-g-digits", STAGE_2, DIGITS, LEAKY[0], SLOW_ADAM_D,
         breakage=shifted_biases("build_generator", -3.0, 0.8)),
    dead("idle-pieces-digits", PAPER, PAPER_DIGITS,
         breakage=shifted_biases("build_discriminator", 1.0, 0.2)),
    # Learning rates.
    high_rates("adam-0.1-mnist", STAGE_3, MNIST, LEAKY, "generator.optimizer.lr=0.1",
               "discriminator.optimizer.lr=0.1"),
    high_rates("adam-0.1-digits", STAGE_3, DIGITS, LEAKY, "generator.optimizer.lr=0.1",
               "discriminator.optimizer.lr=0.1"),
    high_rates("sgd-3-mnist", STAGE_1, MNIST, "generator.optimizer.lr=3.0",
               "discriminator.optimizer.lr=3.0", "discriminator.activation=leaky-relu"),
    high_rates("sgd-3-fashion", STAGE_1, FASHION, "generator.optimizer.lr=3.0",
               "discriminator.optimizer.lr=3.0", "discriminator.activation=leaky-relu"),
    spoiled("rates-jump-mnist", STAGE_3, MNIST, LEAKY, breakage=rates_change(8, 30), broken_at=9),
    spoiled("rates-jump-digits", STAGE_3, DIGITS, LEAKY, breakage=rates_change(25, 30),
            broken_at=26),
    spoiled("rates-jump-fashion", STAGE_3, FASHION, LEAKY, breakage=rates_change(8, 30),
            broken_at=9),
    spoiled("rates-jump-mnist-s1", STAGE_3, MNIST, LEAKY, breakage=rates_change(8, 100),
            broken_at=9, seed=1),
]  # fmt: skip


def held_out(specimen: Specimen) -> bool:
    """Whether it is measured only: every second one of its kind."""
    same = [each.name for each in SPECIMENS if each.kind == specimen.kind]
    return same.index(specimen.name) % 2 == 1


def train(specimen: Specimen, out: Path) -> None:
    """Make the specimen's run in `out / name`, with its vital signs taken at every epoch."""
    place = out / specimen.name
    scratch = out / f".{specimen.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    spec = recipe.load(specimen.recipe).with_overrides(specimen.overrides)
    gauges: list[Gauge] = []

    def examine(run: Run, epoch: int, generator: nn.Module) -> None:
        gauges.extend([] if gauges else [Gauge(run)])
        run.append_vitals(take(gauges[0], run, epoch, generator, full=True))

    with ExitStack() as stack:
        stack.enter_context(specimen.breakage())
        try:
            loop.train(spec, seed=specimen.seed, device="cpu", out=scratch, on_epoch=[examine])
        except CounterfeitError as error:  # it diverged
            print(f"{specimen.name}: {error}")
    (made,) = scratch.iterdir()
    for step in Run.open(made).checkpoint_steps[:-1]:
        Run.open(made).remove_checkpoint(step)
    made.rename(place)
    scratch.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=["train", "measure"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    chosen = [s for s in SPECIMENS if not options.names or s.name in options.names]
    if options.task == "train":
        options.out.mkdir(parents=True, exist_ok=True)
        for specimen in chosen:
            if not (options.out / specimen.name).is_dir():
                print(specimen.name, flush=True)
                train(specimen, options.out)


if __name__ == "__main__":
    main()
