"""From a run's networks, which are made to be trained, to the same in plain PyTorch.

Gone are what training alone needs, dropout, initial draws and spectral norm's power method, and
what computes a convolution in another way; pixels are in [0, 1] on the outside, whatever the
network itself sees. What is left are layers of torch.nn and of `plain`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from counterfeit.errors import CounterfeitError
from counterfeit.exports import plain
from counterfeit.networks import (
    ChannelMaxout,
    Dropout,
    Maxout,
    Own,
    OwnGenerator,
    SharedMaxout,
    convolutions,
    dcgan,
    minibatch,
    mlp,
    resnet,
    spectral,
    within,
)
from counterfeit.networks.conditional import (
    ClassNorm,
    OneHot,
    TellingDiscriminator,
    ToldGenerator,
)

Layers = list[nn.Module]
Range = tuple[float, float]
UNIT: Range = (0.0, 1.0)


@torch.no_grad()
def plain_generator(network: nn.Module, value_range: Range) -> nn.Module:
    """A generator in eval mode as latents (N, z), of a conditional one with classes (N,), to images
    (N, C, H, W) in [0, 1].

    Args:
        value_range: the lowest and highest pixel that it makes.

    Raises:
        CounterfeitError: a layer of it cannot be written in plain PyTorch.
    """
    if isinstance(network, Own):
        return Adapted(network, _rescaled(value_range, UNIT)).eval()
    inner: Any = within(network)
    assert isinstance(inner, mlp.MLPGenerator | dcgan.DCGANGenerator | resnet.ResnetGenerator)
    layers = [*_layers(inner.hidden), *_layers(inner.output), inner.squash]
    if isinstance(inner, mlp.MLPGenerator):
        layers.append(nn.Unflatten(1, inner.image_shape))
    if value_range != UNIT:
        layers.append(_rescaled(value_range, UNIT))
    whole = nn.Sequential(*layers)
    if not isinstance(network, ToldGenerator):
        return whole.eval()
    code = network.code
    embed = plain.OneHot(code.classes) if isinstance(code, OneHot) else code
    return plain.ToldGenerator(whole, embed).eval()


@torch.no_grad()
def plain_discriminator(network: nn.Module, value_range: Range) -> nn.Module:
    """A discriminator in eval mode as images (N, C, H, W) in [0, 1], of one that is told classes
    with those (N,), to logits (N,). What other heads say is left out.

    Args:
        value_range: the lowest and highest pixel that it sees.

    Raises:
        CounterfeitError: a layer of it cannot be written in plain PyTorch.
    """
    if isinstance(network, Own):
        return Adapted(network, _rescaled(UNIT, value_range)).eval()
    inner: Any = within(network)
    pixels = [] if value_range == UNIT else [_rescaled(UNIT, value_range)]
    hidden, (output,) = _layers(inner.hidden), _layers(inner.output)
    if not (isinstance(network, TellingDiscriminator) and network.conditional):
        return nn.Sequential(*pixels, *hidden, output, nn.Flatten(0)).eval()
    return plain.ToldDiscriminator(
        pixels[0] if pixels else nn.Identity(),
        nn.Sequential(*hidden),
        output,
        network.planes,
        network.projection,
    ).eval()


class Adapted(nn.Module):
    """A user's module in the forms of ours.

    Args:
        own: a generator or a discriminator.
        pixels: from the pixels that it makes to [0, 1], or from there to those that it sees.
    """

    def __init__(self, own: Own, pixels: nn.Module) -> None:
        super().__init__()
        self.inner, self.pixels, self.takes = own.inner, pixels, own.takes
        self.makes = own.shape if isinstance(own, OwnGenerator) else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        given = (self.pixels(x) if self.makes is None else x).reshape(-1, *self.takes)
        said: Tensor = self.inner(given) if labels is None else self.inner(given, labels)
        if self.makes is None:
            return said.reshape(-1).float()
        images: Tensor = self.pixels(said.reshape(-1, *self.makes).float())
        return images


def _rescaled(one: Range, other: Range) -> nn.Module:
    """From pixels of one range to those of another."""
    scale = (other[1] - other[0]) / (one[1] - one[0])
    return plain.Rescale(scale, other[0] - scale * one[0])


def _layers(layer: nn.Module) -> Layers:
    """What a layer comes to: one, some, or none."""
    if isinstance(layer, nn.Sequential):
        return [each for part in layer for each in _layers(part)]
    if type(layer) in SAME:
        return [layer]
    if type(layer) not in PLAIN:
        raise CounterfeitError(
            f"a layer of the kind {type(layer).__name__} cannot be written in plain PyTorch."
        )
    return PLAIN[type(layer)](layer)


def _filled(module: nn.Module, **tensors: Tensor | None) -> nn.Module:
    """A module with these tensors for its own, the same memory."""
    state = {name: each for name, each in tensors.items() if each is not None}
    module.load_state_dict(state, assign=True)
    return module


def _linear(layer: Any, weight: Tensor) -> nn.Module:
    with torch.device("meta"):
        made = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
    return _filled(made, weight=weight, bias=layer.bias)


def _convolution(layer: Any, weight: Tensor) -> nn.Module:
    """Of either direction."""
    kind = nn.ConvTranspose2d if isinstance(layer, nn.ConvTranspose2d) else nn.Conv2d
    with torch.device("meta"):
        made = kind(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            groups=layer.groups,
            bias=layer.bias is not None,
        )
    return _filled(made, weight=weight, bias=layer.bias)


def _dropout(layer: Dropout) -> Layers:
    if layer.in_eval:
        raise CounterfeitError(
            "this generator drops units in samples too (generator.sampling_dropout), by masks that"
            " counterfeit draws; no other program can repeat them, so it cannot be exported."
        )
    return []


def _maxout(layer: Maxout) -> Layers:
    return [*_layers(layer.linear), plain.Maxout(layer.pieces)]


def _block(layer: resnet.Block) -> Layers:
    with torch.device("meta"):
        made = plain.Block(layer.expand.in_channels, layer.expand.out_channels, layer.mix.groups)
    made.load_state_dict(layer.state_dict(), assign=True)
    return [made]


def _class_norm(layer: ClassNorm) -> Layers:
    made = plain.ClassNorm(*layer.weight.shape)
    return [
        _filled(
            made,
            weight=layer.weight,
            bias=layer.bias,
            running_mean=layer.norm.running_mean,
            running_var=layer.norm.running_var,
        )
    ]


def _basis(kind: type[plain.Spread] | type[plain.Project]) -> Callable[[Any], Layers]:
    def translated(layer: resnet.Basis) -> Layers:
        height, width, channels = layer.maps.shape
        return [_filled(kind(channels, height, width), maps=layer.maps)]

    return translated


SAME = {
    nn.Linear,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.SiLU,
    nn.Flatten,
    nn.Upsample,
    nn.PixelShuffle,
    nn.PixelUnshuffle,
    nn.AvgPool2d,
}
"""Layers of PyTorch's own, as they are."""

PLAIN: dict[type[nn.Module], Callable[[Any], Layers]] = {
    Dropout: _dropout,
    resnet.ChannelsLast: lambda layer: [],
    resnet.Linear: lambda layer: [_linear(layer, layer.weight)],
    spectral.SpectralLinear: lambda layer: [_linear(layer, layer.normalised())],
    convolutions.Convolution: lambda layer: [_convolution(layer, layer.weight)],
    convolutions.TransposedConvolution: lambda layer: [_convolution(layer, layer.weight)],
    resnet.Convolution: lambda layer: [_convolution(layer, layer.weight)],
    spectral.SpectralConvolution: lambda layer: [_convolution(layer, layer.normalised())],
    convolutions.Maps: lambda layer: [plain.Maps(layer.height, layer.width)],
    convolutions.Rows: lambda layer: [plain.Rows()],
    SharedMaxout: lambda layer: [
        _filled(plain.SharedMaxout(len(layer.weight)), weight=layer.weight, bias=layer.bias)
    ],
    Maxout: _maxout,
    ChannelMaxout: lambda layer: [plain.ChannelMaxout(layer.pieces)],
    minibatch.MinibatchDiscrimination: lambda layer: [
        _filled(plain.MinibatchDiscrimination(*layer.weight.shape), weight=layer.weight)
    ],
    minibatch.MinibatchStddev: lambda layer: [plain.MinibatchStddev()],
    resnet.Spread: _basis(plain.Spread),
    resnet.Project: _basis(plain.Project),
    resnet.Block: _block,
    ClassNorm: _class_norm,
}
