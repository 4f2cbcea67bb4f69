"""Modes of images whose channels are digits each, against what is known in closed form."""

import math

import pytest
import torch

from counterfeit.errors import UsageError
from counterfeit.measure.classifier import Classifier, FeatureNetwork, Reading
from counterfeit.measure.stacked import classes_by_channel, stacked_coverage

EVEN = torch.full((10,), 0.1, dtype=torch.float64)


def every_mode(times: int) -> torch.Tensor:
    return torch.cartesian_prod(*[torch.arange(10)] * 3).repeat(times, 1)


def test_as_many_of_each_mode_is_the_data_to_the_last_digit() -> None:
    found = stacked_coverage(every_mode(20), EVEN)
    assert found["modes_found"].value == 1000
    assert found["mode_kl"].value == pytest.approx(0, abs=1e-12)


def test_the_data_s_own_shares_count_and_not_even_ones() -> None:
    shares = torch.tensor([0.5, 0.25, 0.25])
    modes = torch.cartesian_prod(*[torch.tensor([0, 0, 1, 2])] * 3)  # 64, as probable as the data
    found = stacked_coverage(modes, shares)
    assert found["modes_found"].value == 27
    assert found["mode_kl"].value == pytest.approx(0, abs=1e-12)
    even = stacked_coverage(modes, torch.full((3,), 1 / 3, dtype=torch.float64))
    entropy = 1.5 * math.log(2)  # of a channel
    assert even["mode_kl"].value == pytest.approx(3 * (math.log(3) - entropy))


def test_a_generator_that_collapses_finds_one() -> None:
    found = stacked_coverage(torch.tensor([[3, 1, 4]]).expand(100, 3), EVEN)
    assert found["modes_found"].value == 1
    assert found["mode_kl"].value == pytest.approx(math.log(1000))


def test_the_order_of_the_channels_counts() -> None:
    found = stacked_coverage(torch.tensor([[1, 2, 3], [3, 2, 1]]).repeat(50, 1), EVEN)
    assert found["modes_found"].value == 2
    assert found["mode_kl"].value == pytest.approx(math.log(500))


def test_samples_of_the_data_miss_0_by_as_much_as_is_said() -> None:
    drawn = torch.randint(10, (25_600, 3), generator=torch.Generator().manual_seed(0))
    value, spread = stacked_coverage(drawn, EVEN)["mode_kl"]
    assert value == pytest.approx(999 / (2 * 25_600), rel=0.15)
    assert spread is not None


def test_each_channel_is_read_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a classifier that sees how bright an image is."""

    def read(self: Classifier, images: torch.Tensor) -> Reading:
        assert images.shape[1:] == (1, 28, 28)
        return Reading(torch.empty(0), torch.eye(10)[images[:, 0, 0, 0].long()])

    monkeypatch.setattr(Classifier, "read", read)
    wanted = torch.tensor([[1, 2, 3], [9, 0, 9]])
    images = wanted.to(torch.uint8)[..., None, None].expand(2, 3, 28, 28)
    seen = classes_by_channel(images, Classifier("mnist", FeatureNetwork(1, 10)))
    assert seen.tolist() == wanted.tolist()


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(UsageError):
        stacked_coverage(torch.zeros(39, 3, dtype=torch.int64), EVEN)
