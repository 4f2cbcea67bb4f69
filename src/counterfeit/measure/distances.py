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
    root = square_root(reference.double().T.cov())
    distances = []
    for weights in all_then_without_each(len(x)):  # (N,)
        mean = weights @ x  # (F,)
        count = (weights > 0).sum()
        covariance = ((x.T * weights) @ x - mean.outer(mean)) * (count / (count - 1))
        distances.append(frechet_distance(mean, covariance, torch.zeros_like(mean), root))
    return jackknife(torch.stack(distances))


def frechet_distance(
    mean: Float[Tensor, " F"],
    covariance: Float[Tensor, "F F"],
    other_mean: Float[Tensor, " F"],
    other_root: Float[Tensor, "F F"],
) -> Float[Tensor, ""]:
    """|m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)), between Gaussians; singular ones are allowed.

    The other covariance C' is given by its root R = C'^(1/2), see `square_root`: (C C')^(1/2) has
    the trace of (R C R)^(1/2), which is symmetric, so that its eigenvalues are real, and those
    below zero are rounding.

    Source: Dowson and Landau 1982, "The Fréchet distance between multivariate normal
    distributions".
    """
    shared = torch.linalg.eigvalsh(other_root @ covariance @ other_root)
    traces = covariance.trace() + other_root.square().sum()
    spread = (traces - 2 * shared.clamp(min=0).sqrt().sum()).clamp(min=0)
    distance: Tensor = (mean - other_mean).square().sum() + spread
    return distance


def square_root(covariance: Float[Tensor, "F F"]) -> Float[Tensor, "F F"]:
    """The symmetric R with R R = covariance."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root


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
