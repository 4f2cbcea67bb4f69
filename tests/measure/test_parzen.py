import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure import parzen as module
from counterfeit.measure.pairs import as_points
from counterfeit.measure.parzen import SIGMAS, log_densities, parzen


def uniform(count: int, size: int, seed: int) -> Tensor:
    return torch.rand(count, size, generator=torch.Generator().manual_seed(seed))


def test_one_sample_makes_one_gaussian() -> None:
    images, sample = uniform(5, 7, 0), uniform(1, 7, 1)
    expected = torch.distributions.Normal(sample.double(), 0.3).log_prob(images.double()).sum(1)
    assert torch.allclose(log_densities(images, sample, [0.3])[:, 0], expected)


def test_two_samples_by_hand() -> None:
    found = log_densities(torch.zeros(1, 1), torch.tensor([[0.0], [1.0]]), [1.0])
    assert found.item() == pytest.approx(
        math.log((1 + math.exp(-0.5)) / 2 / math.sqrt(2 * math.pi)), rel=1e-6
    )


def test_agrees_with_float64_on_digits(
    training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]
) -> None:
    samples, images = as_points(training[0]).double(), as_points(test[0]).double()
    squares = torch.cdist(images, samples, compute_mode="donot_use_mm_for_euclid_dist").square()
    found = log_densities(images.float(), samples.float(), [0.1, 0.2])
    for i, sigma in enumerate((0.1, 0.2)):
        windows = logsumexp((-squares / (2 * sigma**2)).numpy(), axis=1)
        expected = windows - math.log(1437) - 784 * math.log(sigma * math.sqrt(2 * math.pi))
        assert np.allclose(found[:, i].numpy(), expected, rtol=0, atol=0.01)


def test_far_images_get_a_very_low_number_and_not_minus_infinity() -> None:
    found = log_densities(torch.ones(1, 784), torch.zeros(3, 784), [0.1])
    assert found.item() == pytest.approx(-784 / 0.02 - 784 * math.log(0.1 * math.sqrt(2 * math.pi)))


def test_the_bandwidth_is_the_best_on_the_first_thousand_validation_images() -> None:
    # For one sample the likelihood is highest at sigma^2 = the mean squared difference of a pixel.
    near, far = torch.full((1000, 50), SIGMAS[3]), torch.full((500, 50), SIGMAS[8])
    found = parzen(torch.zeros(1, 50), torch.cat([near, far]), near[:2])
    assert found.sigma == SIGMAS[3]
    assert parzen(torch.zeros(1, 50), far, near[:2]).sigma == SIGMAS[8]


def test_the_grid_is_the_papers() -> None:
    assert np.allclose(SIGMAS, np.logspace(-1, 0, 10))


def test_the_spread_is_the_standard_error_over_test_images() -> None:
    samples, images = uniform(20, 6, 0), uniform(30, 6, 1)
    found = parzen(samples, uniform(10, 6, 2), images)
    values = log_densities(images, samples, [found.sigma])[:, 0].numpy()
    assert found.log_likelihood.value == pytest.approx(values.mean())
    assert found.log_likelihood.spread == pytest.approx(values.std(ddof=1) / 30**0.5)


def test_independent_of_chunks_and_order(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, images = uniform(100, 20, 0), uniform(60, 20, 1)
    before = parzen(samples, images[:30], images).log_likelihood.value
    monkeypatch.setattr(module, "CHUNK", 7)
    after = parzen(samples.flip(0), images[:30].flip(0), images.flip(0)).log_likelihood.value
    assert after == pytest.approx(before, rel=1e-6)


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    parzen(uniform(9, 4, 0), uniform(300, 4, 1), uniform(600, 4, 2), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_bad_input_is_a_clear_error() -> None:
    good = uniform(9, 4, 0)
    with pytest.raises(CounterfeitError, match="NaN"):
        parzen(good * math.nan, good, good)
    with pytest.raises(UsageError, match="0 samples"):
        parzen(good[:0], good, good)
    with pytest.raises(UsageError, match="0 validation images"):
        parzen(good, good[:0], good)
    with pytest.raises(UsageError, match="1 test images"):
        parzen(good, good, good[:1])
