"""From a recipe to its networks, their weights drawn for a seed."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.environment import require_memory
from counterfeit.networks.initial import init_uniform, materialise
from counterfeit.networks.mlp import MLPDiscriminator, MLPGenerator
from counterfeit.recipe import Perceptron, Recipe
from counterfeit.seeds import stream

SMALLER = "lower generator.hidden, discriminator.hidden, latent.dim or training.batch_size"


def build_generator(
    recipe: Recipe, image_shape: tuple[int, int, int], *, seed: int = 0
) -> MLPGenerator:
    """The recipe's generator for images of shape (C, H, W), its weights drawn for `seed`.

    Raises:
        CounterfeitError: this machine's memory cannot hold it.
    """
    spec = recipe.generator
    require_memory(4 * weights(recipe, image_shape)[0], "the generator's weights", SMALLER)
    with torch.device("meta"):
        generator = MLPGenerator(
            recipe.latent.dim,
            spec.hidden,
            image_shape,
            activation=spec.activation,
            batch_norm=spec.batch_norm,
            output=spec.output,
        )
    _draw_weights(generator, spec, stream(seed, "init", 0))
    return generator


def build_discriminator(
    recipe: Recipe,
    image_shape: tuple[int, int, int],
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> MLPDiscriminator:
    """The recipe's discriminator for images of shape (C, H, W), its weights drawn for `seed`.

    The same weights on every device; only dropout's generator lives on `device`.

    Raises:
        CounterfeitError: this machine's memory cannot hold it.
    """
    spec = recipe.discriminator
    require_memory(4 * weights(recipe, image_shape)[1], "the discriminator's weights", SMALLER)
    with torch.device("meta"):
        discriminator = MLPDiscriminator(
            image_shape,
            spec.hidden,
            activation=spec.activation,
            pieces=spec.pieces,
            train_shared_maxout=spec.train_shared_maxout,
            input_dropout=spec.input_dropout,
            dropout=spec.hidden_dropout,
            rng=torch.Generator(device),
        )
    _draw_weights(discriminator, spec, stream(seed, "init", 1))
    return discriminator.to(device)


def _draw_weights(network: nn.Module, spec: Perceptron, rng: torch.Generator) -> None:
    materialise(network, rng)
    if spec.init_range is not None:
        init_uniform(network, spec.init_range, rng)


def weights(recipe: Recipe, image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """How many numbers the parameters of the generator and the discriminator hold."""
    g, d = recipe.generator, recipe.discriminator
    pixels = math.prod(image_shape)
    of_g = sum((i + 1) * o for i, o in pairwise((recipe.latent.dim, *g.hidden, pixels)))
    if g.batch_norm:
        of_g += 2 * sum(g.hidden)
    pieces = d.pieces if d.activation == "maxout" else 1
    of_d = sum((i + 1) * o * pieces for i, o in pairwise((pixels, *d.hidden))) + d.hidden[-1] + 1
    if d.activation == "shared-maxout":
        of_d += 2 * d.pieces * len(d.hidden)
    return of_g, of_d


def require_training_memory(recipe: Recipe, image_shape: tuple[int, int, int]) -> None:
    """Refuse networks that cannot be trained here.

    Counted are, in float32, each weight with its gradient and one or two numbers of its optimiser's
    state, G's average, and the activations of one batch in both directions. It takes somewhat more.

    Raises:
        CounterfeitError: that is more than this machine's memory.
    """
    g, d = recipe.generator, recipe.discriminator
    of_g, of_d = weights(recipe, image_shape)
    copies_of_g, copies_of_d = (4 if spec.optimizer.name == "adam" else 3 for spec in (g, d))
    numbers = of_g * (copies_of_g + (g.ema_decay > 0)) + of_d * copies_of_d
    pieces = 1 if d.activation in ("relu", "leaky-relu") else d.pieces
    units = recipe.latent.dim + sum(g.hidden) + sum(d.hidden) * pieces + 2 * math.prod(image_shape)
    numbers += 2 * units * recipe.training.batch_size
    require_memory(4 * numbers, "to be trained, these networks", SMALLER)


def init_output_bias(generator: MLPGenerator, mean_image: Float[Tensor, "C H W"]) -> None:
    """Start the generator's output at the training images' mean, given in [0, 1].

    A mean m becomes the bias logit(m) before a sigmoid, as pylearn2's
    `init_sigmoid_bias_from_marginals`, which clips m to [1e-7, 1 - 1e-7]. Before a tanh, whose
    range is [-1, 1], it is atanh(2m - 1) = logit(m) / 2.
    """
    bias = torch.logit(mean_image.double().clamp(1e-7, 1 - 1e-7)).flatten()
    if isinstance(generator.squash, nn.Tanh):
        bias = bias / 2
    with torch.no_grad():
        generator.output.bias.copy_(bias)
