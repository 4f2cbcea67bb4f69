"""Spectral normalisation: the largest singular value becomes 1, and looking changes nothing."""

import copy

import pytest
import torch
from torch import nn

from counterfeit.networks import materialise
from counterfeit.networks.spectral import SpectralConvolution, SpectralLinear

LAYERS = {
    "linear": lambda: SpectralLinear(12, 7),
    "gray": lambda: SpectralConvolution(1, 6, halves=True),
    "colour": lambda: SpectralConvolution(3, 6, halves=False),
}


def layer_and_input(name: str) -> tuple[nn.Module, torch.Tensor]:
    with torch.device("meta"):
        layer = LAYERS[name]()
    materialise(layer, torch.Generator().manual_seed(3))
    shape = (5, 12) if name == "linear" else (5, layer.weight.shape[1], 8, 8)
    return layer, torch.randn(shape, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("name", LAYERS)
def test_the_power_method_finds_the_largest_singular_value(name: str) -> None:
    layer, x = layer_and_input(name)
    for _ in range(200):
        layer(x)
    largest = torch.linalg.svdvals(layer.normalised().detach().flatten(1))[0]
    assert largest.item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_a_pass_takes_one_step_and_only_in_training(name: str) -> None:
    layer, x = layer_and_input(name)
    before = layer.u.clone()
    layer.eval()
    assert torch.equal(layer(x), layer(x))
    assert torch.equal(layer.u, before)
    other = copy.deepcopy(layer)
    shown = layer(x)
    torch.testing.assert_close(layer.train()(x), shown)
    assert not torch.equal(layer.u, before)
    assert torch.equal(other.u, before)
    assert layer.u.norm().item() == pytest.approx(1, abs=1e-6)


def test_the_direction_is_part_of_the_state() -> None:
    layer, x = layer_and_input("linear")
    other, _ = layer_and_input("linear")
    layer(x)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), other(x))


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_the_weight_over_a_fixed_pair_of_directions(name: str) -> None:
    layer, _ = layer_and_input(name)
    layer.double().eval()
    matrix = layer.weight.flatten(1)
    v = nn.functional.normalize(matrix.t() @ layer.u, dim=0).detach()
    u = nn.functional.normalize(matrix @ v, dim=0).detach()
    (mine,) = torch.autograd.grad((layer.normalised() ** 3).sum(), [layer.weight])
    (expected,) = torch.autograd.grad(
        ((layer.weight / (u @ matrix @ v)) ** 3).sum(), [layer.weight]
    )
    torch.testing.assert_close(mine, expected)
