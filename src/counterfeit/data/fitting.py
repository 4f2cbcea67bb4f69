"""Pictures of any size and kind as opaque ones of one size."""

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageColor, ImageOps
from torch import Tensor

Fit = Literal["crop", "pad", "stretch"]
FITS: tuple[Fit, ...] = get_args(Fit)
"""What becomes of a picture that is not square: its central square; all of it, with bars of the
background; or all of it, squeezed."""

BACKGROUND = "white"


def opaque(picture: Image.Image, background: str = BACKGROUND) -> Image.Image:
    """The same, laid on a background where it is transparent: at full size, so that the colour
    which an invisible pixel happens to have is never seen."""
    if not picture.has_transparency_data:
        return picture
    ground = Image.new("RGBA", picture.size, background)
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def resized(
    pictures: Iterable[Image.Image],
    count: int,
    size: int,
    channels: int,
    fit: Fit = "crop",
    background: str = BACKGROUND,
) -> UInt8[Tensor, "N C size size"]:
    """Opaque pictures, `count` of them, as images of `size` x `size` pixels.

    They are resized with Pillow's Lanczos filter, which antialiases.
    """
    mode = "L" if channels == 1 else "RGB"
    pixels = np.empty((count, size, size, channels), np.uint8)
    for target, picture in zip(pixels, pictures, strict=True):
        target[:] = np.asarray(
            _square(picture.convert(mode), size, fit, ImageColor.getcolor(background, mode))
        ).reshape(target.shape)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def _square(
    picture: Image.Image, size: int, fit: Fit, colour: int | tuple[int, ...]
) -> Image.Image:
    lanczos = Image.Resampling.LANCZOS
    if fit == "crop":
        return ImageOps.fit(picture, (size, size), lanczos)
    if fit == "pad":
        return ImageOps.pad(picture, (size, size), lanczos, color=colour)
    return picture.resize((size, size), lanczos)
