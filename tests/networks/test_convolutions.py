"""Convolutions of gray images, as products of patches, are PyTorch's convolutions."""

import pytest
import torch
from torch import Tensor, nn

from counterfeit.networks.convolutions import (
    Convolution,
    Gather,
    Maps,
    Rows,
    Scatter,
    TransposedConvolution,
)


def double(layer: nn.Module) -> nn.Module:
    """The layer in float64, with weights that a generator of its own draws."""
    rng = torch.Generator().manual_seed(1)
    for parameter in layer.double().parameters():
        nn.init.normal_(parameter, generator=rng)
    return layer


def images(*shape: int) -> Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.randn(*shape, generator=rng, dtype=torch.float64, requires_grad=True)


def gradients(y: Tensor, *of: Tensor) -> list[Tensor]:
    """Of a curved function of y, and then of their own squares: first and second derivatives."""
    first = torch.autograd.grad((y**3).sum(), of, create_graph=True)
    return [*first, *torch.autograd.grad(sum((g**2).sum() for g in first), of)]


@pytest.mark.parametrize("inputs", [1, 3])
@pytest.mark.parametrize("halves", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_a_convolution_is_pytorchs_to_the_second_derivative(
    inputs: int, halves: bool, bias: bool
) -> None:
    layer = double(Convolution(inputs, 5, halves=halves, bias=bias))
    x = images(3, inputs, 8, 12)
    y = layer(x)
    expected = nn.functional.conv2d(x, layer.weight, layer.bias, 2 if halves else 1, 1)
    torch.testing.assert_close(y, expected)
    of = (x, *layer.parameters())
    for ours, theirs in zip(gradients(y, *of), gradients(expected, *of), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_a_transposed_convolution_is_pytorchs_to_the_second_derivative(
    outputs: int, bias: bool
) -> None:
    layer = double(TransposedConvolution(5, outputs, bias=bias))
    x = images(3, 5, 4, 6)
    y = layer(x)
    expected = nn.functional.conv_transpose2d(x, layer.weight, layer.bias, 2, 1)
    torch.testing.assert_close(y, expected)
    of = (x, *layer.parameters())
    for ours, theirs in zip(gradients(y, *of), gradients(expected, *of), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gathering_and_scattering_are_each_others_adjoint() -> None:
    x, patches = images(2, 10, 14), images(16, 2, 4, 6)
    torch.testing.assert_close(
        (Gather.apply(x) * patches).sum(), (x * Scatter.apply(patches)).sum()
    )


def test_maps_and_rows_undo_each_other_without_a_copy() -> None:
    rows = torch.randn(3, 4 * 6 * 5)
    maps = Maps(4, 6)(rows)
    assert maps.shape == (3, 5, 4, 6)
    assert maps.is_contiguous(memory_format=torch.channels_last)
    assert maps.data_ptr() == Rows()(maps).data_ptr() == rows.data_ptr()
    assert torch.equal(Rows()(maps), rows)


def test_activations_are_channels_last_from_a_gray_image_on() -> None:
    y = Convolution(1, 8, halves=True)(torch.randn(2, 1, 8, 8))
    assert y.is_contiguous(memory_format=torch.channels_last)
