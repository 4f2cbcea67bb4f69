"""What a recipe puts around its families' networks: classes that they are told, and heads."""

from collections.abc import Callable

from torch import nn

from counterfeit.errors import UsageError
from counterfeit.networks.conditional import (
    ClassNorm,
    OneHot,
    TellingDiscriminator,
    ToldGenerator,
    features_of,
)
from counterfeit.networks.families import Shape
from counterfeit.recipe import Recipe

CODE_UNITS = 128
"""Of the hidden layer between D's features and what they tell of the codes, as in InfoGAN's
experiments (Chen et al. 2016, arXiv 1606.03657, appendix C.1)."""


def generator_around(plan: Callable[[int], nn.Module], recipe: Recipe, classes: int) -> nn.Module:
    """A planned generator, and around it what tells it a class, if the recipe asks for that.

    Args:
        plan: makes the family's network for latents of so many units.
        classes: of the data.

    Raises:
        UsageError: it has no BatchNorm that could be told.
    """
    width = recipe.latent.width
    if recipe.condition is None:
        return plan(width)
    how = recipe.condition.generator
    if how == "concat":
        return ToldGenerator(plan(width + classes), OneHot(classes), classes)
    if how == "embedding":
        return ToldGenerator(plan(2 * width), nn.Embedding(classes, width), classes)
    told = ToldGenerator(plan(width), None, classes)
    if not any(isinstance(layer, ClassNorm) for layer in told.modules()):
        raise UsageError(
            "condition.generator = 'batch-norm' tells G's BatchNorms the class, and this G has"
            " none; take 'concat' or 'embedding', or give it some."
        )
    return told


def discriminator_around(
    plan: Callable[[Shape], nn.Module], recipe: Recipe, shape: Shape, classes: int
) -> nn.Module:
    """A planned discriminator, and around it what tells it a class or lets it tell more.

    Args:
        plan: makes the family's network for images of such a shape.
        classes: of the data.
    """
    condition, latent = recipe.condition, recipe.latent
    if condition is None and not latent.codes:
        return plan(shape)
    how = condition.discriminator if condition else None
    channels, height, width = shape
    planes = nn.Embedding(classes, height * width) if how == "concat" else None
    inner = plan((channels + (planes is not None), height, width))
    features = features_of(inner)
    heads: dict[str, nn.Module] = {}
    if how == "auxiliary":
        heads["classes"] = nn.Linear(features, classes)
    if latent.codes:
        heads["codes"] = nn.Sequential(
            nn.Linear(features, CODE_UNITS),
            nn.LeakyReLU(0.1),
            nn.Linear(CODE_UNITS, latent.codes),
        )
    projection = nn.Embedding(classes, features) if how == "projection" else None
    return TellingDiscriminator(inner, planes=planes, projection=projection, heads=heads)
