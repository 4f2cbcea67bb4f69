import math

import pytest
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure.memorisation import discriminator_accuracy, memorisation


def distances(count: int, seed: int, scale: float = 1) -> Tensor:
    """Like those of real images: around 6, never near 0."""
    rng = torch.Generator().manual_seed(seed)
    return scale * (6 + torch.randn(count, generator=rng).clamp(-3, 3))


def test_faithful_samples_look_like_held_out_images() -> None:
    found = memorisation(distances(2000, 0), distances(2000, 1))
    assert found["nearest_ratio"].value == pytest.approx(1, abs=0.02)
    assert found["nearest_p"].value > 0.01
    assert found["nearest_p"].spread is None
    assert found["copies"].value == pytest.approx(0.01, abs=0.008)


def test_copies_are_at_distance_zero() -> None:
    found = memorisation(torch.zeros(100), distances(100, 1))
    assert found["nearest_ratio"].value == 0
    assert found["nearest_ratio"].spread == 0
    assert found["nearest_p"].value < 1e-12
    assert found["copies"].value == 1


def test_a_tenth_of_copies_shows_where_the_median_does_not() -> None:
    samples = distances(1000, 0)
    samples[:100] = 0
    found = memorisation(samples, distances(1000, 1))
    assert found["nearest_ratio"].value > 0.95
    assert found["copies"].value == pytest.approx(0.1, abs=0.02)


def test_one_in_a_hundred_takes_a_hundred_held_out_images() -> None:
    assert "copies" in memorisation(distances(50, 0), distances(100, 1))
    assert "copies" not in memorisation(distances(50, 0), distances(99, 1))


def test_the_p_value_is_scipys() -> None:
    x, y = distances(100, 0, 0.97), distances(120, 1)
    expected = mannwhitneyu(x.double(), y.double(), alternative="less").pvalue
    assert memorisation(x, y)["nearest_p"].value == pytest.approx(expected)


def test_too_many_of_a_compact_class_is_no_memorisation() -> None:
    # Class 1 has a third of class 0's distances. The samples are faithful, but mostly of class 1.
    x = torch.cat([distances(200, 0), distances(800, 1, 1 / 3)])
    y = torch.cat([distances(500, 2), distances(500, 3, 1 / 3)])
    x_classes = torch.tensor([0] * 200 + [1] * 800)
    y_classes = torch.tensor([0] * 500 + [1] * 500)
    assert memorisation(x, y)["nearest_p"].value < 1e-6
    found = memorisation(x, y, x_classes, y_classes)
    assert found["nearest_p"].value > 0.01
    assert found["nearest_ratio"].value == pytest.approx(1, abs=0.05)


def test_a_class_without_held_out_images_is_compared_with_all() -> None:
    x, y = distances(50, 0), distances(60, 1)
    plain = memorisation(x, y)["nearest_ratio"].value
    found = memorisation(x, y, torch.full((50,), 7), torch.zeros(60, dtype=torch.int64))
    assert found["nearest_ratio"].value == pytest.approx(plain)


def test_the_spread_is_what_repeated_sampling_shows() -> None:
    y = distances(1000, 0)
    found = [memorisation(distances(400, s), y)["nearest_ratio"] for s in range(1, 41)]
    observed = torch.tensor([f.value for f in found]).std()
    spread = torch.tensor([f.spread for f in found]).mean()
    assert float(spread) == pytest.approx(float(observed), rel=0.5)


def test_bad_input_is_a_clear_error() -> None:
    x, y = distances(50, 0), distances(50, 1)
    with pytest.raises(CounterfeitError, match="samples' distances hold NaN"):
        memorisation(x * math.nan, y)
    with pytest.raises(UsageError, match="39 samples"):
        memorisation(x[:39], y)
    with pytest.raises(UsageError, match="1 held-out images"):
        memorisation(x, y[:1])
    with pytest.raises(UsageError, match="in the training set"):
        memorisation(x, y * 0)
    with pytest.raises(UsageError, match="or neither"):
        memorisation(x, y, torch.zeros(50, dtype=torch.int64))


def test_discriminator_accuracy_by_hand() -> None:
    found = discriminator_accuracy(
        torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0]), torch.tensor([-1.0, -1.0, -1.0, 3.0])
    )
    assert found["d_accuracy_training"].value == 1
    assert found["d_accuracy_held_out"].value == 0.5
    assert found["d_accuracy_generated"].value == 0.75
    assert found["d_accuracy_generated"].spread == pytest.approx(0.25)
    with pytest.raises(CounterfeitError, match="held_out"):
        discriminator_accuracy(torch.zeros(2), torch.full((2,), math.nan), torch.zeros(2))
