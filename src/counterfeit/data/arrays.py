"""Images that somebody holds as numbers, in whatever range and order of axes, as ours: bytes
(N, C, H, W)."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, Shaped, UInt8
from numpy.typing import NDArray
from torch import Tensor

from counterfeit.data.images import as_uint8
from counterfeit.data.pictures import WHITES, white_of
from counterfeit.errors import UsageError

ROUNDING = 1e-3

RANGES: tuple[tuple[float, float], ...] = ((0, 1), (-1, 1), (0, 255))
BYTES_WITH_SIGN: tuple[float, float] = (-128, 127)

CHANNELS = (1, 3, 4)
"""Gray, RGB, and RGB with opacity."""

CHUNK_BYTES = 2 * 2**20
"""Of an array are read at once, so that what lies on a disk need not fit into memory."""

Shape = tuple[int, int, int]
"""(C, H, W)."""


@dataclass(frozen=True)
class Stack:
    """Images in an array, which may lie on a disk: read as ours, some at a time."""

    values: NDArray[Any]
    shape: Shape
    """(C, H, W) of an image."""
    channels_last: bool
    range: tuple[float, float] | None
    """The values that are black and white; None for bytes, which stay as they are."""

    def __len__(self) -> int:
        return len(self.values)

    def read(self, which: slice | NDArray[Any] = slice(None)) -> UInt8[Tensor, "n C H W"]:
        """Some of the images."""
        part = torch.from_numpy(_native(self.values[which]))
        if self.channels_last:
            part = part.permute(0, 3, 1, 2)
        part = part.reshape(len(part), *self.shape)
        if self.range is None:
            return part.contiguous()
        return as_uint8(part.float(), *self.range).contiguous()

    def chunks(self) -> Iterator[UInt8[Tensor, "n C H W"]]:
        """All of them in order, a part at a time."""
        step = rows_in_a_chunk(self.values)
        for start in range(0, len(self), step):
            yield self.read(slice(start, start + step))


def as_images(
    given: Any, shape: Shape, *, what: str, wanted: str, any_range: bool = False
) -> UInt8[Tensor, "N C H W"]:
    """An array or a tensor of images, (N, pixels), (N, H, W), (N, C, H, W) or (N, H, W, C).

    Bytes stay as they are; of other numbers `range_of` says what is black and what is white.

    Args:
        shape: (C, H, W) that they must have.
        what: they are called in messages, and `wanted` what has the shape that they must have.
        any_range: whether others, such as standardised ones, are taken too, from the darkest to
            the brightest.

    Raises:
        UsageError: they are no images, of another shape, or in another range.
    """
    values = as_array(given, what)
    channels, height, width = shape
    last = values.shape[1:] == (height, width, channels) != shape
    fitting = {shape, (channels * height * width,)} | ({shape[1:]} if channels == 1 else set())
    if not last and values.shape[1:] not in fitting:
        raise UsageError(f"{what} are {words(values.shape[1:])}, and {wanted} are {words(shape)}.")
    return Stack(values, shape, last, range_of(values, what, any_range=any_range)).read()


def stack_of(given: Any, what: str, *, any_range: bool = False) -> Stack:
    """Images of whatever size: (N, H, W), (N, H, W, C), (N, C, H, W), or (N, pixels) of gray square
    ones; 1, 3 or 4 channels.

    Raises:
        UsageError: they are no images, of no known layout, or in no known range.
    """
    values = as_array(given, what)
    shape, last = _layout(values.shape, what)
    return Stack(values, shape, last, range_of(values, what, any_range=any_range))


def as_array(given: Any, what: str) -> NDArray[Any]:
    """Numbers in two or more dimensions; of a tensor's, no copy is made.

    Raises:
        UsageError: they are something else.
    """
    try:
        if isinstance(given, Tensor):
            given = given.detach().cpu()
            given = (given.float() if given.dtype == torch.bfloat16 else given).numpy()
        values: NDArray[Any] = np.asanyarray(given)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"{what} must be numbers.") from None
    if values.dtype.kind not in "biuf":
        raise UsageError(f"{what} must be numbers.")
    if values.ndim < 2 or not values.size:
        raise UsageError(f"{what} must be images (N, C, H, W), not {words(values.shape)}.")
    return values


def range_of(
    values: NDArray[Any], what: str, *, any_range: bool = False
) -> tuple[float, float] | None:
    """The numbers that are black and white in an array; None for bytes, which stay as they are.

    It is the first of [0, 1], [-1, 1] and [0, 255] that holds all numbers; of whole ones also
    [-128, 127], and what 10 to 16 bits hold.

    Raises:
        UsageError: there is none, or some are not finite.
    """
    if values.dtype == np.uint8:
        return None
    low, high = math.inf, -math.inf
    step = rows_in_a_chunk(values)
    for start in range(0, len(values), step):
        part = values[start : start + step]
        least, most = float(part.min()), float(part.max())
        if not (math.isfinite(least) and math.isfinite(most)):  # NaN is both
            raise UsageError(f"{what} hold NaN or infinite pixels.")
        low, high = min(low, least), max(high, most)
    ranges = [*RANGES]
    if values.dtype.kind in "iu":
        ranges += [BYTES_WITH_SIGN, (0.0, white_of(int(max(high, 0))))]
    for black, white in ranges:
        if black - ROUNDING <= low and high <= white + ROUNDING:
            return black, white
    if any_range:
        return low, high
    raise UsageError(
        f"{what} have pixels from {low:.3g} to {high:.3g}; they must lie in [0, 1], [-1, 1] or"
        f" [0, 255], or be whole numbers up to {WHITES[-1]:,}."
    )


def in_one_range(stacks: Sequence[Stack]) -> list[Stack]:
    """The same stacks, those of one type of numbers in the widest of their ranges: what is white in
    one split is so in another, which may have gray images only."""

    def widest(stack: Stack) -> tuple[float, float] | None:
        alike = [each.range for each in stacks if each.values.dtype == stack.values.dtype]
        ranges = [each for each in alike if each is not None]
        return next(
            (r for r in ranges if all(r[0] <= low and high <= r[1] for low, high in ranges)),
            stack.range,
        )

    return [replace(stack, range=widest(stack)) for stack in stacks]


def as_labels(
    values: Shaped[np.ndarray, "N columns"],
) -> tuple[Int64[Tensor, " N"], tuple[str, ...]] | None:
    """The class of each image, and the classes' names where the labels are no numbers from 0.

    A column of whole numbers or words; or several, of which one is 1 and the others 0. None where
    they are something else, such as several classes of one image.
    """
    if values.shape[1] > 1:
        if values.dtype.kind not in "biuf" or not (
            ((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all()
        ):
            return None
        return torch.from_numpy(values.argmax(1)), ()
    values = values[:, 0]
    if values.dtype.kind == "f" and (np.isfinite(values) & (values == np.floor(values))).all():
        values = values.astype(np.int64)
    if values.dtype.kind in "biu" and values.min() >= 0 and values.max() < MOST_CLASSES:
        return torch.from_numpy(values.astype(np.int64)), ()
    if values.dtype.kind not in "biuUS":
        return None
    names, numbers = np.unique(values, return_inverse=True)
    return torch.from_numpy(numbers.astype(np.int64)), tuple(_as_text(name) for name in names)


MOST_CLASSES = 100_000


def rows_in_a_chunk(values: NDArray[Any]) -> int:
    return max(1, CHUNK_BYTES // max(1, values[:1].nbytes))


def words(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _layout(shape: tuple[int, ...], what: str) -> tuple[Shape, bool]:
    """(C, H, W) of the images in an array of that shape, and whether their channels come last."""
    match shape[1:]:
        case (pixels,) if (side := math.isqrt(pixels)) ** 2 == pixels:
            return (1, side, side), False
        case (height, width):
            return (1, height, width), False
        case (first, second, third):
            first_fits, last_fits = first in CHANNELS, third in CHANNELS
            if first_fits and last_fits:  # as for 3 x 4 x 4: what makes squares
                first_fits, last_fits = second == third, first == second
            if first_fits != last_fits:
                return ((third, first, second) if last_fits else (first, second, third)), last_fits
    raise UsageError(
        f"{what} are {words(shape)}, which is neither (N, H, W) nor (N, H, W, C) nor (N, C, H, W)"
        " with 1, 3 or 4 channels, or may be two of them; reshape them."
    )


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """The same in memory, in this machine's order of bytes and a type that torch has."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "u" and size > 1:
        return values.astype(np.int32 if size == 2 else np.float64)
    if kind == "f" and size > 8:
        return values.astype(np.float64)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return native if native.flags.writeable else native.copy()


def _as_text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
