"""Do images look like real ones at all? By a few plain numbers of each, for images of any kind.

They are what noise, blur and wrong colours change at once, in any data set and at any size:
roughness and grain, contrast, brightness, colours, and what is where no real image has it. Real
images say what is usual, and their contrast how much of a difference is worth a word.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from counterfeit.measure.measurement import Measurement, mean
from counterfeit.measure.support import LEAST_IMAGES

TAIL = 0.005
"""Of real images on either side of what is usual, by each of the numbers."""

PLACE_TAIL = 0.01
"""Of real pixels on either side of what is usual in their place."""

NOISE = 0.2
"""Standard deviation, as a share of the real images' mean contrast, of pixel noise that nobody
minds in smooth images."""

COLOUR_NOISE = 0.3
"""The same, where it gives colours to gray images that are stored in colour."""

NOISE_RANGE = 1.69
"""Mean of the largest less the smallest of three normal numbers, in their standard deviations."""

SMOOTH = 0.9
"""What share of the least roughness of real images nobody minds."""

SLACK = 0.05
"""How far beyond what real images have nobody minds, in contrast, brightness and a pixel's place,
as a share of the same contrast."""

TINT_SLACK = 0.15
"""The same for the colour of a whole image, in which noise cancels out."""


def looks(images: UInt8[Tensor, "N C H W"]) -> Float[Tensor, "N 6"]:
    """Of each image:

    - roughness: how far neighbouring pixels are apart, as a share of how far any two are: mean
      squares, so that it is 1 for white noise, and low where the image is smooth;
    - grain: the same of how much a pixel and its diagonal neighbour differ from the other two of
      their square: as 1 for white noise, and next to 0 at edges, which make images rough as well;
    - contrast and brightness: standard deviation and mean of its pixels in [0, 1];
    - colourfulness: the mean over pixels of the largest less the smallest channel, 0 for gray;
    - tint: the same of the channels' means.

    Source: Donoho and Johnstone 1994, "Ideal Spatial Adaptation by Wavelet Shrinkage", who take
    noise for what is in the finest diagonal wavelets.
    """
    pixels = images.float().div_(255)  # (N, C, H, W)
    values = pixels.flatten(1)
    down = pixels[:, :, 1:] - pixels[:, :, :-1]
    across = pixels[..., 1:] - pixels[..., :-1]
    diagonal = down[..., 1:] - down[..., :-1]
    variance = pixels.flatten(2).var(2, correction=0).mean(1) + 1e-4  # a flat image is smooth
    roughness = (_power(down) + _power(across)) / 4 / variance
    grain = _power(diagonal) / 4 / variance
    colourfulness = (pixels.amax(1) - pixels.amin(1)).flatten(1).mean(1)
    channels = pixels.flatten(2).mean(2)
    tint = channels.amax(1) - channels.amin(1)
    numbers = [roughness, grain, values.std(1), values.mean(1), colourfulness, tint]
    return torch.stack(numbers, 1)


def _power(differences: Float[Tensor, "N C H W"]) -> Float[Tensor, " N"]:
    return differences.square().flatten(1).mean(1)


@dataclass(frozen=True)
class Usual:
    """Between which numbers nearly all real images lie, and nearly all of their pixels."""

    low: Float[Tensor, " 7"]
    high: Float[Tensor, " 7"]
    darkest: Float[Tensor, "C H W"]
    lightest: Float[Tensor, "C H W"]

    @classmethod
    def of(cls, real: UInt8[Tensor, "N C H W"]) -> "Usual | None":
        """As real images say; None of fewer than 40."""
        if len(real) < LEAST_IMAGES:
            return None
        numbers = looks(real)
        low, high = numbers.quantile(torch.tensor([TAIL, 1 - TAIL]), dim=0)
        contrast = float(numbers[:, 2].mean())
        slack = torch.tensor([0, 0, SLACK, SLACK, NOISE_RANGE * COLOUR_NOISE, TINT_SLACK])
        slack *= contrast
        smoothest = torch.tensor([SMOOTH * low[0], 0])
        low, high = low - slack, high + slack
        low[:2], high[:2] = smoothest, high[:2] + NOISE**2
        # Half of them say what is usual in each place, the others how far a few stray from it.
        by_place = real[::2].sort(dim=0).values
        tail = round(PLACE_TAIL * len(by_place))
        darkest, lightest = (by_place[end].float().div_(255) for end in (tail, -1 - tail))
        darkest, lightest = darkest - SLACK * contrast, lightest + SLACK * contrast
        strayed = astray(real[1::2], darkest, lightest).quantile(1 - TAIL)
        low, high = torch.cat([low, torch.zeros(1)]), torch.cat([high, strayed[None]])
        return cls(low, high, darkest, lightest)

    def unlike(self, images: UInt8[Tensor, "N C H W"]) -> Bool[Tensor, " N"]:
        """Which images are outside by any of the numbers: of real ones, 7 in a hundred at most."""
        strayed = astray(images, self.darkest, self.lightest)
        numbers = torch.cat([looks(images), strayed[:, None]], 1)
        return ((numbers < self.low) | (numbers > self.high)).any(1)


def astray(
    images: UInt8[Tensor, "N C H W"],
    darkest: Float[Tensor, "C H W"],
    lightest: Float[Tensor, "C H W"],
) -> Float[Tensor, " N"]:
    """Of each image, how far a pixel in [0, 1] is beyond what is usual in its place, on average: a
    pattern over the background, say, where that is always dark."""
    pixels = images.float().div_(255)
    within = torch.minimum(torch.maximum(pixels, darkest), lightest)
    return (pixels - within).abs_().flatten(1).mean(1)


def unlike(samples: UInt8[Tensor, "N C H W"], usual: Usual) -> Measurement:
    """The share of samples that look like no real image, with its standard error."""
    return mean(usual.unlike(samples))
