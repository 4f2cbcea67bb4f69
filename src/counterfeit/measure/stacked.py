"""How many of a thousand modes samples reach, whose channels are digits each.

Source: the protocol of Metz et al. 2017, "Unrolled Generative Adversarial Networks" (arXiv
1611.02163), section 3.3.1, and Lin et al. 2018, "PacGAN" (arXiv 1712.04086), section 4.2; the
classifier is this project's.
"""

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from counterfeit.measure.classifier import Classifier
from counterfeit.measure.measurement import (
    LEAST_SAMPLES,
    Measurement,
    all_then_without_each,
    jackknife,
    require_count,
)


def classes_by_channel(
    images: UInt8[Tensor, "N C H W"], classifier: Classifier
) -> Int64[Tensor, "N C"]:
    """The class that a classifier of gray images sees in each channel."""
    gray = images.flatten(0, 1).unsqueeze(1)  # (N * C, 1, H, W)
    return classifier.read(gray).classes.view(images.shape[:2])


def stacked_coverage(
    found: Int64[Tensor, "N C"], shares: Float[Tensor, " K"]
) -> dict[str, Measurement]:
    """How samples cover the K^C combinations of what their channels show.

    - modes_found: combinations that a sample shows.
    - mode_kl: Kullback-Leibler divergence of the samples' combinations from the data's, sum of
      p log(p / q), in nats. Of N samples of the data it is about (K^C - 1) / 2N, not 0.

    Args:
        found: the class that each channel shows.
        shares: how probable each class is in a channel of the data, whatever the others show.

    Raises:
        UsageError: fewer than 40 samples.
    """
    require_count(found, LEAST_SAMPLES, "samples")
    classes, channels = len(shares), found.shape[1]
    places = classes ** torch.arange(channels - 1, -1, -1)
    modes = (found * places).sum(1)  # (N,)
    q = shares.double()
    for _ in range(channels - 1):
        q = torch.outer(q, shares.double()).flatten()  # (K^C,)
    weights = all_then_without_each(len(found))  # (1 + groups, N)
    p = torch.zeros(len(weights), len(q), dtype=torch.float64).index_add_(1, modes, weights)
    return {
        "modes_found": jackknife((p > 0).sum(1)),
        "mode_kl": jackknife(torch.special.xlogy(p, p / q).sum(1)),
    }
