"""Residual networks without normalisation, after R3GAN: a generator, from latents (N, z) to images
(N, C, H, W), and a discriminator that mirrors it, from images to logits (N,).

Sides are multiples of 4, from 8 to 64 pixels. They are halved as often as that leaves 3 or more;
the finest stage has `channels` channels, and each coarser one twice as many. There is no bias but
before the leaky rectifiers, and nothing else between a stage and the next than resampling and a
1x1 convolution.

Source: Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern GAN Baseline" (arXiv
2501.05441), section 4, and brownvc/R3GAN, `R3GAN/Networks.py`.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from counterfeit.networks.layers import OUTPUTS, Discriminator
from counterfeit.networks.stages import halvings

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))
"""Of a leaky rectifier: with it in the weights' scale, activations keep their variance."""


class Convolution(nn.Conv2d):
    """A convolution that keeps the sides; weights start from N(0, gain^2 / inputs of a unit)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int = 1,
        *,
        groups: int = 1,
        bias: bool = False,
        gain: float = 1.0,
    ) -> None:
        padding = kernel_size // 2
        super().__init__(inputs, outputs, kernel_size, padding=padding, groups=groups, bias=bias)
        self.gain = gain

    def draw(self, rng: torch.Generator) -> None:
        std = self.gain / math.sqrt(self.weight[0].numel())
        nn.init.normal_(self.weight, 0, std, generator=rng)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class Linear(nn.Linear):
    """Without a bias; weights start from N(0, 1 / inputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, bias=False)

    def draw(self, rng: torch.Generator) -> None:
        nn.init.normal_(self.weight, 0, 1 / math.sqrt(self.in_features), generator=rng)


class ChannelsLast(nn.Module):
    """The same maps in the order of memory that processors convolve fast in, from here on."""

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


class Block(nn.Module):
    """x + W3 a(W2 a(W1 x)): 1x1, grouped 3x3 and 1x1 convolutions around leaky rectifiers.

    W3 starts at 0, so that a block starts as the identity, and the others are scaled down by the
    number of blocks: Zhang et al. 2019, "Fixup Initialization" (arXiv 1901.09321), section 3.

    Args:
        channels: of x.
        inner: channels between.
        group_channels: of each group of the 3x3 convolution, at most.
        blocks: of the whole network.
    """

    def __init__(self, channels: int, inner: int, group_channels: int, blocks: int) -> None:
        super().__init__()
        gain = GAIN * blocks ** (-1 / 4)  # -1 / (2m - 2), for m = 3 layers in a block
        at_most = min(inner, group_channels)
        groups = next(inner // size for size in range(at_most, 0, -1) if inner % size == 0)
        self.expand = Convolution(channels, inner, bias=True, gain=gain)
        self.mix = Convolution(inner, inner, 3, groups=groups, bias=True, gain=gain)
        self.reduce = Convolution(inner, channels, gain=0.0)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        y = leaky_relu(self.expand(x), SLOPE)
        y = leaky_relu(self.mix(y), SLOPE)
        mixed: Tensor = x + self.reduce(y)
        return mixed


class Basis(nn.Module):
    """Maps of (C, H, W) that are scaled channel by channel, or that a (C, H, W) is projected on."""

    def __init__(self, channels: int, height: int, width: int, *, std: float) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.empty(height, width, channels))
        self.std = std

    def draw(self, rng: torch.Generator) -> None:
        nn.init.normal_(self.maps, 0, self.std, generator=rng)


class Spread(Basis):
    def forward(self, x: Float[Tensor, "N C"]) -> Float[Tensor, "N C H W"]:
        return (x[:, None, None] * self.maps).permute(0, 3, 1, 2)  # channels-last


class Project(Basis):
    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C"]:
        return (x.permute(0, 2, 3, 1) * self.maps).sum((1, 2))


class ResnetGenerator(nn.Module):
    """A basis at the coarsest stage, weighed by the latent; then blocks, stage by stage.

    Args:
        latent_dim: size of a latent.
        image_shape: (C, H, W).
        channels: of the finest stage.
        blocks: of each stage.
        expansion: a block's inner channels for each outer one.
        group_channels: of each group of a block's 3x3 convolution, at most.
        patch: sides of the squares of pixels that the finest stage makes as one: 1 or 2.
        output: "sigmoid" or "tanh".

    Raises:
        CounterfeitError: an image's sides are no such multiples.
    """

    def __init__(
        self,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        *,
        channels: int = 32,
        blocks: int = 1,
        expansion: int = 2,
        group_channels: int = 16,
        patch: int = 1,
        output: str = "tanh",
    ) -> None:
        super().__init__()
        widths, height, width = _stages(image_shape, channels, patch)
        maps = widths[-1]
        layers: list[nn.Module] = [
            Linear(latent_dim, maps),
            Spread(maps, height, width, std=1.0),
        ]
        for finer in reversed(widths):
            if finer != maps:
                layers += [Convolution(maps, finer), nn.Upsample(scale_factor=2, mode="bilinear")]
                maps = finer
            inner, total = maps * expansion, blocks * len(widths)
            layers += [Block(maps, inner, group_channels, total) for _ in range(blocks)]
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Sequential(
            Convolution(maps, image_shape[0] * patch**2), nn.PixelShuffle(patch)
        )
        self.squash = OUTPUTS[output]()
        self.latent_dim = latent_dim
        self.image_shape = image_shape

    def forward(self, z: Float[Tensor, "N z"]) -> Float[Tensor, "N C H W"]:
        values: Tensor = self.output(self.hidden(z))  # (N, C, H, W)
        pixels: Tensor = self.squash(values.to(z.dtype))  # also under autocast
        return pixels


class ResnetDiscriminator(Discriminator):
    """Blocks, stage by stage; then a projection of the coarsest one, and a linear map to a logit.

    Args:
        image_shape, channels, blocks, expansion, group_channels, patch: see `ResnetGenerator`.

    Raises:
        CounterfeitError: an image's sides are no such multiples.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        channels: int = 32,
        blocks: int = 1,
        expansion: int = 2,
        group_channels: int = 16,
        patch: int = 1,
    ) -> None:
        super().__init__()
        widths, height, width = _stages(image_shape, channels, patch)
        maps = widths[0]
        layers: list[nn.Module] = [
            nn.PixelUnshuffle(patch),
            ChannelsLast(),
            Convolution(image_shape[0] * patch**2, maps),
        ]
        for coarser in widths:
            if coarser != maps:
                layers += [nn.AvgPool2d(2), Convolution(maps, coarser)]
                maps = coarser
            inner, total = maps * expansion, blocks * len(widths)
            layers += [Block(maps, inner, group_channels, total) for _ in range(blocks)]
        self.hidden = nn.Sequential(
            *layers, Project(maps, height, width, std=1 / math.sqrt(height * width))
        )
        self.output = Linear(maps, 1)


def _stages(
    image_shape: tuple[int, int, int], channels: int, patch: int
) -> tuple[list[int], int, int]:
    """The stages' channels, from the finest on, and the sides of the coarsest."""
    count, (height, width) = halvings(image_shape)
    return [channels * 2**stage for stage in range(count + 2 - patch)], height, width
