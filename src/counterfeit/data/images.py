"""Images in memory, uint8 (N, C, H, W), and their casts to and from floats."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from counterfeit.errors import UsageError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class Stored(NamedTuple):
    """One split as its files have it, of whatever size and number of channels."""

    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"] | None = None
    classes: tuple[str, ...] = ()
    """See `ImageData.classes`."""
    held_out: int | None = None
    """Of training images, where the files' own order does not say it; see `ImageData.held_out`."""


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

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def first(self, count: int | None) -> "ImageData":
        """The first `count` images; all of them for None.

        Of the user's own images that is a random subset, always the same, which larger ones hold.
        """
        if count is None:
            return self
        if not 1 <= count <= len(self):
            raise UsageError(
                f"{self.name} has {len(self):,} {self.split} images, so the first {count:,}"
                f" cannot be taken; use 1 to {len(self):,}."
            )
        return self._part(0, count)

    @property
    def validation(self) -> "ImageData":
        """The validation split, which is the last part of the training images."""
        last = self._part(len(self) - self.held_out, len(self))
        return replace(last, split="validation", held_out=0)

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

    def mean_image(self) -> Float[Tensor, "C H W"]:
        """The mean of each pixel over the images, in [0, 1]."""
        total = torch.zeros(self.shape, dtype=torch.int64, device=self.images.device)
        for start in range(0, len(self), 4096):  # bounds the memory of the cast to int64
            total += self.images[start : start + 4096].sum(0, dtype=torch.int64)
        return (total.double() / (255 * len(self))).float()


def as_float(images: UInt8[Tensor, "N C H W"], low: float, high: float) -> Float[Tensor, "N C H W"]:
    """Pixels 0 to 255 as float32 from `low` to `high`."""
    floats = images / 255
    return floats if (low, high) == (0, 1) else floats.mul_(high - low).add_(low)


def as_uint8(images: Float[Tensor, "N C H W"], low: float, high: float) -> UInt8[Tensor, "N C H W"]:
    """The inverse of `as_float`: to the nearest of 0 to 255; values outside are clamped."""
    return ((images.float() - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8)
