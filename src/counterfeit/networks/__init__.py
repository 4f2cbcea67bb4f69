"""The networks of a recipe: from its sections to modules."""

from counterfeit.networks.build import (
    build_discriminator,
    build_generator,
    init_output_bias,
    require_training_memory,
    weights,
)
from counterfeit.networks.initial import init_uniform, materialise
from counterfeit.networks.layers import Dropout, Maxout, SharedMaxout
from counterfeit.networks.mlp import MLPDiscriminator, MLPGenerator

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
    "materialise",
    "require_training_memory",
    "weights",
]
