"""Directions, on generators whose answer is known in closed form."""

import pytest
import torch
from torch import nn

from counterfeit.exports.explorer.directions import (
    LATENTS,
    first_layer_directions,
    principal_directions,
)
from counterfeit.networks import MLPGenerator
from counterfeit.recipe import Latent


def stretching(*lengths: float) -> MLPGenerator:
    """A generator whose first layer lengthens each number of a latent by another factor; its
    rectifier cuts off nothing."""
    generator = MLPGenerator(len(lengths), [len(lengths)], (1, 4, 4))
    first = generator.hidden[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.weight.copy_(torch.diag(torch.tensor(lengths)))
        first.bias.fill_(100)
    return generator.eval()


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_principal_directions_are_those_that_are_lengthened_most(distribution: str) -> None:
    latent = Latent(dim=4, distribution=distribution)
    directions, shares = principal_directions(stretching(1, 8, 2, 4), latent)
    assert directions.abs().argmax(1).tolist() == [1, 3, 2, 0]
    assert directions == pytest.approx(torch.eye(4)[[1, 3, 2, 0]], abs=0.05)
    assert shares == pytest.approx(torch.tensor([64, 16, 4, 1]) / 85, rel=10 / LATENTS**0.5)


def test_directions_of_the_weights_are_exact_and_codes_are_no_part_of_them() -> None:
    latent = Latent(dim=3, continuous=1)
    directions = first_layer_directions(stretching(1, 8, 2, 100), latent)
    assert directions == pytest.approx(torch.eye(3)[[1, 2, 0]], abs=1e-6)
    principal, _ = principal_directions(stretching(1, 8, 2, 100), latent)
    assert principal.shape == (3, 3)


def test_directions_leave_each_other_as_they_are_and_are_the_same_every_time() -> None:
    torch.manual_seed(0)
    generator, latent = MLPGenerator(40, [30], (1, 4, 4)).eval(), Latent(dim=40)
    directions, shares = principal_directions(generator, latent)
    assert directions @ directions.T == pytest.approx(torch.eye(len(directions)), abs=1e-5)
    assert (shares.diff() <= 0).all()
    assert shares.sum() < 1
    assert torch.equal(principal_directions(generator, latent)[0], directions)
    assert (directions.gather(1, directions.abs().argmax(1, keepdim=True)) > 0).all()
