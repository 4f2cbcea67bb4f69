"""Convolutions that keep activations channels-last, (N, H, W, C) in memory, where processors are
fast with them, and are fast for gray images, too.

A convolution that halves the sides of one channel, or its adjoint, is little arithmetic that oneDNN
has no good kernel for. On a processor it is a matrix product here, of patches: the same sums.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, linear, pad

SIZE, STRIDE, PADDING = 4, 2, 1
"""Of what halves and doubles sides."""


class Convolution(nn.Conv2d):
    """Square, from (N, inputs, H, W) to (N, outputs, H, W), or to half the sides.

    Args:
        halves: whether it is 4x4 with a stride of 2, and not 3x3.
    """

    def __init__(self, inputs: int, outputs: int, *, halves: bool, bias: bool = True) -> None:
        size, stride = (SIZE, STRIDE) if halves else (3, 1)
        super().__init__(inputs, outputs, size, stride, PADDING, bias=bias)
        self.halves = halves

    def forward(self, x: Float[Tensor, "N inputs H W"]) -> Float[Tensor, "N outputs h w"]:
        return self.convolved(x, self.weight)

    def convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        """With that weight instead of its own."""
        if self.in_channels > 1 or not (self.halves and x.is_cpu):
            return conv2d(x, weight, self.bias, self.stride, PADDING)
        patches: Tensor = Gather.apply(pad(x[:, 0], (PADDING,) * 4))  # (16, N, h, w)
        rows = linear(patches.flatten(1).t(), weight.flatten(1), self.bias)  # (N * h * w, outputs)
        return rows.view(*patches.shape[1:], -1).permute(0, 3, 1, 2)


class TransposedConvolution(nn.ConvTranspose2d):
    """The adjoint of one that halves sides: from (N, inputs, H, W) to (N, outputs, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, SIZE, STRIDE, PADDING, bias=bias)

    def forward(  # type: ignore[override]
        self, x: Float[Tensor, "N inputs H W"]
    ) -> Float[Tensor, "N outputs 2H 2W"]:
        if self.out_channels > 1 or not x.is_cpu:
            return conv_transpose2d(x, self.weight, self.bias, STRIDE, PADDING)
        rows = x.permute(0, 2, 3, 1).flatten(0, 2)  # (N * H * W, inputs)
        patches = self.weight.flatten(1).t() @ rows.t()  # (16, N * H * W)
        wide: Tensor = Scatter.apply(patches.view(-1, len(x), *x.shape[2:]))
        y = wide[:, None, PADDING:-PADDING, PADDING:-PADDING]
        return y if self.bias is None else y + self.bias


class Gather(torch.autograd.Function):
    """The 4x4 patches of images, at every second pixel both ways: one image of h x w for each of
    the 16 pixels of a patch. Its adjoint is `Scatter`, both ways, so that gradients have gradients.
    """

    @staticmethod
    def forward(ctx: Any, images: Float[Tensor, "N H W"]) -> Float[Tensor, "16 N h w"]:
        windows = images.unfold(1, SIZE, STRIDE).unfold(2, SIZE, STRIDE)  # (N, h, w, 4, 4)
        return windows.permute(3, 4, 0, 1, 2).flatten(0, 1).contiguous()

    @staticmethod
    def backward(ctx: Any, g: Float[Tensor, "16 N h w"]) -> Float[Tensor, "N H W"]:
        scattered: Tensor = Scatter.apply(g)
        return scattered


class Scatter(torch.autograd.Function):
    """Patches added up where they overlap: from (16, N, h, w) to (N, 2h + 2, 2w + 2)."""

    @staticmethod
    def forward(ctx: Any, patches: Float[Tensor, "16 N h w"]) -> Float[Tensor, "N H W"]:
        _, count, height, width = patches.shape
        steps = SIZE // STRIDE  # of a window's stride, that one of its sides is long
        parts = patches.reshape(steps, STRIDE, steps, STRIDE, count, height, width)
        grid = patches.new_zeros(
            STRIDE, STRIDE, count, height + steps - 1, width + steps - 1
        )  # every second pixel both ways, from each of the first four on
        for down in range(steps):
            for right in range(steps):
                grid[..., down : down + height, right : right + width] += parts[down, :, right]
        images = grid.permute(2, 3, 0, 4, 1)  # (N, h + 1, 2, w + 1, 2)
        return images.flatten(3, 4).flatten(1, 2)

    @staticmethod
    def backward(ctx: Any, g: Float[Tensor, "N H W"]) -> Float[Tensor, "16 N h w"]:
        gathered: Tensor = Gather.apply(g)
        return gathered


class Maps(nn.Module):
    """Rows of numbers as maps, which are channels-last."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height = height
        self.width = width

    def forward(self, rows: Float[Tensor, "N H*W*C"]) -> Float[Tensor, "N C H W"]:
        return rows.view(len(rows), self.height, self.width, -1).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return f"height={self.height}, width={self.width}"


class Rows(nn.Module):
    """Maps as rows, in the same order."""

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N H*W*C"]:
        return maps.permute(0, 2, 3, 1).flatten(1)
