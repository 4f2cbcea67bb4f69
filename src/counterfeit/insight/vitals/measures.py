"""Pure measures of images and networks, each one number."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from counterfeit import networks
from counterfeit.files import Row


def mean_distance(among: Float[Tensor, "N N"]) -> float:
    """The mean distance between two of N points, from all of these; NaN for fewer than two."""
    count = len(among)
    return float(among.sum() / (count * (count - 1))) if count > 1 else math.nan


def variety(
    among: Float[Tensor, "N N"], to_real: Float[Tensor, "N R"], scale: float
) -> tuple[float, float]:
    """The spread and the distance of vital signs, from Euclidean distances of N generated images
    among themselves and to R real ones, whose own mean distance is `scale`."""
    spread = mean_distance(among) / scale
    return spread, 2 * float(to_real.mean()) / scale - spread - 1


def extreme(images: UInt8[Tensor, "N C H W"]) -> float:
    """The share of pixels that are 0 or 255."""
    return float(((images == 0) | (images == 255)).float().mean())


def largest_share(images: UInt8[Tensor, "N C H W"]) -> float:
    """The share of the commonest image."""
    return max(_counts(images)) / len(images)


def repeated_or_flat(images: UInt8[Tensor, "N C H W"]) -> float:
    """The share of images that are of one grey, or equal to an earlier one."""
    rows = images.flatten(1)
    flat = int((rows.amin(1) == rows.amax(1)).sum())
    textured = images[rows.amin(1) != rows.amax(1)]
    repeated = len(textured) - len(_counts(textured)) if len(textured) else 0
    return (flat + repeated) / len(images)


def _counts(images: UInt8[Tensor, "N C H W"]) -> list[int]:
    """How often each different image occurs."""
    _, counts = np.unique([image.tobytes() for image in images.numpy()], return_counts=True)
    return [int(count) for count in counts]


def above(ones: Float[Tensor, " N"], others: Float[Tensor, " M"]) -> float:
    """The probability that one of `ones` is above one of `others`, ties counted half."""
    higher = (ones[:, None] > others).float() + 0.5 * (ones[:, None] == others).float()
    return float(higher.mean())


def idle_units(hidden: nn.Sequential, x: Float[Tensor, "N ..."], player: str) -> Row:
    """What is never used in a network's hidden layers, of all that a batch could use.

    Each number is of the worst layer: `_dead`, the share of rectifiers that are 0 for every row;
    `_idle_pieces`, the share of maxout pieces that are the largest for no row. The article's shared
    maxout is left out: three lines whose maximum uses only two of them are no fault.
    """
    worst: dict[str, float] = {}
    for name, share in _idle_layers(hidden, x):
        key = f"{player}_{name}"
        worst[key] = max(share, worst.get(key, 0.0))
    return worst


def _idle_layers(hidden: nn.Sequential, x: Tensor) -> Iterator[tuple[str, float]]:
    for layer in hidden:
        y = layer(x)
        if isinstance(layer, nn.ReLU):
            yield "dead", float((_by_unit(y).amax(0) <= 0).float().mean())
        elif isinstance(layer, networks.Maxout):
            pieces = layer.linear(x).view(-1, layer.pieces, layer.units)
            wins = torch.eq(pieces, pieces.amax(1, keepdim=True)).any(0)  # (pieces, units)
            yield "idle_pieces", float((~wins).float().mean())
        elif isinstance(layer, networks.ChannelMaxout):
            lines = _by_unit(x)
            pieces = lines.view(len(lines), -1, layer.pieces)  # (rows, units, pieces)
            wins = torch.eq(pieces, pieces.amax(2, keepdim=True)).any(0)
            yield "idle_pieces", float((~wins).float().mean())
        x = y


def _by_unit(x: Float[Tensor, "N units ..."]) -> Float[Tensor, "rows units"]:
    """What each unit puts out, a convolution's in every place."""
    return x.flatten(2).movedim(2, 1).flatten(0, 1) if x.ndim > 2 else x
