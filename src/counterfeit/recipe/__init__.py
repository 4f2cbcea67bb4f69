"""A recipe says everything about a training that its seed and the machine do not: data, networks,
losses, optimisers, schedule, and where each number comes from.

Recipes are TOML files. The built-in ones lie in `recipes/`; a path to a file of your own works
wherever a name does. Unknown keys and impossible values are errors that name the key.
"""

from counterfeit.recipe.condition import Condition
from counterfeit.recipe.networks import (
    AnyGenerator,
    CustomDiscriminator,
    CustomGenerator,
    DcganDiscriminator,
    DcganGenerator,
    Discriminator,
    Generator,
    MlpDiscriminator,
    MlpGenerator,
    Network,
    Perceptron,
    ResnetDiscriminator,
    ResnetGenerator,
)
from counterfeit.recipe.read import load, names
from counterfeit.recipe.recipe import SIGNED, Recipe, parse
from counterfeit.recipe.rules import (
    Constraints,
    CriticLoss,
    CrossEntropy,
    CustomLoss,
    GradientPenalty,
    Inputs,
    Loss,
    Penalties,
    Penalty,
)
from counterfeit.recipe.sections import (
    Adam,
    AdamW,
    AnyOptimizer,
    Data,
    Latent,
    Optimizer,
    Section,
    Sgd,
    Training,
)
from counterfeit.recipe.tables import dotted, read_toml, toml_text

__all__ = [
    "SIGNED",
    "Adam",
    "AdamW",
    "AnyGenerator",
    "AnyOptimizer",
    "Condition",
    "Constraints",
    "CriticLoss",
    "CrossEntropy",
    "CustomDiscriminator",
    "CustomGenerator",
    "CustomLoss",
    "Data",
    "DcganDiscriminator",
    "DcganGenerator",
    "Discriminator",
    "Generator",
    "GradientPenalty",
    "Inputs",
    "Latent",
    "Loss",
    "MlpDiscriminator",
    "MlpGenerator",
    "Network",
    "Optimizer",
    "Penalties",
    "Penalty",
    "Perceptron",
    "Recipe",
    "ResnetDiscriminator",
    "ResnetGenerator",
    "Section",
    "Sgd",
    "Training",
    "dotted",
    "load",
    "names",
    "parse",
    "read_toml",
    "toml_text",
]
