"""How many different images a generator makes, by the birthday paradox: for images of any kind.

Of n images that are one of k different ones, each as likely as another, n (n - 1) / 2k pairs are of
the same one. So one over the share of pairs that are near-copies says how many different images
there are, and a hundred images tell ten from a thousand.

What a near-copy is, real images say: as near as of a thousand pairs of them one is. So real images
score about 1,000 by this measure, whatever they show and however alike they are.

Source: Arora and Zhang 2017 (arXiv 1706.08224), who look for the copies themselves.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from counterfeit.measure.measurement import Measurement, all_then_without_each, jackknife
from counterfeit.measure.pairs import squared_distances

CELLS = 8
"""Images are compared by the means of so many by so many cells, in which noise averages out."""

FLAT = 0.02
"""A contrast, as a standard deviation of pixels in [0, 1], that says nothing: it is not enlarged
beyond, so that images of one grey each are alike."""

REAL_SHARE = 1e-3

LEAST_IMAGES = 40
"""Real images that it takes to say what near is: 780 pairs; and as many to say what is usual."""


def sketches(images: UInt8[Tensor, "N C H W"]) -> Float[Tensor, "N cells"]:
    """What is compared: coarse images, without their brightness and contrast."""
    _, _, height, width = images.shape
    cells = min(CELLS, height), min(CELLS, width)
    coarse = torch.nn.functional.adaptive_avg_pool2d(images.float().div_(255), cells).flatten(1)
    centred = coarse - coarse.mean(1, keepdim=True)
    least = FLAT * math.sqrt(centred.shape[1])
    normalised: Tensor = centred / (centred.norm(dim=1, keepdim=True) + least)
    return normalised


def pair_distances(points: Float[Tensor, "N D"]) -> Float[Tensor, " pairs"]:
    """Of every pair once."""
    rows, columns = torch.triu_indices(len(points), len(points), 1)
    squares: Tensor = squared_distances(points, points)[rows, columns]
    return squares.sqrt_()


@dataclass(frozen=True)
class Nearness:
    """How near two images are that count as copies of each other."""

    distance: float
    """Between sketches."""
    real_support: float
    """What real images score: about 1,000; less where they repeat each other."""

    @classmethod
    def of(cls, real: UInt8[Tensor, "N C H W"]) -> "Nearness | None":
        """As real images say; None of fewer than 40."""
        if len(real) < LEAST_IMAGES:
            return None
        distances = pair_distances(sketches(real))
        count = max(1, round(REAL_SHARE * len(distances)))
        distance = float(distances.kthvalue(count).values)
        return cls(distance, len(distances) / int((distances <= distance).sum()))

    def support(self, images: UInt8[Tensor, "N C H W"]) -> float:
        """About how many different images there are among two or more, which can tell no more than
        N (N - 1) / 2."""
        distances = pair_distances(sketches(images))
        return len(distances) / max(1, int((distances <= self.distance).sum()))


def as_many(samples: Measurement, real: Measurement) -> bool:
    """Whether samples are as many different images as real ones, as far as can be told: an estimate
    above theirs rests on fewer pairs than the one in 1,000 of theirs, and is mostly noise."""
    return samples.value >= real.value


def support_size(samples: UInt8[Tensor, "N C H W"], nearness: Nearness) -> Measurement:
    """About how many different images a generator makes, with its standard error, from N >= 40.

    Where no pair is near the value is a lower bound: one pair is counted then.
    """
    points = sketches(samples)
    near = squared_distances(points, points).sqrt_() <= nearness.distance
    near = near.fill_diagonal_(False).double()
    values = []
    for weight in all_then_without_each(len(samples)):
        stays = (weight > 0).double()
        count = float(stays.sum())
        pairs = max(1.0, float(stays @ near @ stays) / 2)
        values.append(count * (count - 1) / 2 / pairs)
    return jackknife(torch.tensor(values))
