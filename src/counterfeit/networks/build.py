"""From the sections of a recipe to networks, their weights drawn for a seed.

A network is planned on the meta device, where its sizes are known and nothing is allocated; then
memory is asked for, once; then its weights are drawn.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.environment import require_memory
from counterfeit.networks.around import discriminator_around, generator_around
from counterfeit.networks.conditional import ask, within
from counterfeit.networks.families import DISCRIMINATORS, GENERATORS, Shape
from counterfeit.networks.initial import INITS, init_uniform, materialise
from counterfeit.networks.mlp import MLPGenerator
from counterfeit.networks.own import Kind
from counterfeit.recipe import AnyGenerator, Network, Perceptron, Recipe
from counterfeit.seeds import stream


def plan_generator(
    spec: AnyGenerator, latent_dim: int, image_shape: Shape, rng: torch.Generator | None = None
) -> nn.Module:
    """The section's generator on the meta device; dropout will draw from `rng`.

    Raises:
        CounterfeitError: the family makes no images of that shape.
    """
    with torch.device("meta"):
        return GENERATORS[type(spec)](spec, latent_dim, image_shape, rng or torch.Generator("cpu"))


def plan_discriminator(
    spec: Network, image_shape: Shape, rng: torch.Generator | None = None
) -> nn.Module:
    """The section's discriminator on the meta device; dropout will draw from `rng`.

    Raises:
        CounterfeitError: the family takes no images of that shape.
    """
    with torch.device("meta"):
        return DISCRIMINATORS[type(spec)](spec, image_shape, rng or torch.Generator("cpu"))


def build_generator(
    spec: AnyGenerator, latent_dim: int, image_shape: Shape, *, seed: int = 0
) -> nn.Module:
    """The section's generator on the CPU, its weights drawn for `seed`.

    Raises:
        CounterfeitError: this machine's memory cannot hold it, or see `plan_generator`.
    """
    network = plan_generator(spec, latent_dim, image_shape)
    smaller = f"lower generator.{spec.sized_by} or latent.dim"
    require_memory(4 * weights(network), "the generator's weights", smaller)
    _draw(network, spec, stream(seed, "init", 0))
    return network


def build_discriminator(
    spec: Network, image_shape: Shape, *, seed: int = 0, rng: torch.Generator | None = None
) -> nn.Module:
    """The section's discriminator on the CPU, its weights drawn for `seed`.

    Args:
        rng: where dropout draws from; a new generator when absent.

    Raises:
        CounterfeitError: this machine's memory cannot hold it, or see `plan_discriminator`.
    """
    network = plan_discriminator(spec, image_shape, rng)
    smaller = f"lower discriminator.{spec.sized_by}"
    require_memory(4 * weights(network), "the discriminator's weights", smaller)
    _draw(network, spec, stream(seed, "init", 1))
    return network


def plan_player(
    player: Kind,
    recipe: Recipe,
    image_shape: Shape,
    classes: int = 0,
    rng: torch.Generator | None = None,
) -> nn.Module:
    """A recipe's generator or discriminator on the meta device, told classes if it asks for that.

    Args:
        classes: how many the data have.
        rng: where dropout will draw from.

    Raises:
        UsageError: the generator cannot be told as the recipe says.
        CounterfeitError: its family has no images of that shape, or only the user's code builds it.
    """
    g, d = recipe.generator, recipe.discriminator
    with torch.device("meta"):
        if player == "generator":
            return generator_around(
                lambda width: plan_generator(g, width, image_shape, rng), recipe, classes
            )
        return discriminator_around(
            lambda shape: plan_discriminator(d, shape, rng), recipe, image_shape, classes
        )


def plan_pair(
    recipe: Recipe, image_shape: Shape, classes: int = 0, rng: torch.Generator | None = None
) -> tuple[nn.Module, nn.Module]:
    """Both; see `plan_player`."""
    generator, discriminator = (
        plan_player(player, recipe, image_shape, classes, rng) for player in get_args(Kind)
    )
    return generator, discriminator


def build_pair(
    recipe: Recipe,
    image_shape: Shape,
    classes: int = 0,
    *,
    seed: int,
    rng: torch.Generator,
    own: Mapping[Kind, nn.Module] = MappingProxyType({}),
) -> tuple[nn.Module, nn.Module]:
    """A recipe's generator and discriminator on the CPU, to be trained, their weights drawn for
    `seed`.

    Args:
        classes: how many the data have.
        rng: where dropout draws from, on the device of the images to come.
        own: the user's, which stay as they are and where they are.

    Raises:
        CounterfeitError: this machine's memory cannot train them, or see `plan_player`.
    """
    if not own:
        planned = plan_pair(recipe, image_shape, classes, rng)
        require_memory(
            training_bytes(recipe, *planned),
            "to be trained, these networks",
            f"lower generator.{recipe.generator.sized_by},"
            f" discriminator.{recipe.discriminator.sized_by}, latent.dim or training.batch_size",
        )
    else:  # what those need is not known
        generator, discriminator = (
            own.get(player) or plan_player(player, recipe, image_shape, classes, rng)
            for player in get_args(Kind)
        )
        planned = generator, discriminator
    sections = recipe.generator, recipe.discriminator
    for number, (player, spec) in enumerate(zip(get_args(Kind), sections, strict=True)):
        if player not in own:
            _draw(planned[number], spec, stream(seed, "init", number))
    return planned


def _draw(network: nn.Module, spec: Network, rng: torch.Generator) -> None:
    materialise(network, rng)
    if isinstance(spec, Perceptron) and spec.init_range is not None:
        init_uniform(network, spec.init_range, rng)
    elif (init := getattr(spec, "init", "default")) in INITS:
        INITS[init](network, rng)


def weights(network: nn.Module) -> int:
    """How many numbers its parameters hold."""
    return sum(parameter.numel() for parameter in network.parameters())


def training_bytes(recipe: Recipe, generator: nn.Module, discriminator: nn.Module) -> int:
    """What planned networks need to be trained by the recipe, at the least.

    Counted are, in float32, each weight with its gradient and one or two numbers of its optimiser's
    state, G's average, and in both directions what a batch makes of each layer that has weights: of
    fakes in G, of fakes and as many real images in D. It takes somewhat more.
    """
    g, d, batch_size = recipe.generator, recipe.discriminator, recipe.training.batch_size
    copies_of_g, copies_of_d = (3 if spec.trained_with.name == "sgd" else 4 for spec in (g, d))
    kept = weights(generator) * (copies_of_g + (g.ema_decay > 0))
    kept += weights(discriminator) * copies_of_d
    with _counted_outputs(generator) as of_g, _counted_outputs(discriminator) as of_d:
        z = torch.empty(1, recipe.latent.width, device="meta")
        label = torch.zeros(1, dtype=torch.int64, device="meta")
        ask(discriminator, ask(generator, z, label), label)
    return 4 * (kept + 2 * batch_size * (sum(of_g) + 2 * sum(of_d)))


@contextmanager
def _counted_outputs(network: nn.Module) -> Iterator[list[int]]:
    """The numbers that each layer with weights puts out, in the passes of the block."""
    counts: list[int] = []
    layers = [m for m in network.modules() if next(m.parameters(recurse=False), None) is not None]
    hooks = [
        layer.register_forward_hook(lambda _, __, output: counts.append(output.numel()))
        for layer in layers
    ]
    network.eval()
    try:
        yield counts
    finally:
        network.train()
        for hook in hooks:
            hook.remove()


def init_output_bias(generator: nn.Module, mean_image: Float[Tensor, "C H W"]) -> None:
    """Start the generator's output at the training images' mean, given in [0, 1].

    A mean m becomes the bias logit(m) before a sigmoid, as pylearn2's
    `init_sigmoid_bias_from_marginals`, which clips m to [1e-7, 1 - 1e-7]. Before a tanh, whose
    range is [-1, 1], it is atanh(2m - 1) = logit(m) / 2.
    """
    generator = within(generator)
    assert isinstance(generator, MLPGenerator)
    bias = torch.logit(mean_image.double().clamp(1e-7, 1 - 1e-7)).flatten()
    if isinstance(generator.squash, nn.Tanh):
        bias = bias / 2
    with torch.no_grad():
        generator.output.bias.copy_(bias)
