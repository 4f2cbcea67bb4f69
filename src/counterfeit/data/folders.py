"""Folders of the user's own images, as Pillow reads them."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

from counterfeit.data import splits
from counterfeit.data.fitting import BACKGROUND, Fit, opaque, resized
from counterfeit.data.images import ImageData, Split
from counterfeit.errors import CounterfeitError, UsageError

DEFAULT_IMAGE_SIZE = 28
"""Height and width when the user names none."""
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm", ".pbm"}
)
GRAY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})


def read_folder(
    name: str,
    folder: Path,
    split: Split,
    image_size: int | None,
    channels: int | None,
    fit: Fit,
    background: str,
) -> ImageData:
    """The training images or the test images of a folder, in the order of `splits.by_content`.

    The label is the first sub-folder's name when all images lie in sub-folders. The first frame of
    an animation counts; an image is turned as its EXIF data say, and laid on the background where
    it is transparent. Links to folders are not followed.
    """
    paths = _list_images(folder)
    if not paths:
        raise CounterfeitError(f"{folder} holds no images ({' '.join(sorted(IMAGE_SUFFIXES))}).")
    classes: tuple[str, ...] = ()
    labels = None
    parents = [path.relative_to(folder).parts[:-1] for path in paths]
    if all(parents):
        names = sorted({parts[0] for parts in parents})
        labels = [names.index(parts[0]) for parts in parents]
        classes = tuple(name.encode(errors="replace").decode() for name in names)

    parts = splits.by_content([_key(path) for path in paths], labels, test=True)
    part = parts.train if split == "train" else parts.test
    if not part:
        raise CounterfeitError(
            f"{folder} holds {len(paths)} images, of which none is for testing (about one in"
            f" {splits.TEST_SHARE} is, by content); add images, or use the train split."
        )

    if channels is None:
        channels = 1 if all(_is_gray(path) for path in paths) else 3
    mode = "L" if channels == 1 else "RGB"
    opened = (_read_image(paths[i], mode, background) for i in part)
    size = image_size or DEFAULT_IMAGE_SIZE
    return ImageData(
        name,
        split,
        resized(opened, len(part), size, channels, fit, background),
        None if labels is None else torch.tensor([labels[i] for i in part]),
        classes,
        parts.validation if split == "train" else 0,
    )


def read_as_they_are(
    folder: Path, shape: tuple[int, int, int], wanted: str
) -> UInt8[Tensor, "N C H W"]:
    """All images of a folder, of whatever class or split, none of them resized.

    Args:
        shape: (C, H, W) that they must have, as `wanted` are; gray ones may be stored in colour.

    Raises:
        UsageError: one is of another size or in colour; the message names it.
        CounterfeitError: there is none, or one cannot be read.
    """
    paths = _list_images(folder)
    if not paths:
        raise CounterfeitError(f"{folder} holds no images ({' '.join(sorted(IMAGE_SUFFIXES))}).")
    channels, height, width = shape
    pixels = np.empty((len(paths), height, width, 3), np.uint8)
    for target, path in zip(pixels, paths, strict=True):
        picture = _read_image(path, "RGB", BACKGROUND)
        if picture.size != (width, height):
            raise UsageError(
                f"{path} is {picture.height} x {picture.width} pixels, and {wanted} are"
                f" {height} x {width}."
            )
        target[:] = np.asarray(picture)
        if channels == 1 and (target != target[..., :1]).any():
            raise UsageError(f"{path} is in colour, and {wanted} are gray.")
    return torch.from_numpy(pixels[..., :channels]).permute(0, 3, 1, 2).contiguous()


def _list_images(folder: Path) -> list[Path]:
    def fail(error: OSError) -> None:
        raise CounterfeitError(f"cannot read {error.filename}: {error.strerror}.") from error

    found = []
    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [f for f in folders if not f.startswith(".")]
        found += [
            path
            for path in (Path(parent, f) for f in files if not f.startswith("."))
            if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
        ]
    return sorted(found, key=lambda path: path.relative_to(folder).parts)


def _key(path: Path) -> int:
    try:
        return splits.key(path.read_bytes())
    except OSError as error:
        raise CounterfeitError(
            f"cannot read the image {path}: {error.strerror}; replace or remove it."
        ) from error


def _is_gray(path: Path) -> bool:
    with _opened(path) as image:
        return image.mode in GRAY_MODES


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image of a file; whatever goes wrong with it is an error that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise CounterfeitError(
            f"{path} has more than {Image.MAX_IMAGE_PIXELS:,} pixels; shrink or remove it."
        ) from error
    except Exception as error:  # Pillow's decoders fail with many types
        raise CounterfeitError(
            f"cannot read the image {path}: {error or type(error).__name__}; replace or remove it."
        ) from error


def _read_image(path: Path, mode: str, background: str) -> Image.Image:
    """An image of 8 bits a channel, upright and opaque, in Pillow's mode L or RGB."""
    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "F" or upright.mode.startswith("I"):
            return _from_16_bits(upright).convert(mode)
        upright.load()
        return opaque(upright, background).convert(mode)


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError("its pixels are not of 8 or 16 bits")
    rounded = values.astype(np.int32)
    rounded += 128
    rounded //= 257  # to the nearest: 257 is odd, so there are no ties
    return Image.fromarray(rounded.astype(np.uint8))
