"""Do images look like real ones at all? By a few plain numbers of each, for images of any kind.

They are what noise, blur and wrong colours change at once, in any data set and at any size:
roughness, contrast, brightness and colourfulness. Real images say what is usual.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from counterfeit.measure.measurement import Measurement, mean
from counterfeit.measure.support import LEAST_IMAGES

TAIL = 0.005
"""Of real images on either side of what is usual, by each of the four numbers."""

SLACK = (0.1, 0.02, 0.02, 0.06)
"""By each number, how far beyond what real ones have nobody minds: gray images stored in colour
have no colour at all, and G's have a tint."""


def looks(images: UInt8[Tensor, "N C H W"]) -> Float[Tensor, "N 4"]:
    """Of each image:

    - roughness: the logarithm of how far neighbouring pixels are apart, as a share of how far any
      two are: mean squares, so that it is 0 for white noise, and low where the image is smooth;
    - contrast and brightness: standard deviation and mean of its pixels in [0, 1];
    - colourfulness: the mean over pixels of the largest less the smallest channel, 0 for gray.
    """
    pixels = images.float().div_(255)  # (N, C, H, W)
    values = pixels.flatten(1)
    down = (pixels[:, :, 1:] - pixels[:, :, :-1]).square_().flatten(1).mean(1)
    across = (pixels[..., 1:] - pixels[..., :-1]).square_().flatten(1).mean(1)
    variance = pixels.flatten(2).var(2, correction=0).mean(1)
    roughness = ((down + across) / 4 + 1e-6) / (variance + 1e-4)  # a flat image is smooth
    colourfulness = (pixels.amax(1) - pixels.amin(1)).flatten(1).mean(1)
    return torch.stack([roughness.log(), values.std(1), values.mean(1), colourfulness], 1)


@dataclass(frozen=True)
class Usual:
    """Between which numbers nearly all real images lie."""

    low: Float[Tensor, " 4"]
    high: Float[Tensor, " 4"]

    @classmethod
    def of(cls, real: UInt8[Tensor, "N C H W"]) -> "Usual | None":
        """As real images say; None of fewer than 40."""
        if len(real) < LEAST_IMAGES:
            return None
        ends = looks(real).quantile(torch.tensor([TAIL, 1 - TAIL]), dim=0)
        slack = torch.tensor(SLACK)
        return cls(ends[0] - slack, ends[1] + slack)

    def unlike(self, images: UInt8[Tensor, "N C H W"]) -> Bool[Tensor, " N"]:
        """Which images are outside by any of the numbers: of real ones, 4 in a hundred at most."""
        numbers = looks(images)
        return ((numbers < self.low) | (numbers > self.high)).any(1)


def unlike(samples: UInt8[Tensor, "N C H W"], usual: Usual) -> Measurement:
    """The share of samples that look like no real image, with its standard error."""
    return mean(usual.unlike(samples))
