"""The zoo's runs of the convolutional families and of losses that make D a critic. Part of zoo.py.

Each part below holds every kind of run once, on data and with a strength that change from part to
part. The first set the thresholds; each of the others was held out, and mended by once it was seen.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from counterfeit.game import views
from counterfeit.networks.conditional import ToldGenerator
from counterfeit.recipe import Recipe
from zoo_breakages import Breakage, G, near_latents, patched_network, patched_pair
from zoo_conditions import deaf_in, mislabelled
from zoo_specimens import AFTER_DEFEAT, COLLAPSE, OVERPOWERED, PARTIAL, UNLIKE, Specimen, of

# Breakages


def dead_units(share: float) -> Breakage:
    """So many of the units behind each BatchNorm of G are off for good."""

    def change(network: nn.Module) -> None:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.bias[: round(share * len(module.bias))] -= 8.0

    return patched_network(G, change)


def lost_codes(count: int) -> Breakage:
    """G does not see the last `count` units of its latents, which are its codes."""

    def blank(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        z, *rest = given
        return (torch.cat([z[:, :-count], torch.zeros_like(z[:, -count:])], 1), *rest)

    def change(generator: nn.Module, discriminator: nn.Module) -> None:
        generator.register_forward_pre_hook(blank)

    return patched_pair(change)


@contextmanager
def deaf(spec: Recipe) -> Iterator[None]:
    """G is asked for the first class, whatever it is asked for."""
    tell = ToldGenerator.tell

    def broken(self: ToldGenerator, z: Tensor, labels: Tensor) -> Tensor:
        return tell(self, z, torch.zeros_like(labels))

    with patch.object(ToldGenerator, "tell", broken):
        yield


def adapting_within(images: int) -> Breakage:
    """No fault: augmentation may go from never to always within so many images."""

    @contextmanager
    def entered(spec: Recipe) -> Iterator[None]:
        with patch.object(views, "ADAPTED_IMAGES", images):
            yield

    return entered


@contextmanager
def real_images_augmented(spec: Recipe) -> Iterator[None]:
    """Augmentation of real images alone, which G must learn: not of what D sees after them."""
    begin, see = views.View.begin, views.View.__call__

    def begun(self: views.View, *given: Any) -> None:
        begin(self, *given)
        self.seen = 0  # type: ignore[attr-defined]

    def seen(self: views.View, images: Tensor) -> Tensor:
        self.seen += 1  # type: ignore[attr-defined]
        return see(self, images) if self.seen == 1 else images  # type: ignore[attr-defined]

    with (
        patch.object(views.View, "begin", begun),
        patch.object(views.View, "__call__", seen),
    ):
        yield


# Data


def sized(channels: int, *more: str) -> tuple[str, ...]:
    return (f"generator.channels={channels}", f"discriminator.channels={channels}", *more)


DIGITS = sized(16, "data.name=digits", "training.batch_size=32", "training.epochs=36")
DIGITS_16 = (*DIGITS, *sized(8, "data.image_size=16"))
COLOUR_16 = (*DIGITS_16, "data.channels=3")
MNIST = sized(
    *(8, "data.train_images=3000", "data.image_size=16"),
    *("training.batch_size=32", "training.epochs=16"),
)
MNIST_28 = (*MNIST, "data.image_size=28", "training.epochs=10")
"""Whose classes the package's own classifier knows, whatever labels are said to be."""
MNIST_8 = (*MNIST, *sized(16, "data.image_size=8"))
COLOUR = (*DIGITS, "data.channels=3")
EMOJI = sized(
    *(8, "data.name=emoji", "data.image_size=16", "training.batch_size=32"),
    "training.epochs=14",
)
GRAY_EMOJI = (*EMOJI, "data.channels=1", "data.background=black")
FASHION_12 = (*MNIST, "data.name=fashion-mnist", "data.image_size=12")

CRITIC = ("training.discriminator_steps=3", "training.batch_size=16")
"""A third of the steps, of half of the images: more updates of G for the time."""

# Kinds

STRAY = f"{PARTIAL} {UNLIKE} mode-hopping"
LOST = f"{AFTER_DEFEAT} mode-hopping gradient-explosion batchnorm-gap"
"""What becomes of a generator whose critic leads it nowhere."""

CRITIC_WON, BLIND, FLAT = "critic-overpowering", "blind-critic", "flat-critic"
EXPLODING, STALLED = "exploding-critic", "stalled-critic"
IDLE_PENALTY, HEAVY_PENALTY = "idle-penalty", "heavy-penalty"
EXHAUSTED, NO_CODES = "exhausted-augmentation", "ignored-codes"

healthy = of("healthy")
exploding = of("critic explodes", EXPLODING, f"{LOST} {STALLED} {HEAVY_PENALTY}")
idle_penalty = of("penalty of 0", IDLE_PENALTY, f"{LOST} {EXPLODING} {STALLED} {CRITIC_WON}")
heavy_penalty = of("penalty too strong", f"{HEAVY_PENALTY}/{BLIND}/{FLAT}", f"{LOST} {STALLED}")
tight = of("clipped to nothing", FLAT, f"{LOST} {STALLED} {BLIND}")
ignored = of("label ignored", "ignored-label", STRAY)
class_lost = of("a class lost", "collapsed-class", STRAY)
codes_lost = of("codes ignored", NO_CODES, f"{STRAY} {IDLE_PENALTY}")
dead = of("dead units", "dead-units", f"{LOST} {CRITIC_WON}")
exhausted = of(
    "augmentation exhausted",
    EXHAUSTED,
    f"{LOST} discriminator-overfitting {OVERPOWERED} {CRITIC_WON} memorisation",
)
leaking = of("augmentation leaks", UNLIKE, f"{LOST} {EXHAUSTED} saturated-outputs")
few = of("few images", PARTIAL, f"{COLLAPSE} {STRAY} no-progress {CRITIC_WON} best-long-ago")
d_wins = of("D too fast", OVERPOWERED, LOST)
critic_wins = of("critic too fast", CRITIC_WON, f"{LOST} {STALLED}")
critic_runs = of("critic too fast", f"{CRITIC_WON}/{STALLED}/no-progress", LOST)
d_sleeps = of("D too slow", "garbage-passes", f"{LOST} labels-swapped")
critic_sleeps = of("critic too slow", f"{BLIND}/labels-swapped", LOST)


@dataclass(frozen=True)
class Strengths:
    """How strongly a part's runs are broken."""

    slow: str
    """Learning rate of the player that cannot follow."""
    clip: str
    weight: str
    """Of a penalty that is too strong."""
    few_images: int
    share: float
    """Of units that are dead."""
    number: int
    """Of the class that is lost."""


def part(
    prefix: str,
    seed: int,
    data: Sequence[Sequence[str]],
    strong: Strengths,
    residual: Sequence[str] = (),
) -> list[Specimen]:
    """A run of each kind.

    Args:
        data: what runs take in turn; those whose classes a classifier must see, the first one.
        residual: what residual networks, which take three times as long, have instead.
    """
    drawn = 0

    def on() -> Sequence[str]:
        nonlocal drawn
        drawn += 1
        return data[drawn % len(data)]

    seen = data[0]
    slow_g = f"generator.optimizer.lr={strong.slow}"
    slow_d = f"discriminator.optimizer.lr={strong.slow}"
    adaptive = ('inputs.augment=["translation", "cutout"]', "inputs.adaptive=0.6")
    r1_r2 = [f"penalties.{name}.weight={{}}" for name in ("r1", "r2")]
    tiny = (
        f"data.train_images={strong.few_images}", "training.batch_size=20", "training.epochs=200",
    )  # fmt: skip

    def a(make: Any, name: str, base: str, *more: Any, **rest: Any) -> Specimen:
        made: Specimen = make(f"{prefix}{name}", base, *more, seed=seed, **rest)
        return made

    return [
        *(a(healthy, f"{base}-healthy", base, on())
          for base in ("dcgan", "hinge-sn", "lsgan", "ragan")),
        a(healthy, "r3gan-healthy", "r3gan-small", on(), residual),
        *(a(healthy, f"{base}-healthy", base, on(), CRITIC) for base in ("wgan", "wgan-gp")),
        *(a(healthy, f"{base}-healthy", base, seen) for base in ("conditional", "acgan")),
        a(healthy, "infogan-healthy", "infogan", on()),
        a(healthy, "adaptive-healthy", "hinge-sn", on(), adaptive,
          breakage=adapting_within(200_000)),
        # Critics, and what keeps them in bounds.
        a(exploding, "wgan-unclipped", "wgan", on(), CRITIC, "constraints.clip_weights=100",
          "discriminator.norm=none"),
        a(exploding, "wgan-gp-high-rate", "wgan-gp", on(), CRITIC,
          "discriminator.optimizer.lr=0.1"),
        a(idle_penalty, "wgan-gp-weight-0", "wgan-gp", on(), CRITIC,
          "penalties.gradient.weight=0"),
        a(idle_penalty, "r3gan-weights-0", "r3gan-small", on(), residual,
          *(each.format(0) for each in r1_r2)),
        a(heavy_penalty, "wgan-gp-heavy", "wgan-gp", on(), CRITIC,
          f"penalties.gradient.weight={strong.weight}", "penalties.gradient.target=0"),
        a(heavy_penalty, "r3gan-heavy", "r3gan-small", on(), residual,
          *(each.format(strong.weight) for each in r1_r2)),
        a(heavy_penalty, "hinge-r1-heavy", "hinge-sn", on(), r1_r2[0].format(strong.weight)),
        a(tight, "wgan-tight", "wgan", on(), CRITIC, f"constraints.clip_weights={strong.clip}"),
        # Classes and codes.
        a(ignored, "acgan-weight-0", "acgan", seen, "condition.weight=0"),
        a(ignored, "conditional-deaf", "conditional", seen, breakage=deaf),
        a(class_lost, "conditional-class-deaf", "conditional", seen,
          breakage=deaf_in(strong.number)),
        a(class_lost, "acgan-mislabelled", "acgan", MNIST_28, "training.epochs=20",
          breakage=mislabelled(strong.number, (strong.number + 3) % 10)),
        a(codes_lost, "infogan-information-0", "infogan", on(), "latent.information=0"),
        a(codes_lost, "infogan-lost-codes", "infogan", on(), breakage=lost_codes(12)),
        # Augmentation, units, variety.
        a(exhausted, "adaptive-exhausted", "dcgan", on(), adaptive, tiny,
          breakage=adapting_within(8_000)),
        a(leaking, "augmentation-leaks", "hinge-sn", on(), 'inputs.augment=["color"]',
          breakage=real_images_augmented),
        a(dead, "hinge-dead-g", "hinge-sn", on(), breakage=dead_units(strong.share)),
        a(few, "wgan-gp-few", "wgan-gp", on(), CRITIC, breakage=near_latents(2)),
        # One player cannot follow the other.
        a(d_wins, "dcgan-slow-g", "dcgan", on(), slow_g),
        a(d_wins, "acgan-slow-g", "acgan", seen, slow_g),
        *(a(critic_wins, f"{base}-slow-g", base, on(), slow_g)
          for base in ("hinge-sn", "lsgan", "ragan")),
        a(critic_runs, "r3gan-slow-g", "r3gan-small", on(), residual, slow_g),
        a(critic_runs, "wgan-gp-slow-g", "wgan-gp", on(), CRITIC, slow_g),
        a(d_sleeps, "dcgan-slow-d", "dcgan", on(), slow_d),
        a(d_sleeps, "infogan-slow-d", "infogan", on(), slow_d, may=NO_CODES),  # D reads the codes
        *(a(critic_sleeps, f"{base}-slow-d", base, on(), slow_d)
          for base in ("hinge-sn", "lsgan")),
        a(critic_sleeps, "r3gan-slow-d", "r3gan-small", on(), residual, slow_d),
        *(a(critic_sleeps, f"{base}-slow-d", base, on(), CRITIC, slow_d)
          for base in ("wgan", "wgan-gp")),
    ]  # fmt: skip


SPECIMENS = [
    *part("", 0, [DIGITS], Strengths("1e-7", "1e-6", "1e5", 100, 0.8, 3)),
    healthy("dcgan-colour", "dcgan", COLOUR_16),
    healthy("hinge-sn-mnist", "hinge-sn", MNIST),
    healthy("wgan-gp-mnist", "wgan-gp", MNIST, CRITIC),
    healthy("lsgan-digits-16", "lsgan", DIGITS_16),
    # Held out at first, and seen since.
    healthy("test-dcgan-digits-16", "dcgan", DIGITS_16, seed=10),
    # It makes coloured fringes, by which D wins.
    healthy("test-lsgan-colour-16", "lsgan", COLOUR_16, seed=10, may=f"{UNLIKE} {STALLED}"),
    healthy("test-wgan-mnist-16", "wgan", MNIST, CRITIC, seed=10),
    *part("test-", 10, [DIGITS, COLOUR, MNIST_8],
          Strengths("3e-7", "3e-6", "3e4", 60, 0.75, 8), ["training.epochs=20"]),
    *part("test-2-", 20, [DIGITS, EMOJI, FASHION_12, GRAY_EMOJI],
          Strengths("2e-7", "2e-6", "5e4", 90, 0.7, 5)),
    *part("test-3-", 40, [DIGITS, FASHION_12, COLOUR_16, MNIST],
          Strengths("1e-7", "1e-6", "1e5", 100, 0.8, 6)),
    # On emoji and on clothes, before others of them were held out.
    healthy("dcgan-emoji", "dcgan", EMOJI, seed=2),
    healthy("ragan-emoji", "ragan", EMOJI, seed=2),
    healthy("wgan-gp-gray-emoji", "wgan-gp", GRAY_EMOJI, CRITIC, seed=2),
    healthy("r3gan-gray-emoji", "r3gan-small", GRAY_EMOJI, seed=2),
    healthy("hinge-sn-fashion-12", "hinge-sn", FASHION_12, seed=2),
    healthy("conditional-fashion-12", "conditional", FASHION_12, seed=2),
    few("wgan-gp-few-emoji", "wgan-gp", EMOJI, CRITIC, seed=2, breakage=near_latents(2)),
    codes_lost("infogan-information-0-fashion", "infogan", FASHION_12, "latent.information=0",
               seed=2),
]  # fmt: skip
