"""The networks of a recipe: from its sections to modules."""

from counterfeit.networks.build import (
    build_discriminator,
    build_generator,
    build_pair,
    init_output_bias,
    plan_discriminator,
    plan_generator,
    plan_pair,
    plan_player,
    weights,
)
from counterfeit.networks.conditional import ask, told, within
from counterfeit.networks.initial import init_uniform, materialise
from counterfeit.networks.layers import ChannelMaxout, Dropout, Maxout, SharedMaxout
from counterfeit.networks.minibatch import judges_rows_apart
from counterfeit.networks.mlp import MLPDiscriminator, MLPGenerator
from counterfeit.networks.own import Own, OwnDiscriminator, OwnGenerator
from counterfeit.networks.scores import Scores, scores

__all__ = [
    "ChannelMaxout",
    "Dropout",
    "MLPDiscriminator",
    "MLPGenerator",
    "Maxout",
    "Own",
    "OwnDiscriminator",
    "OwnGenerator",
    "Scores",
    "SharedMaxout",
    "ask",
    "build_discriminator",
    "build_generator",
    "build_pair",
    "init_output_bias",
    "init_uniform",
    "judges_rows_apart",
    "materialise",
    "plan_discriminator",
    "plan_generator",
    "plan_pair",
    "plan_player",
    "scores",
    "told",
    "weights",
    "within",
]
