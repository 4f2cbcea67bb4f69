"""Networks: shapes, sizes, ranges, and initial weights that only the seed decides."""

import pytest
import torch

from counterfeit import networks, recipe
from counterfeit.errors import CounterfeitError
from counterfeit.networks.build import training_bytes
from small_networks import PERCEPTRONS

SHAPE = (1, 28, 28)


def parameters(network: torch.nn.Module, trained: bool = True) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad or not trained)


@pytest.mark.parametrize("name", recipe.names())
def test_shapes_and_ranges(name: str) -> None:
    spec = recipe.load(name)
    G = networks.build_generator(spec.generator, spec.latent.dim, SHAPE)
    D = networks.build_discriminator(spec.discriminator, SHAPE)
    images = G(torch.randn(5, spec.latent.dim))
    low, high = spec.value_range
    assert images.shape == (5, *SHAPE)
    assert images.min() >= low
    assert images.max() <= high
    assert D(images).shape == (5,)


def test_sizes_are_the_sources() -> None:
    article = recipe.load("batchnorm-smoothing")
    G = networks.build_generator(article.generator, article.latent.dim, SHAPE)
    D = networks.build_discriminator(article.discriminator, SHAPE)
    linear = (100 * 256 + 256) + (256 * 512 + 512) + (512 * 784 + 784)
    assert parameters(G) == linear + 2 * 256 + 2 * 512
    assert parameters(D) == (784 * 512 + 512) + (512 * 256 + 256) + (256 + 1)
    assert parameters(D, trained=False) == parameters(D) + 2 * 2 * 3  # two layers of three lines

    paper = recipe.load("paper")
    G = networks.build_generator(paper.generator, paper.latent.dim, SHAPE)
    D = networks.build_discriminator(paper.discriminator, SHAPE)
    assert parameters(G) == (100 * 1200 + 1200) + (1200 * 1200 + 1200) + (1200 * 784 + 784)
    assert parameters(D) == (784 * 1200 + 1200) + (240 * 1200 + 1200) + (240 + 1)


@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_the_marginal_bias_starts_at_the_mean_image(output: str) -> None:
    spec = recipe.load("paper").with_overrides([f"generator.output={output}"])
    mean = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)) * 0.98 + 0.01
    G = networks.build_generator(spec.generator, spec.latent.dim, SHAPE)
    networks.init_output_bias(G, mean)
    for layer in G.hidden:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.zeros_(layer.weight)
    low, high = spec.value_range
    torch.testing.assert_close(G(torch.zeros(1, 100))[0], low + (high - low) * mean)


def test_pixels_that_are_always_zero_start_near_zero() -> None:
    spec = recipe.load("paper")
    G = networks.build_generator(spec.generator, spec.latent.dim, SHAPE)
    networks.init_output_bias(G, torch.zeros(SHAPE))
    assert torch.isfinite(G.output.bias).all()
    assert G(torch.zeros(1, 100)).max() < 1e-5


def test_only_the_seed_decides_the_initial_weights() -> None:
    spec = recipe.load("sgd")
    torch.manual_seed(123)
    first = networks.build_discriminator(spec.discriminator, SHAPE, seed=1)
    state_of_the_global_generator = torch.random.get_rng_state()
    again = networks.build_discriminator(spec.discriminator, SHAPE, seed=1)
    other = networks.build_discriminator(spec.discriminator, SHAPE, seed=2)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
        assert not torch.equal(weight, other.state_dict()[name])
    assert torch.equal(torch.random.get_rng_state(), state_of_the_global_generator)


@pytest.mark.parametrize("name", PERCEPTRONS)
@pytest.mark.parametrize("override", ["latent.dim=7", "discriminator.activation=maxout"])
def test_weights_are_counted_before_they_are_made(name: str, override: str) -> None:
    spec = recipe.load(name).with_overrides([override])
    shape = (1, 4, 5)
    plans = (
        networks.plan_generator(spec.generator, spec.latent.dim, shape),
        networks.plan_discriminator(spec.discriminator, shape),
    )
    assert all(p.is_meta for plan in plans for p in plan.parameters())
    counted = tuple(map(networks.weights, plans))
    pair = (
        networks.build_generator(spec.generator, spec.latent.dim, shape),
        networks.build_discriminator(spec.discriminator, shape),
    )
    assert counted == tuple(sum(p.numel() for p in network.parameters()) for network in pair)


def test_networks_beyond_this_machine_are_refused() -> None:
    spec = recipe.load("sgd").with_overrides(["generator.hidden=[1000000000]"])
    with pytest.raises(
        CounterfeitError, match=r"generator's weights need 3,540 GB.*lower generator"
    ):
        networks.build_generator(spec.generator, spec.latent.dim, (1, 28, 28))
    with pytest.raises(CounterfeitError, match=r"to be trained, these networks need .* GB"):
        networks.build_pair(spec, (1, 28, 28), seed=0, rng=torch.Generator())
    with pytest.raises(CounterfeitError, match="discriminator's weights"):
        networks.build_discriminator(spec.discriminator, (3, 50_000, 50_000))
    for name in recipe.names():
        networks.build_pair(recipe.load(name), (1, 28, 28), 10, seed=0, rng=torch.Generator())


@pytest.mark.parametrize(("optimizer", "copies"), [("sgd", 3), ("adam", 4), ("adamw", 4)])
def test_a_batch_is_counted_as_the_layers_see_it(optimizer: str, copies: int) -> None:
    """Weights, gradients, the optimiser's state; and two directions of each layer's output."""
    spec = recipe.load("sgd").with_overrides(
        ["generator.hidden=[3]", "discriminator.hidden=[5]", "discriminator.dropout=0"]
        + [f"{player}.optimizer.name={optimizer}" for player in ("generator", "discriminator")]
    )
    G = networks.plan_generator(spec.generator, spec.latent.dim, (1, 2, 2))
    D = networks.plan_discriminator(spec.discriminator, (1, 2, 2))
    kept = copies * (networks.weights(G) + networks.weights(D))
    outputs = (3 + 4) + 2 * (5 + 5 + 1)  # SharedMaxout has weights too
    assert training_bytes(spec, G, D) == 4 * (kept + 2 * 128 * outputs)
    assert G.training
    assert D.training
