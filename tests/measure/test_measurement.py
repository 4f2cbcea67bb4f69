import pytest
import torch

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure.measurement import (
    GROUPS,
    all_then_without_each,
    jackknife,
    mean,
    random_groups,
    require_count,
    require_finite,
)


def test_each_sample_is_in_one_group_of_equal_size() -> None:
    groups = random_groups(105)
    assert groups.sum(0).eq(1).all()
    assert set(groups.sum(1).tolist()) == {5, 6}
    assert torch.equal(groups, random_groups(105))


def test_weights_are_means_over_those_that_stay() -> None:
    values = torch.rand(100, generator=torch.Generator().manual_seed(0)).double()
    means = all_then_without_each(100) @ values
    assert means[0] == pytest.approx(values.mean())
    assert means[3] == pytest.approx(values[~random_groups(100)[2]].mean())


def test_jackknife_of_a_mean_is_the_spread_of_the_groups_means() -> None:
    values = torch.randn(2000, generator=torch.Generator().manual_seed(0)).double()
    found = jackknife(all_then_without_each(2000) @ values)
    means = torch.stack([values[group].mean() for group in random_groups(2000)])
    assert found.spread == pytest.approx(float(means.std() / GROUPS**0.5))
    assert found.spread == pytest.approx(mean(values).spread, rel=0.35)  # it has 19 degrees


def test_mean_of_four_has_the_textbook_standard_error() -> None:
    found = mean(torch.tensor([1, 2, 3, 4]))
    assert found.value == 2.5
    assert found.spread == pytest.approx((5 / 3) ** 0.5 / 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_bad_values_are_counted_in_the_error(bad: float) -> None:
    values = torch.zeros(1000, 3)
    values[7, 1] = values[7, 2] = values[9, 0] = bad
    with pytest.raises(CounterfeitError, match=r"2 of 1,000 samples hold NaN or infinite"):
        require_finite(values, "samples")
    require_finite(torch.zeros(2, 3), "samples")


def test_too_few_is_an_error_that_says_how_many_it_takes() -> None:
    with pytest.raises(UsageError, match="3 samples are too few; give at least 4"):
        require_count(torch.zeros(3), 4, "samples")
    require_count(torch.zeros(4), 4, "samples")
