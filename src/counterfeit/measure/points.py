"""How many modes of a mixture samples reach, and how many samples lie at one.

Source: the protocol of Srivastava et al. 2017, "VEEGAN" (arXiv 1705.07761), section 5, and Lin et
al. 2018, "PacGAN" (arXiv 1712.04086), section 4.1, on the ring of Metz et al. 2017 (arXiv
1611.02163) and a grid.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from counterfeit.data.points import Mixture
from counterfeit.measure.measurement import (
    LEAST_SAMPLES,
    Measurement,
    all_then_without_each,
    jackknife,
    mean,
    require_count,
    require_finite,
)

HIGH_QUALITY = 3.0
"""Standard deviations of its mode within which a sample is of high quality. Of a mixture's own
points in the plane 1 - exp(-9/2) = 98.9 % are."""


def modes_of(points: Float[Tensor, "N D"], mixture: Mixture) -> Int64[Tensor, " N"]:
    """The mode at which each point lies; -1 where it lies at none."""
    distances, nearest = mixture.nearest(points)
    return nearest.masked_fill(~(distances <= HIGH_QUALITY), -1)


def points_coverage(points: Float[Tensor, "N D"], mixture: Mixture) -> dict[str, Measurement]:
    """How samples cover a mixture's modes.

    - modes_found: modes that have a sample within 3 standard deviations.
    - high_quality: the share of samples within 3 standard deviations of the nearest mode.

    Raises:
        UsageError: fewer than 40 samples.
        CounterfeitError: one is not finite.
    """
    require_count(points, LEAST_SAMPLES, "samples")
    require_finite(points, "samples")
    modes = modes_of(points, mixture)
    member = torch.nn.functional.one_hot(modes + 1, len(mixture.centres) + 1)[:, 1:].double()
    weights = all_then_without_each(len(points))  # (1 + groups, N)
    return {
        "modes_found": jackknife((weights @ member > 0).sum(1)),
        "high_quality": mean(modes >= 0),
    }
