"""The families of networks: from a recipe's section to a module.

A family is a file of modules beside this one, and an entry for each player here. Fields that only
the convolutional ones have are their constructors' arguments.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import nn

from counterfeit import recipe
from counterfeit.errors import CounterfeitError
from counterfeit.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from counterfeit.networks.mlp import MLPDiscriminator, MLPGenerator
from counterfeit.networks.resnet import ResnetDiscriminator, ResnetGenerator

Shape = tuple[int, int, int]
"""(C, H, W) of an image."""


def _own(spec: recipe.Network) -> dict[str, Any]:
    """The fields of its family alone, but for those that say how weights are drawn."""
    return spec.model_dump(exclude={*recipe.AnyGenerator.model_fields, "name", "init"})


def _mlp_generator(
    spec: recipe.MlpGenerator, latent_dim: int, image_shape: Shape, rng: torch.Generator
) -> nn.Module:
    return MLPGenerator(
        latent_dim,
        spec.hidden,
        image_shape,
        activation=spec.activation,
        slope=spec.slope,
        batch_norm=spec.batch_norm,
        output=spec.output,
    )


def _mlp_discriminator(
    spec: recipe.MlpDiscriminator, image_shape: Shape, rng: torch.Generator
) -> nn.Module:
    return MLPDiscriminator(
        image_shape,
        spec.hidden,
        activation=spec.activation,
        slope=spec.slope,
        pieces=spec.pieces,
        train_shared_maxout=spec.train_shared_maxout,
        norm=spec.norm,
        input_dropout=spec.input_dropout,
        dropout=spec.hidden_dropout,
        rng=rng,
    )


def _dcgan_generator(
    spec: recipe.DcganGenerator, latent_dim: int, image_shape: Shape, rng: torch.Generator
) -> nn.Module:
    return DCGANGenerator(latent_dim, image_shape, output=spec.output, rng=rng, **_own(spec))


def _dcgan_discriminator(
    spec: recipe.DcganDiscriminator, image_shape: Shape, rng: torch.Generator
) -> nn.Module:
    return DCGANDiscriminator(image_shape, rng=rng, **_own(spec))


def _resnet_generator(
    spec: recipe.ResnetGenerator, latent_dim: int, image_shape: Shape, rng: torch.Generator
) -> nn.Module:
    return ResnetGenerator(latent_dim, image_shape, output=spec.output, **_own(spec))


def _resnet_discriminator(
    spec: recipe.ResnetDiscriminator, image_shape: Shape, rng: torch.Generator
) -> nn.Module:
    return ResnetDiscriminator(image_shape, **_own(spec))


def _custom(spec: recipe.CustomGenerator | recipe.CustomDiscriminator, *_: object) -> NoReturn:
    raise CounterfeitError(
        f"{spec.label} is a network of the user's own, and only the code that made it can build it."
    )


GENERATORS: dict[type, Callable[[Any, int, Shape, torch.Generator], nn.Module]] = {
    recipe.MlpGenerator: _mlp_generator,
    recipe.DcganGenerator: _dcgan_generator,
    recipe.ResnetGenerator: _resnet_generator,
    recipe.CustomGenerator: _custom,
}
DISCRIMINATORS: dict[type, Callable[[Any, Shape, torch.Generator], nn.Module]] = {
    recipe.MlpDiscriminator: _mlp_discriminator,
    recipe.DcganDiscriminator: _dcgan_discriminator,
    recipe.ResnetDiscriminator: _resnet_discriminator,
    recipe.CustomDiscriminator: _custom,
}
