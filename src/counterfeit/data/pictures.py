"""One encoded picture, as Pillow reads it: upright, opaque, of 8 bits a channel."""

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from counterfeit.data.fitting import BACKGROUND, opaque

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what is broken, we say

NOT_STILL = frozenset({"EPS", "PDF", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"})
"""Of what Pillow opens: programs for another one to run, films, and weather, for which it has no
decoder of its own."""

GRAY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})

WHITES = (255, 1023, 4095, 16383, 65535)
"""The highest values of 8, 10, 12, 14 and 16 bits, which cameras and scanners put into 16."""


class Broken(Exception):
    """A picture that cannot be read; the message says why, without its name."""


@dataclass(frozen=True)
class Picture:
    """An encoded picture that lies somewhere."""

    name: str
    """As messages call it."""
    parts: tuple[str, ...]
    """The folders that it lies in, and its own name."""
    read: Callable[[], bytes]
    """Its bytes. Raises whatever the place raises."""


class Glance(NamedTuple):
    """What can be told of a picture before it is decoded."""

    gray: bool
    brightest: int | None
    """Of 16 bits; None for other depths."""


@cache
def formats() -> tuple[str, ...]:
    """The still formats of image files that Pillow reads here, by its names."""
    named = Image.registered_extensions().values()
    return tuple(sorted(Image.OPEN.keys() & set(named) - NOT_STILL))


@cache
def suffixes() -> frozenset[str]:
    """How the names of such files end, with the dot."""
    known = formats()
    return frozenset(end for end, form in Image.registered_extensions().items() if form in known)


def content_of(picture: Picture) -> bytes:
    """Its bytes.

    Raises:
        Broken: they cannot be read.
    """
    try:
        return picture.read()
    except OSError as error:
        raise Broken(error.strerror or str(error)) from error
    except Exception as error:  # archives fail with many types
        raise Broken(str(error) or type(error).__name__) from error


def glance(content: bytes) -> Glance:
    """Look at a picture's header; of 16 bits, also at its pixels.

    Raises:
        Broken: it cannot be read.
    """
    with _opened(content) as image:
        deep = image.mode.startswith("I")
        return Glance(image.mode in GRAY_MODES, int(np.asarray(image).max()) if deep else None)


def decode(
    content: bytes, mode: str, background: str = BACKGROUND, white: int = WHITES[-1]
) -> Image.Image:
    """The picture, turned as its EXIF data say and laid on the background where it is transparent.

    Of an animation it is the first frame.

    Args:
        mode: Pillow's, L or RGB.
        white: the value of 16 bits that is white.

    Raises:
        Broken: it cannot be read.
    """
    with _opened(content) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "F" or upright.mode.startswith("I"):
            return _from_16_bits(upright, white).convert(mode)
        upright.load()
        return opaque(upright, background).convert(mode)


def white_of(brightest: int) -> int:
    """The highest value of the depth that pictures of 16 bits really have."""
    return next((white for white in WHITES if 0 < brightest <= white), WHITES[-1])


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """The image of a file; whatever goes wrong with it is its being broken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=formats()) as image:
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Broken(f"it has more than {Image.MAX_IMAGE_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise Broken(
            "it is of no format that Pillow reads" if content else "it is empty"
        ) from error
    except Exception as error:  # Pillow's decoders fail with many types
        raise Broken(" ".join(str(error).split()) or type(error).__name__) from error


def _from_16_bits(image: Image.Image, white: int) -> Image.Image:
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > WHITES[-1]:
        raise ValueError("its pixels are not of 8 or 16 bits")
    rounded = values.astype(np.int32)
    rounded *= 255
    rounded += white // 2  # to the nearest: white is odd, so there are no ties
    rounded //= white
    return Image.fromarray(rounded.clip(0, 255).astype(np.uint8))
