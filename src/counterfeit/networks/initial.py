"""Initial weights, drawn from a generator of their own: PyTorch's own draw from one that all share.

A network is built on the meta device, where nothing is drawn or allocated; then `materialise` gives
it memory and the weights that PyTorch's constructors would have given it.
"""

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import nn

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm, nn.LayerNorm)


@runtime_checkable
class Drawn(Protocol):
    """A layer that draws what it starts from, or what it has beside a weight and a bias, itself."""

    def draw(self, rng: torch.Generator) -> None: ...


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
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, generator=rng)
        elif isinstance(layer, NORMS):
            layer.reset_parameters()  # draws nothing
        elif not isinstance(layer, Drawn) and any(True for _ in layer.parameters(recurse=False)):
            raise TypeError(f"initial weights of {type(layer).__name__} are not known")
        if isinstance(layer, Drawn):
            with torch.no_grad():
                layer.draw(rng)


def init_uniform(network: nn.Module, half_width: float, rng: torch.Generator) -> None:
    """Draw the weights of all linear layers from U(-half_width, half_width); biases become 0.

    Source: pylearn2's `irange`, which mnist.yaml of the authors' repository sets.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -half_width, half_width, generator=rng)
            nn.init.zeros_(layer.bias)


def init_normal(network: nn.Module, rng: torch.Generator) -> None:
    """Draw all weights from N(0, 0.02^2) and BatchNorm's gains from N(1, 0.02^2); biases become 0.

    Source: DCGAN (arXiv 1511.06434), section 4; of the gains, its code (dcgan.torch, main.lua).
    """
    for layer in network.modules():
        if isinstance(layer, WEIGHTED):
            nn.init.normal_(layer.weight, 0, 0.02, generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1, 0.02, generator=rng)


def init_orthogonal(network: nn.Module, rng: torch.Generator) -> None:
    """Make all weights orthogonal, as matrices of a row for each output; biases become 0.

    Source: Saxe et al. 2014 (arXiv 1312.6120), section 3; in a GAN, BigGAN (1809.11096).
    """
    for layer in network.modules():
        if isinstance(layer, WEIGHTED):
            nn.init.orthogonal_(layer.weight, generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


INITS: dict[str, Callable[[nn.Module, torch.Generator], None]] = {
    "normal-0.02": init_normal,
    "orthogonal": init_orthogonal,
}
"""What may follow PyTorch's own draw, by the name that recipes give it."""
