"""The plain code and the floor of convolutional recipes (plain_convolutions.py and
convolution_floor.py) are of the recipes' own mathematics."""

import pytest
import torch
from torch import nn

import convolution_floor
import plain_convolutions
import train_speed
from counterfeit import networks, recipe

SHAPE = (1, 28, 28)


@pytest.mark.parametrize("name", ["dcgan", "r3gan-small"])
def test_the_plain_networks_are_as_large_and_do_the_same_products(name: str) -> None:
    spec = recipe.load(name)
    ours = networks.build_pair(spec, SHAPE, seed=0, rng=torch.Generator())
    make, _ = plain_convolutions.FAMILIES[spec.generator.name]
    z, images = torch.randn(2, spec.latent.dim), torch.rand(2, *SHAPE)
    for mine, plain, x in zip(ours, make(spec, SHAPE), (z, images), strict=True):
        assert networks.weights(mine) == pytest.approx(networks.weights(plain), rel=0.01)
        first = x[:, :, None, None] if isinstance(plain[0], nn.ConvTranspose2d) else x
        assert plain(first).numel() == mine(x).numel()


@pytest.mark.parametrize("name", ["dcgan", "r3gan-small"])
def test_a_plain_update_moves_both_networks(name: str) -> None:
    spec = recipe.load(name).with_values({"training.batch_size": 4})
    make, update_of = plain_convolutions.FAMILIES[spec.generator.name]
    pair = make(spec, SHAPE)
    before = [[p.clone() for p in network.parameters()] for network in pair]
    update = update_of(spec, *pair, [torch.optim.SGD(n.parameters(), lr=0.1) for n in pair])
    update(torch.rand(4, *SHAPE))
    for network, old in zip(pair, before, strict=True):
        assert any(not torch.equal(p, q) for p, q in zip(network.parameters(), old, strict=True))


def test_each_way_of_a_pass_is_the_same_product() -> None:
    spec = recipe.load("dcgan").with_values({"training.batch_size": 2})
    for layer, x, kind in convolution_floor.passes(spec, SHAPE):
        ways = convolution_floor.ways(layer, x, kind, torch.float32)
        assert ways
        if kind == "forward" and isinstance(layer, nn.Conv2d):
            first = ways[0]()
            for way in ways[1:]:
                again = way()
                again = again.view(2, 14, 14, -1).permute(0, 3, 1, 2) if again.ndim == 2 else again
                torch.testing.assert_close(again, first, rtol=1e-4, atol=1e-5)


def test_the_floor_counts_what_an_update_needs() -> None:
    spec = recipe.load("r3gan-small").with_values({"training.batch_size": 2})
    passes = list(convolution_floor.passes(spec, SHAPE))
    of_G, of_D = (
        sum(isinstance(module, convolution_floor.LAYERS) for module in network.modules())
        for network in networks.build_pair(spec, SHAPE, seed=0, rng=torch.Generator())
    )
    # Forward, D sees real images, fakes, both again in G's step, and each of two penalties; for its
    # weights, the first two and the penalties.
    for kind, expected in (("forward", of_G + 6 * of_D), ("weights", of_G + 4 * of_D)):
        assert sum(each == kind for _, _, each in passes) == expected


def test_updates_are_timed_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    row = train_speed.update_by_update("dcgan", 1, 1, compiled=False)
    assert row["times_plain"] == pytest.approx(
        row["plain_update_ms"] / row["counterfeit_update_ms"]
    )
    assert "times_floor" in capsys.readouterr().out
