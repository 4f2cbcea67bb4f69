"""The user's own images, wherever they lie: a folder, an archive, or a file of arrays."""

import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from jaxtyping import UInt8
from torch import Tensor

from counterfeit.data import array_files
from counterfeit.data.archives import archive_listing, is_archive
from counterfeit.data.array_files import Arrays, Chosen, choose, read_arrays
from counterfeit.data.array_sets import array_set, read_array_set
from counterfeit.data.arrays import as_images
from counterfeit.data.fitting import Look
from counterfeit.data.folders import Listing, folder_listing
from counterfeit.data.gathering import read_as_they_are, read_pictures, without_broken
from counterfeit.data.idx_sets import idx_files, is_idx_name, read_idx_files
from counterfeit.data.images import ImageData, Split
from counterfeit.data.shelf import Shelf
from counterfeit.environment import require_memory
from counterfeit.errors import UsageError

KINDS = "a folder, a zip or tar archive, IDX files, or a .npz, .npy, .safetensors or .pt file"


class Place(NamedTuple):
    """Where the user's images lie."""

    path: Path
    key: str | None = None
    """Of a file of arrays, the name of the images, where the user says it."""

    def __str__(self) -> str:
        return str(self.path) if self.key is None else f"{self.path}:{self.key}"


def find_place(name: str) -> Place | None:
    """What a name such as `folder`, `images.zip` or `file.npz:key` means; None where nothing is."""
    try:
        path = Path(name).expanduser()
        if name and path.exists():
            return Place(path)
        before, colon, key = name.rpartition(":")
        path = Path(before).expanduser()
        if colon and path.is_file() and path.suffix.lower() in array_files.SUFFIXES:
            return Place(path, key)
    except (OSError, RuntimeError, ValueError):  # too long; an unknown user's home; a zero byte
        pass
    return None


def load_own(
    name: str, place: Place, split: Split, look: Look, shelves: Path, *, skip_broken: bool
) -> ImageData:
    """The training images or the test images.

    Args:
        name: of the data.
        split: train or test.
        shelves: where images are kept that are too many for memory.
        skip_broken: whether to go on without pictures that cannot be read.

    Raises:
        UsageError: it is not clear which images are meant, or these are of no kind that is read.
        CounterfeitError: there are none, or some are damaged.
    """
    alone = place.path.is_file() and is_idx_name(place.path.name)
    beside = idx_files(place.path) if alone else []
    shelf = Shelf(shelves, place.path, look, place.key, skip_broken, beside=beside)
    if (kept := shelf.find(name, split)) is not None:
        return kept
    pictures = _pictures(place)
    try:
        if pictures is not None:
            with pictures as listing:
                whole = without_broken(listing) if skip_broken else listing
                made = read_pictures(name, whole, split, look, shelf.room)
        else:
            held = array_set(*_arrays(place), str(place.path))
            made = read_array_set(name, held, split, look, shelf.room)
        return shelf.keep(made)
    finally:
        shelf.clear()


def load_as_they_are(
    place: Place, shape: tuple[int, int, int], wanted: str, *, skip_broken: bool = False
) -> UInt8[Tensor, "N C H W"]:
    """All pictures of a folder or an archive, or the images of a file of arrays, none resized.

    Where arrays are for training and for testing, those for testing.

    Args:
        shape: (C, H, W) that they must have, as `wanted` are.

    Raises:
        UsageError, CounterfeitError: see `load_own`; or they are of another shape.
    """
    pictures = _pictures(place)
    if pictures is not None:
        with pictures as listing:
            whole = without_broken(listing) if skip_broken else listing
            return read_as_they_are(whole, shape, wanted)
    arrays, chosen = _arrays(place)
    by_split = {each.split: each.images for each in chosen}
    images = arrays[by_split.get("test", chosen[0].images)]
    size = math.prod(images.shape)
    require_memory(size, f"the images of {place}", "keep fewer images in it")
    return as_images(images, shape, what=f"{place}'s images", wanted=wanted)


def _pictures(place: Place) -> AbstractContextManager[Listing] | None:
    """The pictures of a folder or an archive; None where arrays are what the place holds.

    Raises:
        UsageError: it is a file of no kind that is read.
    """
    path = place.path
    if path.is_dir():
        return None if idx_files(path) else folder_listing(path)
    if path.is_file():  # and no pipe, on which reading would wait
        if path.suffix.lower() in array_files.SUFFIXES or is_idx_name(path.name):
            return None
        if is_archive(path):
            return archive_listing(path)
    raise UsageError(f"{path} is a file of no kind that is read; use {KINDS}.")


def _arrays(place: Place) -> tuple[Arrays, list[Chosen]]:
    """The arrays of a place, and which of them are images and labels."""
    if place.path.suffix.lower() in array_files.SUFFIXES:
        arrays = read_arrays(place.path)
        return arrays, choose(arrays, place.path, place.key)
    return read_idx_files(place.path)
