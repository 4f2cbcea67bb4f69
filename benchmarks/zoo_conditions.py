"""The zoo's runs whose networks are told classes. Part of zoo.py."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from torch import Tensor

from counterfeit import data, recipe
from counterfeit.data import ImageData
from counterfeit.networks.conditional import ToldGenerator
from zoo_breakages import Breakage, replaced
from zoo_specimens import (
    AFTER_DEFEAT,
    FASHION,
    LEAKY,
    MNIST,
    PARTIAL,
    STAGE_3,
    UNLIKE,
    Specimen,
    of,
)


def told(how: str, by: str, *more: str) -> tuple[str, ...]:
    return (f"condition.generator={how}", f"condition.discriminator={by}", *more)


PROJECTION = told("concat", "projection")
PLANES = told("embedding", "concat")
"""Planes of noise as strong as pixels: perceptrons tell classes by them, and look no further."""
UNASKED = told("concat", "auxiliary", "condition.weight=0")
"""D has a head for classes, and nobody minds what it says."""

MAY = f"{PARTIAL} {UNLIKE} mode-hopping {AFTER_DEFEAT}"
healthy = of("healthy", may=f"{PARTIAL} {UNLIKE}")
ignored = of("label ignored", "ignored-label", MAY)
lost = of("a class lost", "collapsed-class", MAY)


def mislabelled(number: int, by: int) -> Breakage:
    """Two classes of the training images are called by each other's names."""
    load = data.load_for

    def broken(section: Any, split: Any = "train", *rest: Any, **options: Any) -> ImageData:
        whole = load(section, split, *rest, **options)
        if split != "train" or whole.labels is None:
            return whole
        labels = whole.labels.clone()
        labels[whole.labels == number], labels[whole.labels == by] = by, number
        return replace(whole, labels=labels)

    def entered(spec: recipe.Recipe) -> AbstractContextManager[Any]:
        return replaced(load, broken)

    return entered


def deaf_in(number: int) -> Breakage:
    """G sees one and the same latent whenever it is asked for that class."""
    tell = ToldGenerator.tell

    def broken(self: ToldGenerator, z: Tensor, labels: Tensor) -> Tensor:
        return tell(self, z.masked_fill((labels == number).unsqueeze(1), 0.0), labels)

    @contextmanager
    def entered(spec: recipe.Recipe) -> Iterator[None]:
        with patch.object(ToldGenerator, "tell", broken):
            yield

    return entered


SPECIMENS: list[Specimen] = [
    healthy("told-projection-s0", STAGE_3, MNIST, LEAKY, PROJECTION),
    lost("an-image-a-class-s0", STAGE_3, MNIST, LEAKY, PLANES),
    ignored("label-ignored-s0", STAGE_3, MNIST, LEAKY, UNASKED),
    lost("a-class-deaf-s0", STAGE_3, MNIST, LEAKY, PROJECTION, breakage=deaf_in(3)),
    lost("a-class-mislabelled-s0", STAGE_3, MNIST, LEAKY, PROJECTION, breakage=mislabelled(4, 7)),
]

TEST_SPECIMENS: list[Specimen] = [
    healthy("told-projection-fashion", STAGE_3, FASHION, LEAKY, PROJECTION, seed=1),
    lost("an-image-a-class-s1", STAGE_3, MNIST, LEAKY, PLANES, seed=1),
    ignored("label-ignored-s1", STAGE_3, MNIST, LEAKY, UNASKED, seed=1),
    lost("a-class-deaf-s1", STAGE_3, MNIST, LEAKY, PROJECTION, breakage=deaf_in(8), seed=1),
    lost(
        *("a-class-mislabelled-s1", STAGE_3, MNIST, LEAKY, PROJECTION),
        breakage=mislabelled(0, 1),
        seed=1,
    ),
]
