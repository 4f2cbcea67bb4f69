"""Images in memory, uint8 (N, C, H, W), and their casts to and from floats."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError

Split = Literal["train", "validation", "test"]
TEST_SHARE = 7
"""One of the user's images in seven is for testing, which is MNIST's proportion."""

SPLITS: tuple[Split, ...] = get_args(Split)


class Stored(NamedTuple):
    """One split as its files have it, of whatever size and number of channels."""

    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"] | None = None
    classes: tuple[str, ...] = ()
    """See `ImageData.classes`."""
    held_out: int | None = None
    """Of training images, where the files' own order does not say it; see `ImageData.held_out`."""


Room = Callable[[tuple[int, int, int, int]], UInt8[Tensor, "N C H W"]]
"""Makes room for images of that shape."""


def in_memory(shape: tuple[int, int, int, int]) -> UInt8[Tensor, "N C H W"]:
    return torch.empty(shape, dtype=torch.uint8)


class NoSuchSplit(CounterfeitError):
    """The user's images are too few to test with some of them."""

    def __init__(self, where: str, count: int) -> None:
        super().__init__(
            f"{where} holds {count:,} images, of which none is for testing (about one in"
            f" {TEST_SHARE} is, by content); add images, or use the train split."
        )


class PassedOver(NamedTuple):
    """A file that is not among the images."""

    name: str
    why: str


@dataclass(frozen=True)
class Source:
    """What lay where the user's own images were read, before they were fitted."""

    sizes: Mapping[tuple[int, int], int] = field(default_factory=Counter)
    """How many images of the split are of each (height, width)."""
    passed_over: tuple[PassedOver, ...] = ()
    notes: tuple[str, ...] = ()
    """What was decided on the way that the user may not expect, a sentence each."""


@dataclass(frozen=True, eq=False)
class ImageData:
    """One split of a data set. Indexing `images` and `labels` alike gives batches."""

    name: str
    split: Split
    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"] | None
    classes: tuple[str, ...] = ()
    """What the labels mean, by value; empty when nothing says so."""
    held_out: int = 0
    """How many of the last training images are the validation split (see `splits`)."""
    apart: bool = False
    """Whether those are files of their own, which are never trained on."""
    source: Source | None = None
    """Of the user's own images, where they were read from files."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def first(self, count: int | None) -> "ImageData":
        """The first `count` images; for None all that may be trained on.

        Of the user's own images that is a random subset, always the same, which larger ones hold.
        """
        if count is None:
            return self.without_validation if self.apart else self
        most = len(self) - (self.held_out if self.apart else 0)
        if not 1 <= count <= most:
            raise UsageError(
                f"{self.name} has {most:,} {self.split} images, so the first {count:,}"
                f" cannot be taken; use 1 to {most:,}."
            )
        return self._part(0, count)

    @property
    def validation(self) -> "ImageData":
        """The validation split, which is the last part of the training images."""
        last = self._part(len(self) - self.held_out, len(self))
        return replace(last, split="validation", held_out=0, apart=False)

    @property
    def without_validation(self) -> "ImageData":
        """The training images that are not in the validation split."""
        return self._part(0, len(self) - self.held_out)

    def _part(self, start: int, stop: int) -> "ImageData":
        labels = None if self.labels is None else self.labels[start:stop]
        return replace(
            self,
            images=self.images[start:stop],
            labels=labels,
            held_out=max(0, self.held_out - (len(self) - stop)),
        )

    @cached_property
    def sha256(self) -> str:
        """Of the pixels, then the labels."""
        content = hashlib.sha256(self.images.contiguous().numpy().data)
        if self.labels is not None:
            content.update(self.labels.numpy().astype("<i8").data)
        return content.hexdigest()

    def mean_image(self) -> Float[Tensor, "C H W"]:
        """The mean of each pixel over the images, in [0, 1]."""
        total = torch.zeros(self.shape, dtype=torch.int64, device=self.images.device)
        step = max(1, 2**22 // total.numel())  # bounds the memory of the cast to int64
        for start in range(0, len(self), step):
            total += self.images[start : start + step].sum(0, dtype=torch.int64)
        return (total.double() / (255 * len(self))).float()


def as_float(images: UInt8[Tensor, "N C H W"], low: float, high: float) -> Float[Tensor, "N C H W"]:
    """Pixels 0 to 255 as float32 from `low` to `high`."""
    floats = images / 255
    return floats if (low, high) == (0, 1) else floats.mul_(high - low).add_(low)


def as_uint8(images: Float[Tensor, "N C H W"], low: float, high: float) -> UInt8[Tensor, "N C H W"]:
    """The inverse of `as_float`: to the nearest of 0 to 255; values outside are clamped."""
    return ((images.float() - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8)
