"""A data set in memory, from whatever its name means."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, SupportsIndex

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data import splits
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.data.cifar import holds_cifar, read_cifar
from counterfeit.data.emnist import holds_emnist, holds_qmnist, read_only_emnist, read_qmnist
from counterfeit.data.fitting import BACKGROUND, FITS, Fit, Look, fit_all
from counterfeit.data.images import SPLITS, ImageData, Split, Stored
from counterfeit.data.own import load_own
from counterfeit.data.published import data_folder, fetch, find, is_published
from counterfeit.data.svhn import holds_svhn, read_svhn
from counterfeit.data.usps import holds_usps, read_usps
from counterfeit.errors import UsageError
from counterfeit.recipe.sections import MAX_IMAGE_SIZE, Data

FORMATS: tuple[tuple[Callable[[Path], bool], Callable[[Path, Split], Stored]], ...] = (
    (holds_emnist, read_only_emnist),
    (holds_qmnist, read_qmnist),
    (holds_cifar, read_cifar),
    (holds_svhn, read_svhn),
    (holds_usps, read_usps),
)
"""What a folder of published files may hold, and how it is read."""


def load(
    name: StrPath,
    split: Split = "train",
    data_dir: StrPath | None = None,
    image_size: SupportsIndex | None = None,
    channels: Literal[1, 3] | None = None,
    fit: Fit = "crop",
    background: str = BACKGROUND,
    skip_broken: bool = False,
) -> ImageData:
    """A data set in memory.

    Args:
        name: a published set, of those that `counterfeit data` lists, or a path: a folder or a zip
            or tar archive of images, IDX files, a folder of a published set's files, or a file of
            arrays (.npz, .npy, .safetensors, .pt), of which `FILE:KEY` says where the images are;
            docs/data.md says how each is read. A path that equals a name needs `./`.
        split: `train`, `test` or `validation`, which is the last part of `train`. Published sets
            are split as their sources say: `digits` has 1,437 images and the last 360 for testing,
            and the validation split is the last sixth of the training images. Emoji, of which no
            source says so, and the user's images are split by content, about 5 : 1 : 1, or 5 : 1
            where test images are files of their own, in the order of their hashes; `splits` says
            how. Folders and arrays called train, test and validation are taken at their word.
        data_dir: where published sets are kept; see `data_folder`.
        image_size: height and width. By default 28 for a folder or an archive of images, 32 for
            emoji, and for the others as they are stored.
        channels: 1 for gray or 3 for RGB. By default, as stored: a folder or an archive is gray if
            all its files are.
        fit: how an image becomes a square one: `crop` to its central square, `pad` with the
            background, or `stretch`. It is resized with Pillow's Lanczos filter, which antialiases.
        background: what transparent images are laid on: a colour of CSS's names or `#rrggbb`.
        skip_broken: whether to go on without images of a folder or an archive that cannot be read;
            `ImageData.source` names them.

    Raises:
        UsageError: an unknown name, split, size, number of channels, fit or colour.
        CounterfeitError: the data cannot be fetched, or a file is damaged; the message names it.
    """
    name = arguments.text("name", name)
    if not isinstance(split, str) or split not in SPLITS:
        raise UsageError(
            f"there is no split {arguments.shown(split)}; use train, validation or test."
        )
    if data_dir is not None:
        data_dir = arguments.path("data_dir", data_dir)
    if image_size is not None:
        image_size = arguments.whole_number("image_size", image_size, least=1, most=MAX_IMAGE_SIZE)
    if channels is not None and not (isinstance(channels, int) and channels in (1, 3)):
        raise UsageError(f"channels must be 1 (gray) or 3 (RGB), not {arguments.shown(channels)}.")
    fit = arguments.one_of("fit", fit, FITS)
    if not arguments.is_colour(background):
        raise UsageError(
            "background must be a colour such as white or #ffcc00, not"
            f" {arguments.shown(background)}."
        )

    look = Look(image_size, channels, fit, background)
    return _load(name, split, data_dir, look, skip_broken=skip_broken)


def load_for(section: Data, split: Split = "train", data_dir: Path | None = None) -> ImageData:
    """A split of the data of a recipe's section, whole: `train_images` is left to the caller.

    Raises:
        UsageError, CounterfeitError: see `load`.
    """
    look, skip = look_of(section), section.skip_broken
    return _load(section.name, split, data_dir, look, skip_broken=skip)


def look_of(section: Data) -> Look:
    """What a recipe's section says of the images' look."""
    return Look(section.image_size, section.channels, section.fit, section.background)


def anchored(name: str) -> str:
    """The name under which the same data are found from every working directory.

    A published name is one, whatever folders there are; of the user's own it is the whole path.
    What is neither stays as it is.
    """
    if is_published(name):
        return name
    try:
        place = find(name)
    except UsageError:
        return name
    return str(place._replace(path=place.path.resolve()))


def _load(
    name: str, split: Split, data_dir: Path | None, look: Look, *, skip_broken: bool
) -> ImageData:
    if split == "validation":
        return _load(name, "train", data_dir, look, skip_broken=skip_broken).validation
    if is_published(name):
        published = PUBLISHED[name]
        images, labels, classes, held_out = published.read(fetch(name, data_dir), split)
        classes = classes or published.classes
        look = replace(look, size=look.size or published.image_size)
        if held_out is None:
            held_out = splits.published_validation(len(images)) if split == "train" else 0
        return ImageData(name, split, fit_all(images, look), labels, classes, held_out)
    place = find(name)
    read = next((read for holds, read in FORMATS if holds(place.path)), None)
    if read is None:
        shelves = data_folder(data_dir) / "fitted"
        return load_own(name, place, split, look, shelves, skip_broken=skip_broken)
    images, labels, classes, _ = read(place.path, split)
    held_out = 0
    if split == "train":
        assert labels is not None  # of all of these formats
        keys = [splits.key(image.tobytes()) for image in images.numpy()]
        order, held_out, _ = splits.by_content(keys, labels.tolist(), test=False)
        images, labels = images[order], labels[order]
    return ImageData(name, split, fit_all(images, look), labels, classes, held_out)
