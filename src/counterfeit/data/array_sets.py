"""A split of the user's images that are arrays, wherever these lie, as images in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from counterfeit.data import splits
from counterfeit.data.array_files import Arrays, Chosen
from counterfeit.data.arrays import Stack, as_labels, in_one_range, rows_in_a_chunk, stack_of, words
from counterfeit.data.fitting import Look, fit_all, fitted_shape
from counterfeit.data.images import ImageData, NoSuchSplit, Room, Source, Split, in_memory
from counterfeit.errors import UsageError
from counterfeit.language import english

NO_CLASSES = english("The labels are not one class for each image, and are left out.")


@dataclass(frozen=True)
class ArraySet:
    """Images in arrays, with what is known of them."""

    where: str
    stacks: Sequence[Stack]
    splits: Sequence[Split | None]
    """Of each stack; None where it is for `splits.by_content` to say."""
    labels: Sequence[Int64[Tensor, " N"] | None]
    """Of each stack."""
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def array_set(
    arrays: Arrays, chosen: Sequence[Chosen], where: str, *, any_range: bool = False
) -> ArraySet:
    """What is known of the chosen arrays.

    Args:
        any_range: see `as_images`.

    Raises:
        UsageError: they are no images, of several sizes, or have more or fewer labels.
    """
    stacks = [
        stack_of(arrays[each.images], f"{where}'s {each.images or 'images'}", any_range=any_range)
        for each in chosen
    ]
    for stack in stacks:
        if stack.shape != stacks[0].shape:
            raise UsageError(
                f"{where} holds images of {words(stacks[0].shape)} and of {words(stack.shape)};"
                " make them of one size."
            )
    stacks = in_one_range(stacks)
    given = [each.split for each in chosen]
    if len(given) == 1:  # x_train alone is a set like any other
        given = [None]
    notes = []
    if "validation" in given and "test" not in given:
        given = ["test" if split == "validation" else split for split in given]
        notes.append(splits.VALIDATION_IS_TEST)
    labels: list[Tensor | None] = [None] * len(stacks)
    classes: tuple[str, ...] = ()
    named = [(i, each.labels) for i, each in enumerate(chosen) if each.labels is not None]
    if named:
        columns = [column(arrays[key], len(stacks[i]), f"{where}'s {key}") for i, key in named]
        found = None
        if len({each.shape[1:] for each in columns}) == 1:
            together = np.concatenate(columns)
            found = as_labels(together)
        if found is None:
            notes.append(NO_CLASSES)
        else:
            numbers, classes = found
            first = 0
            for (i, _), each in zip(named, columns, strict=True):
                labels[i] = numbers[first : first + len(each)]
                first += len(each)
    return ArraySet(where, stacks, given, labels, classes, tuple(notes))


def read_array_set(
    name: str, held: ArraySet, split: Split, look: Look, room: Room = in_memory
) -> ImageData:
    """The training images or the test images.

    Args:
        split: train or test.
        room: where the images go.

    Raises:
        NoSuchSplit: none is for testing.
    """
    keys: list[int] = []
    labels: list[int | None] = []
    given: list[Split | None] = []
    for stack, of_stack, own in zip(held.stacks, held.labels, held.splits, strict=True):
        keys += [splits.key(image.tobytes()) for part in stack.chunks() for image in part.numpy()]
        labels += [None] * len(stack) if of_stack is None else of_stack.tolist()
        given += [own] * len(stack)
    parts = splits.own(keys, labels, given)
    chosen = parts.train if split == "train" else parts.test
    if not chosen:
        raise NoSuchSplit(held.where, len(keys))
    shape = fitted_shape(held.stacks[0].shape, look)
    images = room((len(chosen), *shape))
    _fill(images, np.array(chosen), held.stacks, look)
    of_split = [labels[i] for i in chosen]
    return ImageData(
        name,
        split,
        images,
        None if None in of_split else torch.tensor(of_split),
        held.classes,
        parts.validation if split == "train" else 0,
        apart="validation" in held.splits,
        source=Source(Counter({held.stacks[0].shape[1:]: len(chosen)}), notes=held.notes),
    )


def _fill(images: Tensor, chosen: NDArray[np.int64], stacks: Sequence[Stack], look: Look) -> None:
    """Read the chosen images of all stacks, a part at a time, each to its place."""
    firsts = np.cumsum([0, *map(len, stacks)])
    step = rows_in_a_chunk(stacks[0].values)
    for start in range(0, len(chosen), step):
        some = chosen[start : start + step]
        for stack, first, end in zip(stacks, firsts, firsts[1:], strict=False):
            places = np.flatnonzero((some >= first) & (some < end))
            places = places[np.argsort(some[places])]  # in the order in which they lie
            if len(places):
                part = fit_all(stack.read(some[places] - first), look)
                images[torch.from_numpy(start + places)] = part


def column(given: Any, count: int, what: str) -> NDArray[Any]:
    """Labels as rows.

    Raises:
        UsageError: there are more or fewer of them than images.
    """
    if isinstance(given, Tensor):
        given = given.detach().cpu()
        given = (given.float() if given.is_floating_point() else given).numpy()
    try:
        values = np.asarray(given)
        if values.dtype.kind == "O":  # words, as pandas holds them
            values = np.asarray(values.tolist())
    except ValueError:
        raise UsageError(f"{what} must be one for each image, or as many for each.") from None
    if values.ndim == 0 or len(values) != count:
        there = len(values) if values.ndim else 1
        raise UsageError(f"{what} are {there:,} labels of {count:,} images; mend the file.")
    return values.reshape(count, -1)
