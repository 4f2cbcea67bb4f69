"""The networks, and how a recipe's are built."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.model.discriminators import MLPDiscriminator
from counterfeit.model.generators import MLPGenerator
from counterfeit.model.layers import Dropout, Maxout, SharedMaxout, init_uniform
from counterfeit.recipe import Recipe
from counterfeit.seeds import stream_seed

__all__ = [
    "Dropout",
    "MLPDiscriminator",
    "MLPGenerator",
    "Maxout",
    "SharedMaxout",
    "build_discriminator",
    "build_generator",
    "init_output_bias",
    "init_uniform",
]


def build_generator(
    recipe: Recipe, image_shape: tuple[int, int, int], *, seed: int = 0
) -> MLPGenerator:
    """The recipe's generator for images of shape (C, H, W), its weights drawn for `seed`."""
    spec = recipe.generator
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "init", 0))
        generator = MLPGenerator(
            recipe.latent.dim,
            spec.hidden,
            image_shape,
            activation=spec.activation,
            batch_norm=spec.batch_norm,
            output=spec.output,
        )
        if spec.init_range is not None:
            init_uniform(generator, spec.init_range)
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
    """
    spec = recipe.discriminator
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "init", 1))
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
        if spec.init_range is not None:
            init_uniform(discriminator, spec.init_range)
    return discriminator.to(device)


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
