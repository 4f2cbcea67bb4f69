"""Pictures of any size and kind as opaque ones of one size."""

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Look:
    """What images are to look like, whatever they were."""

    size: int | None = None
    """Height and width; None for those that they have."""
    channels: Literal[1, 3] | None = None
    """Gray or RGB; None for what they are."""
    fit: Fit = "crop"
    background: str = BACKGROUND


def opaque(picture: Image.Image, background: str = BACKGROUND) -> Image.Image:
    """The same, laid on a background where it is transparent: at full size, so that the colour
    which an invisible pixel happens to have is never seen."""
    if not picture.has_transparency_data:
        return picture
    ground = Image.new("RGBA", picture.size, background)
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def fitted(
    picture: Image.Image, size: tuple[int, int], channels: int, look: Look
) -> UInt8[np.ndarray, "H W C"]:
    """An opaque picture as an image of `size`, (H, W).

    It is resized with Pillow's Lanczos filter, which antialiases.
    """
    mode = "L" if channels == 1 else "RGB"
    height, width = size
    picture = picture.convert(mode)
    lanczos = Image.Resampling.LANCZOS
    if look.fit == "crop":
        picture = ImageOps.fit(picture, (width, height), lanczos)
    elif look.fit == "pad":
        bars = ImageColor.getcolor(look.background, mode)
        picture = ImageOps.pad(picture, (width, height), lanczos, color=bars)
    else:
        picture = picture.resize((width, height), lanczos)
    return np.asarray(picture).reshape(height, width, channels)


def fitted_shape(shape: tuple[int, int, int], look: Look) -> tuple[int, int, int]:
    """(C, H, W) of what `fit_all` makes of images of that shape."""
    channels, height, width = shape
    if look.size is not None:
        height = width = look.size
    return look.channels or min(channels, 3), height, width


def fit_all(images: UInt8[Tensor, "N c h w"], look: Look) -> UInt8[Tensor, "N C H W"]:
    """Images that are numbers, gray, RGB or RGB with opacity, as they are to look."""
    channels, height, width = images.shape[1:]
    wanted = fitted_shape((channels, height, width), look)
    if wanted == (channels, height, width):
        return images
    if wanted == (3, height, width) and channels == 1:
        return images.repeat(1, 3, 1, 1)
    pixels = np.empty((len(images), *wanted[1:], wanted[0]), np.uint8)
    for target, picture in zip(pixels, _pictures(images), strict=True):
        target[:] = fitted(opaque(picture, look.background), wanted[1:], wanted[0], look)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def _pictures(images: UInt8[Tensor, "N C H W"]) -> Iterator[Image.Image]:
    for image in images.permute(0, 2, 3, 1):
        yield Image.fromarray((image[..., 0] if image.shape[2] == 1 else image).numpy())
