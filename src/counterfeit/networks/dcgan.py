"""Convolutional networks after DCGAN: a generator, from latents (N, z) to images (N, C, H, W), and
a discriminator, from those to logits (N,).

Sides are multiples of 4, from 8 to 64 pixels. They are halved as often as that leaves 3 or more;
the finest stage has `channels` channels, and each coarser one twice as many.

Source: Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks" (arXiv 1511.06434), section 3.
"""

import hashlib
import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.networks.convolutions import Convolution, Maps, Rows, TransposedConvolution
from counterfeit.networks.layers import (
    OUTPUTS,
    ChannelMaxout,
    Discriminator,
    Dropout,
    activation_of,
)
from counterfeit.networks.minibatch import MinibatchDiscrimination, MinibatchStddev
from counterfeit.networks.spectral import SpectralConvolution, SpectralLinear
from counterfeit.networks.stages import halvings


class DCGANGenerator(nn.Module):
    """A linear map to the coarsest stage, then a stage for each doubling of the sides.

    Args:
        latent_dim: size of a latent.
        image_shape: (C, H, W).
        channels: of the last stage before the image.
        norm: before each activation: "none", "batch", "layer" or "group".
        activation, slope: see `activation_of`.
        upsample: "transposed", "nearest" or "pixel-shuffle".
        dropout: chance of dropping a unit after each activation.
        sampling_dropout: whether that goes on in eval mode, where masks are a function of latents.
        output: "sigmoid" or "tanh".
        rng: where dropout draws from; a new generator when absent.

    Raises:
        CounterfeitError: an image's sides are no such multiples.
    """

    def __init__(
        self,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        *,
        channels: int = 32,
        norm: str = "batch",
        activation: str = "relu",
        slope: float = 0.2,
        upsample: str = "transposed",
        dropout: float = 0.0,
        sampling_dropout: bool = False,
        output: str = "tanh",
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        rng = rng if rng is not None else torch.Generator("cpu")
        stages, (height, width) = halvings(image_shape)
        biased = norm != "batch"  # which takes out what a bias adds
        maps = channels * 2 ** (stages - 1)
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, maps * height * width, bias=biased),
            Maps(height, width),
        ]
        for stage in range(stages):
            if stage:
                layers += _doubled(upsample, maps, maps // 2, bias=biased)
                maps //= 2
            layers += [*_normalised(norm, maps), activation_of(activation, slope)]
            if dropout:
                layers.append(Dropout(dropout, rng, in_eval=sampling_dropout))
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Sequential(*_doubled(upsample, maps, image_shape[0], bias=True))
        self.squash = OUTPUTS[output]()
        self.rng = rng if dropout and sampling_dropout else None
        self.latent_dim = latent_dim
        self.image_shape = image_shape

    def forward(self, z: Float[Tensor, "N z"]) -> Float[Tensor, "N C H W"]:
        if self.rng is not None and not self.training:
            self.rng.manual_seed(_seed_of(z))
        values: Tensor = self.output(self.hidden(z))  # (N, C, H, W)
        pixels: Tensor = self.squash(values.to(z.dtype))  # also under autocast
        return pixels


class DCGANDiscriminator(Discriminator):
    """A stage for each halving of the sides, then a linear map to a logit.

    Args:
        image_shape: (C, H, W).
        channels: of the first stage.
        norm: before each activation but the first: "none", "batch", "layer" or "group"; or
            "spectral", of all weights.
        activation, slope: see `activation_of`; or "maxout", over `pieces` convolutions.
        downsample: "strided" or "average".
        dropout: chance of dropping a unit after each activation.
        minibatch: "none"; "discrimination", before the last layer; or "stddev", before the last
            convolution.
        rng: where dropout draws from; a new generator when absent.

    Raises:
        CounterfeitError: an image's sides are no such multiples.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        channels: int = 32,
        norm: str = "batch",
        activation: str = "leaky-relu",
        slope: float = 0.2,
        pieces: int = 2,
        downsample: str = "strided",
        dropout: float = 0.0,
        minibatch: str = "none",
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        rng = rng if rng is not None else torch.Generator("cpu")
        stages, (height, width) = halvings(image_shape)
        inputs, maps = image_shape[0], channels
        layers: list[nn.Module] = []
        for stage in range(stages):
            if stage == stages - 1 and minibatch == "stddev":
                layers.append(MinibatchStddev())
                inputs += 1
            outputs = maps * pieces if activation == "maxout" else maps
            own_norm = norm if stage else "none"
            layers += _halved(
                downsample, inputs, outputs, bias=own_norm != "batch", spectral=norm == "spectral"
            )
            layers += _normalised(own_norm, outputs)
            if activation == "maxout":
                layers.append(ChannelMaxout(pieces))
            else:
                layers.append(activation_of(activation, slope))
            if dropout:
                layers.append(Dropout(dropout, rng))
            inputs, maps = maps, 2 * maps
        layers.append(Rows())
        features = inputs * height * width
        if minibatch == "discrimination":
            layers.append(closeness := MinibatchDiscrimination(features))
            features += closeness.weight.shape[1]
        self.hidden = nn.Sequential(*layers)
        self.output = (SpectralLinear if norm == "spectral" else nn.Linear)(features, 1)


def _doubled(kind: str, inputs: int, outputs: int, *, bias: bool) -> list[nn.Module]:
    """From (N, inputs, H, W) to (N, outputs, 2H, 2W)."""
    if kind == "transposed":
        return [TransposedConvolution(inputs, outputs, bias=bias)]
    if kind == "nearest":
        return [nn.Upsample(scale_factor=2), Convolution(inputs, outputs, halves=False, bias=bias)]
    return [Convolution(inputs, 4 * outputs, halves=False, bias=bias), nn.PixelShuffle(2)]


def _halved(kind: str, inputs: int, outputs: int, *, bias: bool, spectral: bool) -> list[nn.Module]:
    """From (N, inputs, 2H, 2W) to (N, outputs, H, W)."""
    halves = kind == "strided"
    kind_of = SpectralConvolution if spectral else Convolution
    convolution = kind_of(inputs, outputs, halves=halves, bias=bias)
    return [convolution] if halves else [convolution, nn.AvgPool2d(2)]


def _normalised(kind: str, channels: int) -> list[nn.Module]:
    """What normalises (N, channels, H, W); a layer is a group of all channels, and a group has
    an eighth of them, where that can be."""
    if kind == "batch":
        return [nn.BatchNorm2d(channels)]
    if kind in ("layer", "group"):
        return [nn.GroupNorm(1 if kind == "layer" else math.gcd(8, channels), channels)]
    return []


def _seed_of(z: Tensor) -> int:
    """A seed for each batch of latents."""
    if z.is_meta:
        return 0
    digest = hashlib.blake2b(z.detach().cpu().contiguous().numpy().tobytes(), digest_size=8)
    return int.from_bytes(digest.digest(), "little") >> 1
