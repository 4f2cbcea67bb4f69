"""A running average of a generator's weights, to sample from."""

import copy

import torch
from torch import nn

EVERY = 10
"""Updates between two weights that are averaged: neighbours differ little, and reading all weights
takes as long as a tenth of an update."""


class Average:
    """The mean of a network's weights so far; once that spans 1 / (1 - decay) updates, exponential.

    At a constant learning rate a game's players circle their equilibrium, and the mean of the
    circle is nearer to it than any point of it. Training itself never sees the average.
    BatchNorm's running statistics are copied, not averaged: they are averages already.

    Source: Yazıcı et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training" (arXiv
    1806.04498), section 3.1.

    Args:
        network: what is averaged; the average starts as its copy.
        decay: the share of the average that an update keeps, below 1.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, updates: int) -> None:
        """Take in the weights after so many updates, if it is their turn; the first ones always."""
        if updates % EVERY and updates > EVERY:
            return
        share = max(1 - self.decay**EVERY, min(1.0, EVERY / updates))
        for mean, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight, share)
        for copied, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            copied.copy_(buffer)
