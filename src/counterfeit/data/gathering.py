"""A split of the user's own pictures, wherever they lie, as images in memory."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from counterfeit.data import splits
from counterfeit.data.array_files import SPLITS
from counterfeit.data.array_sets import NO_CLASSES
from counterfeit.data.fitting import Look, fitted
from counterfeit.data.folders import Listing
from counterfeit.data.images import (
    ImageData,
    NoSuchSplit,
    PassedOver,
    Room,
    Source,
    Split,
    in_memory,
)
from counterfeit.data.pictures import (
    WHITES,
    Broken,
    Glance,
    Picture,
    content_of,
    decode,
    glance,
    white_of,
)
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.language import tr

DEFAULT_IMAGE_SIZE = 28
"""Height and width when the user names none."""

NAMED = 3
"""So many broken pictures are named in an error."""


class BrokenImages(CounterfeitError):
    """Some of the user's pictures cannot be read."""


class Sorted(NamedTuple):
    """Pictures with what their places say."""

    pictures: list[Picture]
    splits: list[Split | None]
    """None where it is for `splits.by_content` to say."""
    labels: list[int | None]
    classes: tuple[str, ...]
    passed_over: list[PassedOver]
    notes: list[str]


def read_pictures(
    name: str, listing: Listing, split: Split, look: Look, room: Room = in_memory
) -> ImageData:
    """The training images or the test images of a folder or an archive.

    Folders called train and test are splits, val too: validation where there is a test folder, else
    test. Otherwise `splits.by_content` decides. When all images lie in sub-folders these are the
    classes, unless the folder has StyleGAN's file of labels.

    Args:
        split: train or test.
        room: where the images go.

    Raises:
        BrokenImages: some cannot be read.
        CounterfeitError: there are none, or none of the split.
    """
    found = sort_out(listing)
    pictures, notes = found.pictures, list(found.notes)
    if not pictures:
        raise CounterfeitError(nothing_in(listing))
    glances, keys, broken = _look_at(pictures)
    parts = splits.own(keys, found.labels, found.splits)
    chosen = parts.train if split == "train" else parts.test
    if not chosen:
        raise NoSuchSplit(listing.where, len(pictures))
    channels = look.channels or (1 if all(each.gray for each in glances) else 3)
    white = white_of(max((each.brightest or 0 for each in glances), default=0))
    if white != WHITES[-1]:
        notes.append(
            tr(
                "Pictures of 16 bits use {bits} of them: {white} becomes white, not 65,535.",
                bits=str(white.bit_length()),
                white=f"{white:,}",
            )
        )

    # In the order in which they lie, each into its place in the split.
    size = look.size or DEFAULT_IMAGE_SIZE
    images = room((len(chosen), channels, size, size))
    pixels = images.numpy()
    sizes: Counter[tuple[int, int]] = Counter()
    for place, index in sorted(enumerate(chosen), key=lambda pair: pair[1]):
        try:
            content = content_of(pictures[index])
            picture = decode(content, "L" if channels == 1 else "RGB", look.background, white)
        except Broken as error:
            broken[index] = str(error)
            continue
        pixels[place] = fitted(picture, (size, size), channels, look).transpose(2, 0, 1)
        sizes[picture.height, picture.width] += 1
    if broken:
        rest = set(range(len(pictures))) - set(chosen) - broken.keys()
        raise broken_images(pictures, broken | _broken_among(pictures, rest))

    labels = [found.labels[i] for i in chosen]
    return ImageData(
        name,
        split,
        images,
        None if None in labels else torch.tensor(labels),
        found.classes,
        parts.validation if split == "train" else 0,
        apart="validation" in found.splits,
        source=Source(sizes, tuple(found.passed_over), tuple(notes)),
    )


def without_broken(listing: Listing) -> Listing:
    """The same, as if the pictures that cannot be read were not there.

    Raises:
        CounterfeitError: there are no others.
    """
    broken = _broken_among(listing.pictures, range(len(listing.pictures)))
    sound = [each for i, each in enumerate(listing.pictures) if i not in broken]
    if broken and not sound:
        raise CounterfeitError(f"{listing.where} holds no images that can be read.")
    skipped = [PassedOver(listing.pictures[i].name, why) for i, why in broken.items()]
    return replace(listing, pictures=sound, passed_over=listing.passed_over + skipped)


def read_as_they_are(
    listing: Listing, shape: tuple[int, int, int], wanted: str
) -> UInt8[Tensor, "N C H W"]:
    """All pictures of a folder or an archive, of whatever class or split, none of them resized.

    Args:
        shape: (C, H, W) that they must have, as `wanted` are; gray ones may be stored in colour.

    Raises:
        UsageError: one is of another size or in colour; the message names it.
        BrokenImages: some cannot be read.
        CounterfeitError: there is none.
    """
    if not listing.pictures:
        raise CounterfeitError(nothing_in(listing))
    channels, height, width = shape
    images = np.empty((len(listing.pictures), *shape), np.uint8)
    broken = {}
    for index, each in enumerate(listing.pictures):
        try:
            picture = decode(content_of(each), "RGB")
        except Broken as error:
            broken[index] = str(error)
            continue
        if picture.size != (width, height):
            raise UsageError(
                f"{each.name} is {picture.height} x {picture.width} pixels, and {wanted} are"
                f" {height} x {width}."
            )
        pixels = np.asarray(picture)
        if channels == 1 and (pixels != pixels[..., :1]).any():
            raise UsageError(f"{each.name} is in colour, and {wanted} are gray.")
        images[index] = pixels[..., :channels].transpose(2, 0, 1)
    if broken:
        raise broken_images(listing.pictures, broken)
    return torch.from_numpy(images)


def nothing_in(listing: Listing) -> str:
    """Why there are no images, in one line."""
    others = Counter(why for _, why in listing.passed_over)
    besides = ", ".join(f"{count:,} {why}" for why, count in others.most_common(NAMED))
    return f"{listing.where} holds no images{f' ({besides})' if besides else ''}; name another one."


def broken_images(pictures: Sequence[Picture], broken: dict[int, str]) -> BrokenImages:
    """One line that names the first few of them, says why, and how many there are."""
    named = [f"{pictures[i].name}: {broken[i]}" for i in sorted(broken)[:NAMED]]
    remedy = "or go on without with --skip-broken"
    if len(broken) == 1:
        return BrokenImages(f"cannot read the image {named[0]}; replace or remove it, {remedy}.")
    more = f"; and {len(broken) - NAMED:,} more" if len(broken) > NAMED else ""
    return BrokenImages(
        f"cannot read {len(broken):,} of {len(pictures):,} images ({'; '.join(named)}{more});"
        f" replace or remove them, {remedy}."
    )


def sort_out(listing: Listing) -> Sorted:
    """Split, label and class of each picture, by the folders that it lies in."""
    pictures, passed_over, notes = listing.pictures, list(listing.passed_over), []
    tops = [SPLITS.get(each.parts[0].lower()) if each.parts[1:] else None for each in pictures]
    there = set(tops)
    has_splits = "train" in there and (len(there) == 1 or bool(there & {"test", "validation"}))
    own: list[Split | None] = [None] * len(pictures)
    below = [each.parts for each in pictures]
    if has_splits:
        beside = [each for each, top in zip(pictures, tops, strict=True) if top is None]
        passed_over += [PassedOver(each.name, "beside the folder train") for each in beside]
        kept = [(each, top) for each, top in zip(pictures, tops, strict=True) if top is not None]
        pictures, below = [each for each, _ in kept], [each.parts[1:] for each, _ in kept]
        own = [top for _, top in kept] if len(there - {None}) > 1 else [None] * len(kept)
        if "test" not in there and "validation" in there:
            own = ["test" if each == "validation" else each for each in own]
            notes.append(splits.VALIDATION_IS_TEST)

    labels: list[int | None]
    if listing.labels is not None:
        labels = [listing.labels.get(each.parts) for each in pictures]
        if None in labels and any(each is not None for each in labels):
            labels = [None] * len(pictures)
            notes.append(NO_CLASSES)
        return Sorted(pictures, own, labels, (), passed_over, notes)
    flat = {split for split, parts in zip(own, below, strict=True) if not parts[1:]}
    names = sorted({parts[0] for split, parts in zip(own, below, strict=True) if split not in flat})
    numbers = {name: number for number, name in enumerate(names)}
    labels = [
        None if split in flat else numbers[parts[0]]
        for split, parts in zip(own, below, strict=True)
    ]
    classes = tuple(name.encode(errors="replace").decode() for name in names)
    return Sorted(pictures, own, labels, classes, passed_over, notes)


def _look_at(pictures: Sequence[Picture]) -> tuple[list[Glance], list[int], dict[int, str]]:
    """What is told of those that can be told of; the keys of all; and which are broken, and why."""
    glances, keys, broken = [], [], {}
    for index, picture in enumerate(pictures):
        key = 0
        try:
            content = content_of(picture)
            key = splits.key(content)
            glances.append(glance(content))
        except Broken as error:
            broken[index] = str(error)
        keys.append(key)
    return glances, keys, broken


def _broken_among(pictures: Sequence[Picture], which: Iterable[int]) -> dict[int, str]:
    broken = {}
    for index in sorted(which):
        try:
            decode(content_of(pictures[index]), "RGB")
        except Broken as error:
            broken[index] = str(error)
    return broken
