"""Mixtures on the line and in the plane: the papers' numbers, densities and draws."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from counterfeit.data import points
from counterfeit.errors import UsageError


def test_the_ring_is_the_one_of_the_paper() -> None:
    ring = points.ring()
    assert ring.centres.shape == (8, 2)
    assert torch.allclose(ring.centres.norm(dim=1), torch.full((8,), 2.0))
    neighbours = (ring.centres - ring.centres.roll(1, 0)).norm(dim=1)
    assert torch.allclose(neighbours, torch.full((8,), 4 * math.sin(math.pi / 8)))
    assert ring.stds.unique().tolist() == pytest.approx([0.02])


def test_the_grid_is_the_one_of_the_paper() -> None:
    grid = points.grid()
    assert {tuple(map(int, centre)) for centre in grid.centres.tolist()} == {
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    }
    assert grid.stds.square().unique().tolist() == pytest.approx([0.0025])


@pytest.mark.parametrize("name", points.MIXTURES)
def test_a_density_is_positive_and_sums_to_one(name: str) -> None:
    mixture = points.by_name(name).blurred(0.1)  # wider than the steps below
    steps = 1_601 if mixture.dim == 1 else 301
    axis = torch.linspace(-mixture.half_width, mixture.half_width, steps)
    places = torch.cartesian_prod(*[axis] * mixture.dim).view(-1, mixture.dim)
    density = mixture.density(places)
    assert (density >= 0).all()
    step = float(axis[1] - axis[0])
    assert float(density.sum()) * step**mixture.dim == pytest.approx(1, abs=1e-4)


def test_a_density_is_the_gaussians() -> None:
    one = points.mixture("one", [[1.0, -1.0]], 0.5, 2)
    at_centre, one_std_away = one.density(torch.tensor([[1.0, -1.0], [1.5, -1.0]])).tolist()
    assert at_centre == pytest.approx(1 / (2 * math.pi * 0.25))
    assert one_std_away == pytest.approx(at_centre * math.exp(-0.5))


@pytest.mark.parametrize("name", points.MIXTURES)
def test_draws_have_the_moments_of_the_mixture(name: str) -> None:
    mixture = points.by_name(name)
    drawn = mixture.sample(20_000, torch.Generator().manual_seed(0))
    mean = mixture.weights @ mixture.centres
    squares = mixture.weights @ (mixture.centres.square() + mixture.stds.square().unsqueeze(1))
    assert torch.allclose(drawn.mean(0), mean, atol=0.1)
    assert torch.allclose(drawn.square().mean(0), squares, rtol=0.05)
    again = mixture.sample(20_000, torch.Generator().manual_seed(0))
    assert torch.equal(drawn, again)


def test_points_become_images_and_points_again() -> None:
    grid = points.grid()
    images = grid.to_images(grid.centres)
    assert images.shape == (25, 1, 1, 2)
    assert float(images.abs().max()) == pytest.approx(4 / 6)
    assert torch.allclose(grid.to_points(images), grid.centres)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=20))
def test_a_sketch_is_where_it_was_drawn(dabs: list[tuple[float, float]]) -> None:
    drawn = points.sketch(dabs)
    assert (drawn.dim, drawn.half_width, drawn.has_modes) == (2, 1, False)
    distances, _ = drawn.nearest(drawn.sample(50, torch.Generator().manual_seed(0)))
    assert float(distances.max()) < 6
    assert float(drawn.weights.sum()) == pytest.approx(1)


def test_a_sketch_on_the_line_has_heights() -> None:
    drawn = points.sketch([[-0.5], [0.5]], [1e-300, 3e-300])
    low, high = drawn.density(torch.tensor([[-0.5], [0.5]])).tolist()
    assert high == pytest.approx(3 * low, rel=1e-6)


@pytest.mark.parametrize(
    ("dabs", "weights"),
    [
        ([], []),
        ([[0.0], [0.0, 0.0]], []),
        ([[0.0, 0.0, 0.0]], []),
        ([[1.5]], []),
        ([[math.nan]], []),
        ([[0.0]], [0.0]),
        ([[0.0]], [-1.0]),
        ([[0.0]], [math.inf]),
        ([[0.0], [0.0]], [1e308, 1e308]),
        ([[0.0]], [1.0, 1.0]),
        ([[0.0]] * (points.MOST_DABS + 1), []),
    ],
)
def test_what_is_no_sketch_is_refused(dabs: list[list[float]], weights: list[float]) -> None:
    with pytest.raises(UsageError):
        points.sketch(dabs, weights)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="ring, grid"):
        points.by_name("rings")
