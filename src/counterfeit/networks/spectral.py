"""Spectral normalisation: layers whose weights are divided by their largest singular value.

Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks" (arXiv
1802.05957), section 2 and algorithm 1.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from counterfeit.networks.convolutions import Convolution
from counterfeit.networks.layers import without_autocast


class Spectral(nn.Module):
    """What such layers share: one step of the power method for each pass in training mode.

    The estimate of the left singular vector, `u`, is part of the state. In eval mode it stays as
    it is, so that what a network says of an image does not depend on what it was asked before.
    """

    weight: Tensor
    u: Float[Tensor, " outputs"]

    def draw(self, rng: torch.Generator) -> None:
        """A random direction to start from."""
        self.u.copy_(normalize(torch.randn(self.u.shape, generator=rng), dim=0))

    def normalised(self) -> Tensor:
        """The weight over u^T W v, W being the weight as a matrix of a row for each output."""
        with without_autocast(self.weight.device):
            matrix = self.weight.flatten(1)  # (outputs, the rest)
            with torch.no_grad():
                v = normalize(matrix.t() @ self.u, dim=0)
                u = normalize(matrix @ v, dim=0)
                if self.training:
                    self.u.copy_(u)
            return self.weight / torch.dot(u, matrix @ v)


class SpectralLinear(nn.Linear, Spectral):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.register_buffer("u", torch.empty(outputs))

    def forward(self, x: Float[Tensor, "N inputs"]) -> Float[Tensor, "N outputs"]:
        return linear(x, self.normalised(), self.bias)


class SpectralConvolution(Convolution, Spectral):
    def __init__(self, inputs: int, outputs: int, *, halves: bool, bias: bool = True) -> None:
        super().__init__(inputs, outputs, halves=halves, bias=bias)
        self.register_buffer("u", torch.empty(outputs))

    def forward(self, x: Float[Tensor, "N inputs H W"]) -> Float[Tensor, "N outputs h w"]:
        return self.convolved(x, self.normalised())
