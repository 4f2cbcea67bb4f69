"""What is told of a look, against closed forms."""

import math
from dataclasses import replace

import pytest
import torch

from counterfeit.data import points
from counterfeit.view.playground.setup import recipe_for
from counterfeit.view.playground.telling import jensen_shannon, mean_gap, told
from counterfeit.view.playground.world import Look, World


@pytest.fixture(scope="module")
def look() -> Look:
    two = points.by_name("two")
    return World(two, recipe_for(two)).look()


def test_the_divergence_is_0_of_the_same_and_log_2_of_disjoint_densities() -> None:
    p, q = torch.tensor([1.0, 1, 0, 0]), torch.tensor([0.0, 0, 3, 1])
    assert jensen_shannon(p, p) == 0
    assert jensen_shannon(p, q) == pytest.approx(math.log(2))
    assert jensen_shannon(q, p) == pytest.approx(math.log(2))


def test_against_the_best_d_the_papers_value_is_the_divergence() -> None:
    """Theorem 1: V(D*, G) = 2 JSD(p_data, p_g) - log 4."""
    p, q = torch.tensor([0.1, 0.2, 0.7]), torch.tensor([0.5, 0.3, 0.2])
    best = p / (p + q)
    value = float((p * best.log() + q * (1 - best).log()).sum())
    assert value == pytest.approx(2 * jensen_shannon(p, q) - math.log(4), abs=1e-6)


def test_the_gap_counts_where_points_are(look: Look) -> None:
    assert look.optimal is not None
    assert mean_gap(replace(look, said=look.optimal.nan_to_num(9))) == pytest.approx(0, abs=1e-9)
    assert mean_gap(replace(look, said=look.optimal + 0.25)) == pytest.approx(0.25)


def test_an_optimal_d_is_told_apart_from_another_and_the_equilibrium_from_both(look: Look) -> None:
    best = replace(look, said=look.optimal)
    half = torch.full_like(look.said, 0.5)
    even = replace(look, p_g=look.p_data, said=half, optimal=half)
    assert "not what theory assumes" in " ".join(told(replace(look, said=1 - look.said * 0), 2))
    assert "about the best there is" in " ".join(told(best, 2))
    assert "near the equilibrium" in " ".join(told(even, 2))
    assert "0 nats" in " ".join(told(even, 2))
    assert "of 2 modes" in " ".join(told(even, 2))


def test_a_critic_is_told_no_distance_from_its_best(look: Look) -> None:
    critic = replace(look, comparable=False)
    assert "D*" not in " ".join(told(critic, 2))


def test_of_points_that_are_no_numbers_nothing_is_told(look: Look) -> None:
    assert told(replace(look, fake=look.fake * math.nan), 2) == []
