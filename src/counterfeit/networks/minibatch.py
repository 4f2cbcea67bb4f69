"""Layers that let a discriminator see how the images of a batch differ, so that a generator that
repeats itself is told. They look at all images that they are given as one batch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.networks.own import Own


class MinibatchDiscrimination(nn.Module):
    """Appends to each row how close the batch's other rows are, by `kernels` learned measures.

    With M_i = f(x_i) T, a matrix of `kernels` rows of `kernel_dim` numbers, feature b of row i is
    the sum over j of exp(-|M_ib - M_jb|_1); the row itself adds 1.

    Source: Salimans et al. 2016, "Improved Techniques for Training GANs" (arXiv 1606.03498),
    section 3.2.
    """

    def __init__(self, inputs: int, kernels: int = 50, kernel_dim: int = 5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, kernels, kernel_dim))

    def draw(self, rng: torch.Generator) -> None:
        """As PyTorch draws a linear layer's weights."""
        bound = len(self.weight) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound, generator=rng)

    def forward(self, x: Float[Tensor, "N inputs"]) -> Float[Tensor, "N inputs+kernels"]:
        rows = (x @ self.weight.flatten(1)).view(-1, *self.weight.shape[1:])  # (N, kernels, dim)
        apart = (rows[:, None] - self.others(rows)).abs().sum(3)  # (N, N, kernels)
        return torch.cat([x, torch.exp(-apart).sum(1).to(x.dtype)], 1)

    def others(self, rows: Float[Tensor, "N kernels dim"]) -> Float[Tensor, "N kernels dim"]:
        """What each row is compared with."""
        return rows


class MinibatchStddev(nn.Module):
    """Appends a channel that says how much the batch varies: one number, everywhere the same.

    It is the standard deviation over the batch, averaged over channels and places.

    Source: Karras et al. 2018, "Progressive Growing of GANs" (arXiv 1710.10196), section 3.
    """

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C+1 H W"]:
        deviation = (self.variance(x.float()) + 1e-8).sqrt().mean().to(x.dtype)
        return torch.cat([x, deviation.expand(len(x), 1, *x.shape[2:])], 1)

    def variance(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "C H W"]:
        """Over the batch."""
        return x.var(0, correction=0)


def judges_rows_apart(network: nn.Module) -> bool:
    """Whether what it says of an image, now, is the same whatever other images come with it; of
    the user's own nobody knows."""
    if isinstance(network, Own):
        return False
    together = nn.BatchNorm1d | nn.BatchNorm2d | MinibatchDiscrimination | MinibatchStddev
    return not any(
        isinstance(module, together)
        and (module.training or not isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d))
        for module in network.modules()
    )
