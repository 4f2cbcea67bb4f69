"""Grids of images, in exact pixels: each becomes a square, without gaps or smoothing."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

T = TypeVar("T")
Pixels = UInt8[np.ndarray, "N C H W"]
CELL = 84
"""About how many pixels wide a grid shows each image."""
COLUMNS = 10

FAINT = "#767676"
"""As far from white as from black, to the eye."""

SHADE = 17
"""From one of 16 shades to the next."""


def cell_scale(height: int, width: int) -> int:
    """How many pixels a side each pixel of an image becomes in a grid."""
    return max(1, round(CELL / max(height, width)))


def grid(images: Pixels, columns: int = COLUMNS, scale: int | None = None) -> Image.Image:
    """Images (N, C, H, W), C = 1 or 3, row by row; cells left over are transparent."""
    count, channels, height, width = images.shape
    rows = math.ceil(count / columns)
    scale = cell_scale(height, width) if scale is None else scale
    cells = np.zeros((rows * columns, height, width, 4), np.uint8)
    cells[:count, ..., :3] = images.transpose(0, 2, 3, 1)
    cells[:count, ..., 3] = 255
    canvas = cells.reshape(rows, columns, height, width, 4).swapaxes(1, 2)  # rows H columns W
    pixels = canvas.reshape(rows * height, columns * width, 4)
    picture = Image.fromarray(pixels.repeat(scale, axis=0).repeat(scale, axis=1))
    if rows * columns > count:
        return picture
    return picture.convert("L" if channels == 1 else "RGB")


def beside(left: Image.Image, right: Image.Image, gap: int) -> Image.Image:
    """Two grids of one height, a transparent gap of so many pixels between them."""
    picture = Image.new("RGBA", (left.width + gap + right.width, left.height))
    picture.paste(left, (0, 0))
    picture.paste(right, (left.width + gap, 0))
    return picture


def labelled_columns(images: UInt8[np.ndarray, "R K C H W"], labels: Sequence[str]) -> Image.Image:
    """R rows of K images, a label above each column, which reads on white and on black."""
    rows, columns, *shape = images.shape
    scale = 2 * cell_scale(shape[1], shape[2])  # pages show it smaller, and text wants detail
    cells = grid(images.reshape(rows * columns, *shape), columns, scale).convert("RGBA")
    font = ImageFont.load_default(size=52)
    strip = 64
    picture = Image.new("RGBA", (cells.width, cells.height + strip))
    picture.paste(cells, (0, strip))
    draw = ImageDraw.Draw(picture)
    cell = cells.width // columns
    for place, label in enumerate(labels):
        draw.text((place * cell + cell / 2, strip / 2), label, FAINT, font, anchor="mm")
    return picture


def in_few_shades(images: Pixels) -> Pixels:
    """Images in the nearest of 16 shades a channel: enough to follow a history by, in half the
    bytes."""
    return (np.round(images / SHADE) * SHADE).astype(np.uint8)


def evenly(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of the items, evenly spaced, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(index)] for index in np.linspace(0, len(items) - 1, count)]
