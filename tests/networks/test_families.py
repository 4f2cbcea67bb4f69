"""Convolutional families: any size and every option, each of which changes what it should."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from counterfeit import networks, recipe
from counterfeit.errors import CounterfeitError
from counterfeit.networks.resnet import Block

SIDES = st.sampled_from(range(8, 65, 4))
OPTIONS = {
    "dcgan": {
        "generator.norm": ["none", "batch", "layer", "group"],
        "generator.activation": ["relu", "leaky-relu", "elu", "silu"],
        "generator.upsample": ["transposed", "nearest", "pixel-shuffle"],
        "generator.dropout": [0.0, 0.5],
        "generator.sampling_dropout": [False, True],
        "generator.init": ["default", "normal-0.02", "orthogonal"],
        "generator.output": ["sigmoid", "tanh"],
        "discriminator.norm": ["none", "batch", "layer", "group", "spectral"],
        "discriminator.activation": ["relu", "leaky-relu", "elu", "silu", "maxout"],
        "discriminator.downsample": ["strided", "average"],
        "discriminator.dropout": [0.0, 0.5],
        "discriminator.minibatch": ["none", "discrimination", "stddev"],
        "discriminator.init": ["default", "normal-0.02", "orthogonal"],
    },
    "resnet": {
        "generator.blocks": [1, 2],
        "generator.patch": [1, 2],
        "generator.expansion": [1, 2],
        "generator.group_channels": [3, 16],
        "generator.output": ["sigmoid", "tanh"],
        "discriminator.blocks": [1, 2],
        "discriminator.patch": [1, 2],
        "discriminator.expansion": [1, 2],
        "discriminator.group_channels": [3, 16],
    },
}


def small(family: str, **values: object) -> recipe.Recipe:
    """The family at a width of 4, with dotted keys' other values."""
    return recipe.load("adam").with_values(
        {f"{player}.name": family for player in ("generator", "discriminator")}
        | {f"{player}.channels": 4 for player in ("generator", "discriminator")}
        | {"latent.dim": 5}
        | values
    )


def pair(spec: recipe.Recipe, shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
    return (
        networks.build_generator(spec.generator, spec.latent.dim, shape),
        networks.build_discriminator(spec.discriminator, shape),
    )


@st.composite
def specs(draw: st.DrawFn) -> recipe.Recipe:
    family = draw(st.sampled_from(sorted(OPTIONS)))
    values = {key: draw(st.sampled_from(kinds)) for key, kinds in OPTIONS[family].items()}
    return small(family, **values)


@settings(max_examples=60, deadline=None)
@given(spec=specs(), height=SIDES, width=SIDES, channels=st.sampled_from([1, 3]))
def test_any_options_fit_any_size(
    spec: recipe.Recipe, height: int, width: int, channels: int
) -> None:
    shape = (channels, height, width)
    G, D = pair(spec, shape)
    images = G(torch.randn(3, 5, generator=torch.Generator().manual_seed(0)))
    assert images.shape == (3, *shape)
    low, high = spec.value_range
    assert low <= images.min() <= images.max() <= high
    logits = D(images)
    assert logits.shape == (3,)
    parameters = [p for network in (G, D) for p in network.parameters()]
    gradients = torch.autograd.grad(logits.sum(), parameters)
    assert all(gradient.isfinite().all() for gradient in gradients)


CHANGES = [
    (family, key, value)
    for family, options in OPTIONS.items()
    for key, values in options.items()
    for value in values
    if key != "generator.sampling_dropout"
] + [
    ("dcgan", "generator.slope", 0.3),
    ("dcgan", "discriminator.slope", 0.3),
    ("dcgan", "discriminator.pieces", 3),
    ("dcgan", "generator.channels", 6),
    ("resnet", "discriminator.channels", 6),
]
NEEDS = {
    "generator.slope": {"generator.activation": "leaky-relu"},
    "discriminator.pieces": {"discriminator.activation": "maxout"},
}


@pytest.mark.parametrize(("family", "key", "value"), CHANGES)
def test_an_option_changes_its_player_and_not_the_other(
    family: str, key: str, value: object
) -> None:
    before = small(family, **NEEDS.get(key, {}))
    after = before.with_values({key: value})
    shape = (1, 16, 16)  # two stages, of which one has the norm
    player, field = key.split(".")
    same = getattr(getattr(before, player), field) == value
    rng = torch.Generator()
    inputs = torch.randn(4, 5, generator=rng), torch.rand(4, *shape, generator=rng)
    for name, old, new, x in zip(
        ("generator", "discriminator"), pair(before, shape), pair(after, shape), inputs, strict=True
    ):
        unchanged = torch.equal(old(x), new(x))
        assert unchanged == (same or name != player)


@pytest.mark.parametrize("family", OPTIONS)
def test_only_the_seed_decides_the_initial_weights(family: str) -> None:
    spec = small(family, **({"discriminator.norm": "spectral"} if family == "dcgan" else {}))
    state = torch.random.get_rng_state()
    for build in (
        lambda seed: networks.build_generator(spec.generator, 5, (3, 8, 8), seed=seed),
        lambda seed: networks.build_discriminator(spec.discriminator, (3, 8, 8), seed=seed),
    ):
        first, again, other = (build(seed).state_dict() for seed in (1, 1, 2))
        assert all(torch.equal(tensor, again[key]) for key, tensor in first.items())
        assert any(not torch.equal(tensor, other[key]) for key, tensor in first.items())
        assert all(tensor.isfinite().all() for tensor in first.values())
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("family", OPTIONS)
@pytest.mark.parametrize("sides", [(30, 30), (28, 30), (4, 8), (68, 64), (8, 72)])
def test_another_size_is_refused_in_a_line(family: str, sides: tuple[int, int]) -> None:
    spec = small(family)
    sentence = rf"images of {sides[0]}x{sides[1]} pixels .* multiples of 4 from 8 to 64.*mlp"
    for build in (
        lambda: networks.build_generator(spec.generator, 5, (1, *sides)),
        lambda: networks.build_discriminator(spec.discriminator, (1, *sides)),
    ):
        with pytest.raises(CounterfeitError, match=sentence) as caught:
            build()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("family", OPTIONS)
def test_networks_beyond_this_machine_are_refused(family: str) -> None:
    spec = small(family, **{"generator.channels": 100_000, "discriminator.channels": 100_000})
    with pytest.raises(CounterfeitError, match=r"GB.*lower generator\.channels"):
        networks.build_generator(spec.generator, 5, (1, 64, 64))
    with pytest.raises(CounterfeitError, match=r"GB.*lower discriminator\.channels"):
        networks.build_discriminator(spec.discriminator, (1, 64, 64))
    with pytest.raises(CounterfeitError, match=r"lower generator\.channels, discriminator\.ch"):
        networks.build_pair(spec, (1, 64, 64), seed=0, rng=torch.Generator())


def test_dropout_in_samples_is_a_function_of_the_latents() -> None:
    z, other = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0))
    shape = (1, 8, 8)
    noisy = small("dcgan", **{"generator.dropout": 0.5, "generator.sampling_dropout": True})
    G, _ = pair(noisy, shape)
    silent, _ = pair(small("dcgan", **{"generator.dropout": 0.5}), shape)
    plain, _ = pair(small("dcgan"), shape)
    for network in (G, silent, plain):
        network.eval()
    images = G(z)
    assert not torch.equal(images, plain(z))
    assert torch.equal(silent(z), plain(z))
    G(other)
    assert torch.equal(G(z), images)
    assert torch.equal(copy.deepcopy(G)(z), images)
    same = G(torch.stack([z[0]] * 4))
    assert not torch.equal(same[0], same[1])  # a second source of noise
    G.train()
    assert not torch.equal(G(z), G(z))


def test_dcgans_initial_weights() -> None:
    spec = small("dcgan", **{"generator.channels": 64})
    G, _ = pair(spec, (3, 32, 32))
    for layer in G.modules():
        if isinstance(layer, nn.ConvTranspose2d | nn.Linear):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
            assert not layer.bias.any()
    G, _ = pair(spec.with_values({"generator.init": "orthogonal"}), (3, 32, 32))
    matrix = G.hidden[4].weight.flatten(1)  # (256, 128 * 16)
    torch.testing.assert_close(matrix @ matrix.t(), torch.eye(len(matrix)), atol=1e-4, rtol=0)


def test_a_residual_block_starts_as_the_identity_and_keeps_the_scale() -> None:
    _, D = pair(small("resnet", **{"discriminator.channels": 32}), (3, 32, 32))
    x = torch.randn(8, 32, 8, 8, generator=torch.Generator().manual_seed(0))
    block = next(module for module in D.modules() if isinstance(module, Block))
    assert torch.equal(block(x), x)
    stages = 4  # of 32, 16, 8 and 4 pixels, with a block each
    for layer, fan_in in ((block.expand, 32), (block.mix, 16 * 9)):
        std = math.sqrt(2 / 1.04 / fan_in) / stages ** (1 / 4)
        assert layer.weight.std().item() == pytest.approx(std, rel=0.1)


def test_generator_and_discriminator_mirror_each_other() -> None:
    G, D = pair(small("resnet", **{f"{p}.blocks": 2 for p in ("generator", "discriminator")}),
                (3, 32, 32))  # fmt: skip
    shapes = [
        [tuple(block.mix.weight.shape) for block in network.modules() if isinstance(block, Block)]
        for network in (G, D)
    ]
    assert shapes[0] == shapes[1][::-1]
    assert len(shapes[0]) == 8
