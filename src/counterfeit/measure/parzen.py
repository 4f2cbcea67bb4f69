"""The paper's measure: the log-likelihood of test images under a Parzen window on samples.

Source: Goodfellow et al. 2014 (arXiv 1406.2661), section 5 and Table 1, by the protocol of
parzen_ll.py in the authors' repository. It says little about how samples look, and real training
images reach only about 241 nats: Theis et al. 2016 (arXiv 1511.01844) advise against it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.measure.measurement import Measurement, mean, require_count, require_finite
from counterfeit.measure.pairs import squared_distances

SIGMAS = torch.logspace(-1, 0, 10, dtype=torch.float64).tolist()
"""The bandwidths tried: 0.1 to 1."""

VALIDATION_IMAGES = 1_000
"""How many of the validation images, from the first, choose the bandwidth."""

CHUNK = 250
"""Images at once: their distances to 10,000 samples fit into a processor's cache."""


@dataclass(frozen=True)
class Parzen:
    log_likelihood: Measurement
    """Nats: mean over the test images, with their standard error."""
    sigma: float
    """The bandwidth chosen on the validation images."""


def parzen(
    samples: Float[Tensor, "N D"],
    validation: Float[Tensor, "V D"],
    test: Float[Tensor, "T D"],
    *,
    progress: Callable[[float], None] = lambda done: None,
) -> Parzen:
    """Test log-likelihood under Gaussian windows on the samples; all pixels in [0, 1].

    The bandwidth is the best of `SIGMAS` on the first 1,000 validation images.

    Raises:
        UsageError: no sample, no validation image, or fewer than two test images.
        CounterfeitError: a value is not finite.
    """
    require_count(samples, 1, "samples")
    require_count(validation, 1, "validation images")
    require_count(test, 2, "test images")
    for values, what in ((samples, "samples"), (validation, "images"), (test, "images")):
        require_finite(values, what)
    validation = validation[:VALIDATION_IMAGES]
    total = len(validation) + len(test)
    tried = log_densities(
        validation, samples, SIGMAS, progress=lambda done: progress(done * len(validation) / total)
    )
    sigma = SIGMAS[int(tried.mean(0).argmax())]
    (log_density,) = log_densities(
        test,
        samples,
        [sigma],
        progress=lambda done: progress((done * len(test) + len(validation)) / total),
    ).T
    return Parzen(mean(log_density), sigma)


def log_densities(
    images: Float[Tensor, "M D"],
    samples: Float[Tensor, "N D"],
    sigmas: list[float],
    *,
    progress: Callable[[float], None] = lambda done: None,
) -> Float[Tensor, "M sigmas"]:
    """log p(x) = log (1/N) sum_j N(x; s_j, sigma^2 I), for each image x and each sigma, in float64.

    The distances are computed once for all bandwidths.
    """
    result = torch.empty(len(images), len(sigmas), dtype=torch.float64)
    for start in range(0, len(images), CHUNK):
        squares = squared_distances(images[start : start + CHUNK], samples)  # (chunk, N)
        least = squares.amin(1)
        squares -= least.unsqueeze(1)
        for i, sigma in enumerate(sigmas):
            window = -0.5 / sigma**2
            shares = (squares * window).exp_().mean(1).double()
            normaliser = samples.shape[1] * math.log(sigma * math.sqrt(2 * math.pi))
            result[start : start + CHUNK, i] = shares.log() + window * least.double() - normaliser
        progress(min(1, (start + CHUNK) / len(images)))
    return result
