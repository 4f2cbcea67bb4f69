"""Images that somebody holds as numbers, in whatever range and order of axes, as ours: bytes
(N, C, H, W)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from counterfeit.data.images import as_uint8
from counterfeit.errors import UsageError

ROUNDING = 1e-3

RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))


def as_images(
    given: Any, shape: tuple[int, int, int], *, what: str, wanted: str, any_range: bool = False
) -> UInt8[Tensor, "N C H W"]:
    """An array or a tensor of images, (N, pixels), (N, H, W), (N, C, H, W) or (N, H, W, C).

    Bytes stay as they are; other numbers must lie in [0, 1], [-1, 1] or [0, 255], the first of
    these that holds them all.

    Args:
        shape: (C, H, W) that they must have.
        what: they are called in messages, and `wanted` what has the shape that they must have.
        any_range: whether others, such as standardised ones, are taken too, from the darkest to
            the brightest.

    Raises:
        UsageError: they are no images, of another shape, or in another range.
    """
    try:
        values = given if isinstance(given, Tensor) else torch.from_numpy(np.array(given))
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"{what} must be numbers.") from None
    values = values.detach().cpu()
    if values.ndim < 2 or values.is_complex() or not values.numel():
        raise UsageError(f"{what} must be images (N, C, H, W), not {words(values.shape)}.")
    channels, height, width = shape
    if tuple(values.shape[1:]) == (height, width, channels) != shape:
        values = values.permute(0, 3, 1, 2)
    fitting = {shape, (channels * height * width,)} | ({shape[1:]} if channels == 1 else set())
    if tuple(values.shape[1:]) not in fitting:
        raise UsageError(f"{what} are {words(values.shape[1:])}, and {wanted} are {words(shape)}.")
    values = values.reshape(len(values), *shape)
    if values.dtype == torch.uint8:
        return values.contiguous()
    floats = values.float()
    if not floats.isfinite().all():
        raise UsageError(f"{what} hold NaN or infinite pixels.")
    return as_uint8(floats, *_range(floats, what, any_range))


def _range(values: Float[Tensor, "..."], what: str, any_range: bool) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    for start, end in RANGES:
        if start - ROUNDING <= low and high <= end + ROUNDING:
            return start, end
    if any_range:
        return low, high
    raise UsageError(
        f"{what} have pixels from {low:.3g} to {high:.3g}; they must lie in [0, 1], [-1, 1] or"
        " [0, 255]."
    )


def words(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
