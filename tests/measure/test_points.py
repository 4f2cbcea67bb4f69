"""Modes found and samples of high quality, against what is known in closed form."""

import math

import pytest
import torch

from counterfeit.data import points
from counterfeit.errors import UsageError
from counterfeit.measure.points import modes_of, points_coverage


@pytest.mark.parametrize("mixture", [points.ring(), points.grid()], ids=["ring", "grid"])
def test_a_mixtures_own_points_reach_all_modes(mixture: points.Mixture) -> None:
    """And within 3 standard deviations of a round Gaussian lie 1 - exp(-9/2) of its points."""
    drawn = mixture.sample(20_000, torch.Generator().manual_seed(1))
    found = points_coverage(drawn, mixture)
    assert found["modes_found"] == (len(mixture.centres), 0)
    share, spread = found["high_quality"]
    assert share == pytest.approx(1 - math.exp(-4.5), abs=4 * (spread or 0))


def test_a_collapsed_generator_finds_one_mode_in_high_quality() -> None:
    ring = points.ring()
    found = points_coverage(ring.centres[3].expand(100, 2), ring)
    assert found["modes_found"].value == 1
    assert found["high_quality"].value == 1


def test_between_modes_nothing_is_found() -> None:
    found = points_coverage(torch.zeros(100, 2), points.ring())
    assert found["modes_found"].value == found["high_quality"].value == 0


def test_three_deviations_are_the_edge() -> None:
    one = points.mixture("one", [[0.0], [5.0]], [0.5, 1.0], 8)
    at = torch.tensor([[1.49], [1.51], [2.01], [-1.51], [7.99], [8.01]])
    assert modes_of(at, one).tolist() == [0, -1, 1, -1, 1, -1]


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(UsageError):
        points_coverage(torch.zeros(39, 2), points.ring())
