"""Images that somebody hands over in Python: a name, a path, an array, a tensor or a Dataset."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from counterfeit import arguments
from counterfeit.data.array_sets import NO_CLASSES, ArraySet, column, read_array_set
from counterfeit.data.arrays import Shape, Stack, as_images, as_labels, stack_of, words
from counterfeit.data.fitting import fitted_shape
from counterfeit.data.identity import Identity, identities
from counterfeit.data.images import ImageData, NoSuchSplit
from counterfeit.data.loading import anchored, load, load_for, look_of
from counterfeit.errors import UsageError
from counterfeit.recipe.sections import Data
from counterfeit.seeds import stream

KEPT_BYTES = 64 * 2**20
"""Of an array's or a Dataset's images that a Monitor keeps: of more, a random part, always the
same."""

MOST_BYTES = 2**29
"""Of images that have no name, that a run may keep to train on."""

GIVEN = "images of one's own"
"""What data are called that have no name."""


@dataclass(frozen=True)
class Real:
    """The real images of a run."""

    section: Data
    train: ImageData
    test: ImageData | None = None
    """Of images without a name, where there are any to test with."""
    kept: bool = False
    """Whether the run has to keep them, as nothing else can find them again."""

    @property
    def splits(self) -> list[ImageData]:
        return [self.train] if self.test is None else [self.train, self.test]

    def identities(self, data_dir: Path | None) -> dict[str, Any]:
        """As environment.json keeps them."""
        if not self.kept:
            return identities(self.section, self.train, data_dir)
        return {each.split: Identity.of(each).as_json() for each in self.splits}


def find(given: Any, shape: Shape, data_dir: Path | None) -> Real | None:
    """The real images of a loop whose generator makes images of `shape`.

    Args:
        given: see `take`; None if they are not known.

    Raises:
        UsageError: it is none of these, or its images are of another shape.
        CounterfeitError: the data cannot be had.
    """
    if given is None:
        return None
    if isinstance(given, str | os.PathLike):
        return _named(str(given), shape, data_dir)
    images, labels, classes = _parts(given, most=max(1, KEPT_BYTES // math.prod(shape)))
    ours = as_images(images, shape, what="data", wanted="G's images", any_range=True)
    stack = Stack(ours.numpy(), shape, channels_last=False, range=None)
    return _split(stack, labels, classes, Data(name=GIVEN))


def take(given: Any, section: Data, data_dir: Path | None) -> Real:
    """The images to train on: those of a recipe's section, or others that are given.

    Args:
        given: a data set's name or a path; images as an array or a tensor, (N, H, W),
            (N, C, H, W) or (N, H, W, C), of bytes or in any range; a pair of these and their
            labels; an `ImageData`; a Dataset of images, or of pairs of an image and a label, or a
            DataLoader of one; or None for the section's own.
        section: what it says of the images' look holds for given ones, too.

    Raises:
        UsageError: it is none of these, or there is too much to keep.
        CounterfeitError: the data cannot be had.
    """
    if given is None or isinstance(given, str | os.PathLike):
        name = section.name if given is None else arguments.text("data", given)
        section = section.model_copy(update={"name": anchored(name)})
        return Real(section, load_for(section, "train", data_dir))
    images, labels, classes = _parts(given)
    stack = stack_of(images, "data", any_range=True)
    _require_few(len(stack) * math.prod(fitted_shape(stack.shape, look_of(section))))
    return _split(stack, labels, classes, section.model_copy(update={"name": GIVEN}))


def _split(stack: Stack, labels: Any, classes: tuple[str, ...], section: Data) -> Real:
    numbers, notes = None, list[str]()
    if labels is not None:
        found = as_labels(column(labels, len(stack), "data's labels"))
        numbers, names = (None, ()) if found is None else found
        classes = () if found is None else names or classes
        notes += [NO_CLASSES] if found is None else []
    held = ArraySet("data", [stack], [None], [numbers], classes, tuple(notes))
    look = look_of(section)
    train = read_array_set(section.name, held, "train", look)
    try:
        test = read_array_set(section.name, held, "test", look)
    except NoSuchSplit:
        test = None
    return Real(section, train, test, kept=True)


def _parts(given: Any, most: int | None = None) -> tuple[Any, Any, tuple[str, ...]]:
    """Images, labels or None, and the names of classes, of what is given.

    Args:
        most: so many images are enough: a random part, always the same.

    Raises:
        UsageError: it is nothing that holds images.
    """
    if isinstance(given, ImageData):
        return given.images, given.labels, given.classes
    given = given.dataset if isinstance(given, DataLoader) else given
    if isinstance(given, Tensor | np.ndarray):
        return given if most is None else given[_some(len(given), most)], None, ()
    if _is_pair(given):
        return given[0], given[1], ()
    is_sequence = hasattr(given, "__len__") and hasattr(given, "__getitem__")
    if not is_sequence or isinstance(given, Mapping | bytes):
        raise UsageError(
            "data must be a data set's name, a path, an array of images, a pair of images and"
            f" labels, a Dataset or None, not {arguments.shown(given)}."
        )
    images: list[Tensor] = []
    labels: list[int] = []
    for index in range(len(given)) if most is None else _some(len(given), most).tolist():
        item = given[index]
        image, *rest = item if isinstance(item, tuple | list) else (item,)
        images.append(_tensor(image))
        if most is None and len(images) == 1:
            _require_few(len(given) * images[0].numel())
        if rest and (label := _label(rest[0])) is not None:
            labels.append(label)
    if not images:
        raise UsageError("data holds no images.")
    try:
        together = torch.stack(images)
    except (RuntimeError, TypeError):
        raise UsageError("data must hold images of one size and type.") from None
    known = len(labels) == len(images)
    names = getattr(given, "classes", ())  # as torchvision's sets have them
    fit = known and isinstance(names, list | tuple) and min(labels) >= 0
    fit = fit and max(labels) < len(names)
    return together, labels if known else None, tuple(map(str, names)) if fit else ()


def _some(count: int, most: int) -> Tensor:
    """Which of so many are taken: random ones, always the same."""
    return torch.randperm(count, generator=stream(0, "subset"))[:most]


def _is_pair(given: Any) -> bool:
    """Whether it is images and their labels, and no list of two images."""
    if not (isinstance(given, tuple | list) and len(given) == 2):
        return False
    images, labels = (getattr(each, "ndim", None) for each in given)
    return images is not None and 1 < images > (labels or 1) < 3


def _tensor(image: Any) -> Tensor:
    """An image of a Dataset, Pillow's too.

    Raises:
        UsageError: it is none.
    """
    try:
        return image if isinstance(image, Tensor) else torch.from_numpy(np.array(image))
    except (TypeError, ValueError):
        raise UsageError(f"data must hold images, not {arguments.shown(image)}.") from None


def _label(value: Any) -> int | None:
    """The whole number that it is, Python's, NumPy's or a tensor's; None where it is something
    else, such as several or a name."""
    try:
        number = value.item() if hasattr(value, "item") else value
    except (ValueError, RuntimeError):  # several
        return None
    whole = isinstance(number, int | float) and float(number).is_integer()
    return int(number) if whole else None


def _named(name: str, shape: Shape, data_dir: Path | None) -> Real:
    name = anchored(name)
    loaded = load(name, "train", data_dir)
    if loaded.shape == shape:
        return Real(Data(name=name), loaded)
    channels, height, width = shape
    if height != width or channels not in (1, 3):
        raise UsageError(
            f"{name} holds images of {words(loaded.shape)}, and G makes ones of {words(shape)}."
        )
    section = Data(name=name, image_size=height, channels=channels)  # type: ignore[arg-type]
    return Real(section, load_for(section, "train", data_dir))


def _require_few(size: int) -> None:
    if size > MOST_BYTES:
        raise UsageError(
            f"data are {size / 1e9:.1f} GB of images, too many to keep in each run; save them once,"
            " as np.savez('images.npz', images=…), and name the file: data='images.npz'."
        )
