"""Initial weights, drawn from a generator of their own: PyTorch's own draw from one that all share.

A network is built on the meta device, where nothing is drawn or allocated; then `materialise` gives
it memory and the weights that PyTorch's constructors would have given it.
"""

import math

import torch
from torch import nn

from counterfeit.networks.layers import SharedMaxout

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm, nn.LayerNorm)


def materialise(network: nn.Module, rng: torch.Generator) -> None:
    """Put a network of the meta device on the CPU, its weights drawn from `rng`.

    In the order of `network.modules()`, each layer's as its own `reset_parameters` draws them: to
    the bit what constructing the layers in that order gives after seeding the global generator.

    Raises:
        TypeError: a layer whose initial weights are not known here.
    """
    network.to_empty(device="cpu")
    for layer in network.modules():
        if isinstance(layer, WEIGHTED):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=rng)
            if layer.bias is not None:
                bound = 1 / math.sqrt(layer.weight[0].numel())
                nn.init.uniform_(layer.bias, -bound, bound, generator=rng)
        elif isinstance(layer, SharedMaxout):
            nn.init.normal_(layer.weight, generator=rng)
            nn.init.normal_(layer.bias, generator=rng)
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, generator=rng)
        elif isinstance(layer, NORMS):
            layer.reset_parameters()  # draws nothing
        elif next(layer.parameters(recurse=False), None) is not None:
            raise TypeError(f"initial weights of {type(layer).__name__} are not known")


def init_uniform(network: nn.Module, half_width: float, rng: torch.Generator) -> None:
    """Draw the weights of all linear layers from U(-half_width, half_width); biases become 0.

    Source: pylearn2's `irange`, which mnist.yaml of the authors' repository sets.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -half_width, half_width, generator=rng)
            nn.init.zeros_(layer.bias)
