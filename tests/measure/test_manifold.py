import math

import pytest
import torch
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.manifold import prdc


def values(samples: Tensor, reference: Tensor, k: int = 5) -> dict[str, float]:
    return {name: found.value for name, found in prdc(samples, reference, k).items()}


def normal(count: int, size: int, seed: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def test_on_a_line_by_hand() -> None:
    # Reference 0, 1, ..., 99 with k = 1: balls of radius 1. Forty samples: twenty at 10.5, inside
    # the balls of 10 and 11, and twenty at 1000.
    reference = torch.arange(100.0).unsqueeze(1)
    samples = torch.tensor([10.5] * 20 + [1000.0] * 20).unsqueeze(1)
    assert values(samples, reference, k=1) == pytest.approx(
        {"precision": 0.5, "recall": 0, "density": 0.5 * 2, "coverage": 0.02}
    )
    # The samples' own balls have radius 0; with one at 12 and one at 14, those two reach 10 to 16.
    samples = torch.tensor([1000.0] * 38 + [12.0, 14.0]).unsqueeze(1)
    assert values(samples, reference, k=1)["recall"] == pytest.approx(0.07)


def test_agrees_with_prdc_on_real_features(
    training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], mnist_classifier: Classifier
) -> None:
    reference = pytest.importorskip("prdc")
    x = mnist_classifier.read(training[0][:300]).features
    y = mnist_classifier.read(test[0]).features
    expected = reference.compute_prdc(y.double().numpy(), x.double().numpy(), nearest_k=5)
    assert values(x, y) == pytest.approx(expected, rel=1e-3)


def test_one_distribution_is_covered() -> None:
    found = values(normal(1000, 4, 0), normal(1000, 4, 1))
    assert found["precision"] > 0.9
    assert found["recall"] > 0.9
    assert found["density"] == pytest.approx(1, abs=0.1)
    assert found["coverage"] == pytest.approx(1 - 1 / 2**5, abs=0.03)  # Naeem et al.


def test_a_collapsed_generator_is_precise_and_covers_nothing() -> None:
    reference = normal(1000, 4, 1)
    found = values(reference[:1].expand(200, -1), reference)
    assert found["precision"] == pytest.approx(1)
    assert found["recall"] == pytest.approx(0.001)  # itself
    assert found["coverage"] < 0.02


def test_a_far_generator_has_nothing() -> None:
    found = values(normal(200, 4, 0) + 50, normal(300, 4, 1))
    assert found == pytest.approx(dict.fromkeys(found, 0))


def test_copies_of_the_reference_have_everything() -> None:
    reference = normal(200, 4, 1)
    found = values(reference, reference)
    assert [found["precision"], found["recall"], found["coverage"]] == pytest.approx([1, 1, 1])


def test_independent_of_order() -> None:
    x, y = normal(200, 4, 0), normal(300, 4, 1)
    assert values(x.flip(0), y.flip(0)) == pytest.approx(values(x, y))


def test_recall_without_a_group_is_recall_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The radii found among the neighbours at hand are those that a new search would find."""
    from counterfeit.measure import manifold
    from counterfeit.measure.measurement import Measurement, random_groups

    seen: list[Tensor] = []

    def record(series: Tensor) -> Measurement:
        seen.append(series)
        return Measurement(float(series[0]), None)

    monkeypatch.setattr(manifold, "jackknife", record)
    x, y = normal(200, 4, 0), normal(300, 4, 1)
    prdc(x, y)
    without = {
        name: seen[i] for i, name in enumerate(("precision", "recall", "density", "coverage"))
    }
    for g in (0, 7):
        rest = values(x[~random_groups(200)[g]], y)
        for name, series in without.items():
            assert float(series[1 + g]) == pytest.approx(rest[name]), name


def test_the_spread_is_what_repeated_sampling_shows() -> None:
    reference = normal(400, 3, 0)
    found = [prdc(1.5 * normal(400, 3, seed), reference) for seed in range(1, 21)]
    for name in ("precision", "density", "coverage"):
        observed = torch.tensor([f[name].value for f in found]).std()
        spread = torch.tensor([f[name].spread for f in found]).mean()
        assert 0.6 < float(spread / observed) < 2, name


def test_bad_input_is_a_clear_error() -> None:
    x = normal(100, 4, 0)
    with pytest.raises(CounterfeitError, match="samples' features hold NaN"):
        prdc(x * math.nan, x)
    with pytest.raises(CounterfeitError, match="reference features hold NaN"):
        prdc(x, x * math.nan)
    with pytest.raises(UsageError, match="5 reference images are too few; give at least 6"):
        prdc(x, x[:5])
    with pytest.raises(UsageError, match="39 samples are too few"):
        prdc(x[:39], x)


def test_a_constant_feature_changes_nothing() -> None:
    x, y = normal(100, 4, 0), normal(100, 4, 1)
    three = torch.full((100, 1), 3.0)
    assert values(torch.cat([x, three], 1), torch.cat([y, three], 1)) == pytest.approx(values(x, y))


def test_a_single_image_on_both_sides() -> None:
    found = values(torch.ones(50, 4), torch.ones(50, 4))
    assert found == pytest.approx({"precision": 1, "recall": 1, "density": 10, "coverage": 1})
