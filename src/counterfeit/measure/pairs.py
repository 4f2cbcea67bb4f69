"""Euclidean distances between all pairs of rows."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

CHUNK = 2_000
"""Rows at once: bounds the memory of a table of distances."""

ROUNDING = 4e-6
"""What float32 may leave of |a|^2 + |b|^2 - 2ab for a = b, as a share of |a|^2."""


def squared_distances(a: Float[Tensor, "N D"], b: Float[Tensor, "M D"]) -> Float[Tensor, "N M"]:
    """|a_i - b_j|^2 in float32; what cannot be told from zero is zero."""
    norms = a.square().sum(1, keepdim=True)  # (N, 1)
    squares = torch.addmm(b.square().sum(1), a, b.T, alpha=-2).add_(norms)
    return squares.masked_fill_(squares < ROUNDING * norms, 0)


def nearest(
    images: UInt8[Tensor, "N C H W"],
    among: UInt8[Tensor, "M C H W"],
    *,
    progress: Callable[[float], None] = lambda done: None,
) -> tuple[Float[Tensor, " N"], Int64[Tensor, " N"]]:
    """The distance of each image to the nearest of `among`, pixels in [0, 1], and which it is.

    The distance itself is exact: zero means the same image.
    """
    points = as_points(images)
    best = torch.full((len(images),), torch.inf)
    index = torch.zeros(len(images), dtype=torch.int64)
    for start in range(0, len(among), CHUNK):
        part = squared_distances(points, as_points(among[start : start + CHUNK])).min(1)
        index = torch.where(part.values < best, part.indices + start, index)
        best = torch.minimum(part.values, best)
        progress(min(1, (start + CHUNK) / len(among)))
    return (points - as_points(among[index])).square().sum(1).sqrt(), index


def as_points(images: UInt8[Tensor, "N C H W"]) -> Float[Tensor, "N pixels"]:
    """Images as rows of float32 in [0, 1]."""
    return images.flatten(1).float().div_(255)
