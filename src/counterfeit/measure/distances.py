"""Distances between two sets of features: Fréchet (FID) and kernel (KID).

Both are a few lines on features of 128 numbers, so they stand here in full and not behind
torchmetrics, which tests compare them with: its classes take images and a network, and would read
every image again for each metric; its KID is a mean over random subsets and depends on the order.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.measure.measurement import (
    GROUPS,
    LEAST_SAMPLES,
    Measurement,
    all_then_without_each,
    jackknife,
    random_groups,
    require_count,
    require_finite,
)

CHUNK = 1_000


def fid(samples: Float[Tensor, "N F"], reference: Float[Tensor, "M F"]) -> Measurement:
    """Fréchet distance between Gaussians fitted to the features of samples and reference.

    Biased upwards by an amount that falls with N and M: two sets of real images do not reach zero.

    Source: Heusel et al. 2017 (arXiv 1706.08500), equation 6.

    Raises:
        UsageError: fewer than 40 samples, or fewer than two reference images.
        CounterfeitError: a feature is not finite.
    """
    _check(samples, reference)
    centre = reference.double().mean(0)
    x = samples.double() - centre
    weights = all_then_without_each(len(x))  # (1 + groups, N)
    means = weights @ x  # (1 + groups, F)
    squares = torch.stack([(x.T * w) @ x for w in weights])  # (1 + groups, F, F)
    count = (weights > 0).sum(1).view(-1, 1, 1)
    covariances = (squares - means.unsqueeze(2) * means.unsqueeze(1)) * (count / (count - 1))
    return jackknife(
        frechet_distance(means, covariances, torch.zeros_like(centre), reference.double().T.cov())
    )


def frechet_distance(
    mean: Float[Tensor, "*batch F"],
    covariance: Float[Tensor, "*batch F F"],
    other_mean: Float[Tensor, " F"],
    other_covariance: Float[Tensor, "F F"],
) -> Float[Tensor, "*batch"]:
    """|m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)), between Gaussians; singular ones are allowed.

    (C C')^(1/2) has the trace of (R C R)^(1/2) with R = C'^(1/2), which is symmetric: its
    eigenvalues are real, and those below zero are rounding.

    Source: Dowson and Landau 1982, "The Fréchet distance between multivariate normal
    distributions".
    """
    values, vectors = torch.linalg.eigh(other_covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    shared = torch.linalg.eigvalsh(root @ covariance @ root).clamp(min=0).sqrt().sum(-1)
    traces = covariance.diagonal(dim1=-2, dim2=-1).sum(-1) + other_covariance.trace()
    distance: Tensor = (mean - other_mean).square().sum(-1) + (traces - 2 * shared).clamp(min=0)
    return distance


def kid(samples: Float[Tensor, "N F"], reference: Float[Tensor, "M F"]) -> Measurement:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / F + 1)^3.

    Over all pairs, where the usual code averages random subsets of 1,000: the same expectation,
    less variance, and no dependence on order. Around zero, and half the time below, for equal
    distributions.

    Source: Bińkowski et al. 2018 (arXiv 1801.01401), section 4; Gretton et al. 2012, "A Kernel
    Two-Sample Test", equation 3.

    Raises:
        UsageError: fewer than 40 samples, or fewer than two reference images.
        CounterfeitError: a feature is not finite.
    """
    _check(samples, reference)
    parts = [samples[group] for group in random_groups(len(samples))]
    sizes = torch.tensor([len(part) for part in parts], dtype=torch.float64)
    within = _sums_between(parts)  # (groups, groups)
    across = torch.zeros(GROUPS, dtype=torch.float64)
    for chunk in torch.split(reference, CHUNK):
        across += torch.stack([_kernel(x, chunk).sum(dtype=torch.float64) for x in parts])
    m = len(reference)
    among_reference = _sums_between(torch.split(reference, CHUNK)).sum() / (m * (m - 1))

    keep = torch.cat([torch.ones(1, GROUPS), 1 - torch.eye(GROUPS)]).double()
    n = keep @ sizes
    among_samples = ((keep @ within) * keep).sum(1) / (n * (n - 1))
    return jackknife(among_samples + among_reference - 2 * (keep @ across) / (n * m))


def _kernel(x: Float[Tensor, "N F"], y: Float[Tensor, "M F"]) -> Float[Tensor, "N M"]:
    inner = x @ y.T / x.shape[1] + 1
    return inner * inner * inner


def _sums_between(parts: Sequence[Float[Tensor, "_ F"]]) -> Float[Tensor, "parts parts"]:
    """The kernel's sums over pairs of two different rows, by the parts that they come from."""
    sums = torch.empty(len(parts), len(parts), dtype=torch.float64)
    for i, x in enumerate(parts):
        for j, y in enumerate(parts[: i + 1]):
            kernel = _kernel(x, y)
            if i == j:
                kernel.fill_diagonal_(0)
            sums[i, j] = sums[j, i] = kernel.sum(dtype=torch.float64)
    return sums


def _check(samples: Float[Tensor, "N F"], reference: Float[Tensor, "M F"]) -> None:
    require_count(samples, LEAST_SAMPLES, "samples")
    require_count(reference, 2, "reference images")
    require_finite(samples, "samples' features")
    require_finite(reference, "reference features")
