import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure import distances
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.distances import fid, frechet_distance, kid, square_root


@pytest.fixture(scope="module")
def real(
    training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], mnist_classifier: Classifier
) -> tuple[Tensor, Tensor]:
    """Features of 1,437 and of 360 real digits."""
    return mnist_classifier.read(training[0]).features, mnist_classifier.read(test[0]).features


def normal(count: int, size: int, seed: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def test_frechet_distance_of_gaussians_along_axes() -> None:
    # |m - m'|^2 + sum of (s - s')^2 for standard deviations s and s'.
    found = frechet_distance(
        torch.tensor([1.0, 2.0]).double(),
        torch.diag(torch.tensor([4.0, 9.0])).double(),
        torch.tensor([0.0, 0.0]).double(),
        square_root(torch.diag(torch.tensor([1.0, 0.0])).double()),
    )
    assert found.item() == pytest.approx(1 + 4 + 1 + 9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 12))
def test_frechet_distance_agrees_with_scipy(seed: int, size: int) -> None:
    a, b = normal(40, size, seed).double(), 2 * normal(50, size, seed + 1).double() + 1
    c, d = a.T.cov().reshape(size, size), b.T.cov().reshape(size, size)
    root = np.real(scipy.linalg.sqrtm((c @ d).numpy()))
    expected = (a.mean(0) - b.mean(0)).square().sum() + (c + d).trace() - 2 * np.trace(root)
    found = frechet_distance(a.mean(0), c, b.mean(0), square_root(d))
    assert found.item() == pytest.approx(float(expected), rel=1e-6)


def test_fid_of_shifted_and_scaled_features() -> None:
    x = normal(4000, 3, 0)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T  # exactly N(0, I)
    assert fid(x, x).value == pytest.approx(0, abs=1e-5)
    assert fid(2 * x + 1, x).value == pytest.approx(3 * (1 + 1), rel=1e-4)


def test_fid_agrees_with_torch_fidelity_and_torchmetrics(real: tuple[Tensor, Tensor]) -> None:
    reference = pytest.importorskip("torch_fidelity.metric_fid")
    x, y = (features.numpy() for features in real)
    expected = reference.fid_statistics_to_metric(
        *({"mu": f.mean(0), "sigma": np.cov(f, rowvar=False)} for f in (x, y)), verbose=False
    )["frechet_inception_distance"]
    assert fid(*real).value == pytest.approx(expected, rel=1e-3)
    compute = pytest.importorskip("torchmetrics.image.fid")._compute_fid
    moments = [m for f in real for m in (f.double().mean(0), f.double().T.cov())]
    assert fid(*real).value == pytest.approx(float(compute(*moments)), rel=1e-3)


def test_kid_by_hand() -> None:
    # One feature: kernel (xy + 1)^3. Samples all 1, reference 0 and 1.
    found = kid(torch.ones(40, 1), torch.tensor([[0.0], [1.0]]))
    assert found.value == pytest.approx(8 + 1 - 2 * (1 + 8) / 2)
    assert found.spread == pytest.approx(0, abs=1e-9)


def test_kid_agrees_with_torch_fidelity_and_torchmetrics(real: tuple[Tensor, Tensor]) -> None:
    reference = pytest.importorskip("torch_fidelity.metric_kid")
    x, y = real[0][:360], real[1]  # the references ask for sets of one size
    expected = reference.kid_features_to_metric(
        x, y, kid_subsets=1, kid_subset_size=360, verbose=False
    )["kernel_inception_distance_mean"]
    assert kid(x, y).value == pytest.approx(expected, rel=1e-3)
    compute = pytest.importorskip("torchmetrics.image.kid").poly_mmd
    assert kid(x, y).value == pytest.approx(float(compute(x.double(), y.double())), rel=1e-3)


def test_kid_of_one_distribution_is_zero_within_its_spread() -> None:
    found = kid(normal(2000, 16, 0), normal(2000, 16, 1))
    assert found.spread is not None
    assert abs(found.value) < 4 * found.spread


@pytest.mark.parametrize("metric", [fid, kid])
def test_independent_of_order_and_chunks(
    metric: object, real: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(metric)
    before = metric(*real).value
    monkeypatch.setattr(distances, "CHUNK", 77)
    assert metric(real[0].flip(0), real[1].flip(0)).value == pytest.approx(before, rel=1e-4)


@pytest.mark.parametrize("metric", [fid, kid])
def test_the_spread_is_what_repeated_sampling_shows(metric: object) -> None:
    assert callable(metric)
    reference = normal(1000, 4, 0)
    found = [metric(1.3 * normal(500, 4, seed), reference) for seed in range(1, 31)]
    observed = np.std([f.value for f in found], ddof=1)
    assert np.mean([f.spread for f in found]) == pytest.approx(observed, rel=0.4)


@pytest.mark.parametrize("metric", [fid, kid])
def test_bad_input_is_a_clear_error(metric: object) -> None:
    assert callable(metric)
    x = normal(50, 4, 0)
    with pytest.raises(CounterfeitError, match="NaN"):
        metric(x * math.nan, x)
    with pytest.raises(CounterfeitError, match="reference features hold NaN"):
        metric(x, x / 0)
    with pytest.raises(UsageError, match="39 samples"):
        metric(x[:39], x)
    with pytest.raises(UsageError, match="1 reference images"):
        metric(x, x[:1])


@pytest.mark.parametrize("metric", [fid, kid])
def test_constant_features_give_the_right_number(metric: object) -> None:
    assert callable(metric)
    x = normal(2000, 4, 0)
    x[:, 2] = 2  # one constant feature, on both sides
    x, y = x.split(1000)
    found = metric(x, y)
    assert 0 < found.spread < 1
    assert abs(found.value) < 4 * found.spread
    one = torch.zeros(50, 4)  # a single image
    y = normal(2000, 4, 1)
    expected = float(y.mean(0).square().sum() + y.T.cov().trace()) if metric is fid else None
    found = metric(one, y)
    assert math.isfinite(found.value)
    assert found.spread == pytest.approx(0, abs=1e-6)
    if expected:
        assert found.value == pytest.approx(expected, rel=1e-5)
