"""The real images that a foreign loop trains on, from whatever names or holds them."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from counterfeit import arguments, data
from counterfeit.data import ImageData, splits
from counterfeit.data.arrays import as_images, words
from counterfeit.errors import UsageError
from counterfeit.recipe.sections import Data
from counterfeit.seeds import stream

Shape = tuple[int, int, int]

KEPT_BYTES = 64 * 2**20
"""Of an array's or a Dataset's images that a run keeps: of more, a random part, always the same."""

GIVEN = "the loop's own images"
"""What data are called that have no name."""

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Real:
    """What a run says of its data."""

    section: Data
    train: ImageData | None = None
    test: ImageData | None = None
    """Set where the run has to keep both."""

    def identities(self, data_dir: Path | None) -> dict[str, Any]:
        """As environment.json keeps them."""
        if self.train is None:
            return {}
        if self.test is None:
            return data.identities(self.section, self.train, data_dir)
        return {each.split: data.Identity.of(each).as_json() for each in (self.train, self.test)}


def find(given: Any, shape: Shape, data_dir: Path | None) -> Real:
    """The real images of a loop whose generator makes images of `shape`.

    Args:
        given: a data set's name; a folder; an array or a tensor of images, (N, pixels), (N, H, W),
            (N, C, H, W) or (N, H, W, C); a Dataset of images, or of pairs of an image and a label;
            a DataLoader of one; or None.

    Raises:
        UsageError: it is none of these, or its images are of another shape.
        CounterfeitError: the data cannot be had.
    """
    if given is None:
        return Real(Data(name=UNKNOWN))
    if isinstance(given, str | os.PathLike):
        return _named(str(given), shape, data_dir)
    given = getattr(given, "dataset", given)  # of a DataLoader
    if isinstance(given, Tensor | np.ndarray):
        images, labels = _as_images(given, shape), None
    elif hasattr(given, "__len__") and hasattr(given, "__getitem__"):
        images, labels = _of_dataset(given, shape)
    else:
        raise UsageError(
            "data must be a data set's name, a folder, an array of images, a Dataset or None, not"
            f" {arguments.shown(given)}."
        )
    return _split(images, labels)


def _named(name: str, shape: Shape, data_dir: Path | None) -> Real:
    name = data.anchored(name)
    loaded = data.load(name, "train", data_dir)
    if loaded.shape == shape:
        return Real(Data(name=name), loaded)
    channels, height, width = shape
    if height != width or channels not in (1, 3):
        raise UsageError(
            f"{name} holds images of {words(loaded.shape)}, and G makes ones of {words(shape)}."
        )
    section = Data(name=name, image_size=height, channels=channels)  # type: ignore[arg-type]
    return Real(section, data.load_for(section, "train", data_dir))


def _of_dataset(given: Any, shape: Shape) -> tuple[UInt8[Tensor, "N C H W"], list[int] | None]:
    most = max(1, KEPT_BYTES // math.prod(shape))
    order = torch.randperm(len(given), generator=stream(0, "subset")).tolist()
    images: list[Tensor] = []
    labels: list[int] = []
    for index in islice(order, most):
        item = given[index]
        image, *rest = item if isinstance(item, tuple | list) else (item,)
        images.append(image if isinstance(image, Tensor) else torch.from_numpy(np.array(image)))
        if rest and (label := _label(rest[0])) is not None:
            labels.append(label)
    if not images:
        raise UsageError("data holds no images.")
    try:
        together = torch.stack(images)
    except (RuntimeError, TypeError):
        raise UsageError("data must hold images of one size and type.") from None
    return _as_images(together, shape), labels if len(labels) == len(images) else None


def _label(value: Any) -> int | None:
    """The whole number that it is, Python's, NumPy's or a tensor's; None where it is something
    else, such as several or a name."""
    try:
        number = value.item() if hasattr(value, "item") else value
    except (ValueError, RuntimeError):  # several
        return None
    whole = isinstance(number, int | float) and float(number).is_integer()
    return int(number) if whole else None


def _as_images(given: Any, shape: Shape) -> UInt8[Tensor, "N C H W"]:
    most = max(1, KEPT_BYTES // math.prod(shape))
    if len(given) > most:
        given = given[torch.randperm(len(given), generator=stream(0, "subset"))[:most]]
    return as_images(given, shape, what="data", wanted="G's images", any_range=True)


def _split(images: UInt8[Tensor, "N C H W"], labels: Sequence[int] | None) -> Real:
    keys = [splits.key(image.tobytes()) for image in images.numpy()]
    parts = splits.by_content(keys, labels, test=True)
    known = None if labels is None else torch.tensor(labels)

    def part(split: data.Split, chosen: list[int], held_out: int = 0) -> ImageData:
        of_part = None if known is None else known[chosen]
        return ImageData(GIVEN, split, images[chosen], of_part, held_out=held_out)

    train = part("train", parts.train, parts.validation)
    return Real(Data(name=GIVEN), train, part("test", parts.test))
