"""A stranger's networks as the rest of the package takes them: images (N, C, H, W), logits (N,)."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.arguments import shown
from counterfeit.errors import UsageError

Shape = tuple[int, int, int]
Range = tuple[float, float]

CLEARLY_NEGATIVE = -0.05


def as_images(output: Any) -> Float[Tensor, "N C H W"]:
    """What a generator returns, as (N, C, H, W): (N, pixels) of square images, (N, H, W),
    (N, C, H, W) or (N, H, W, C); of several things, the first.

    Raises:
        UsageError: it is no batch of images of 1 or 3 channels.
    """
    if isinstance(output, tuple | list) and output:
        output = output[0]
    if not isinstance(output, Tensor) or not output.is_floating_point():
        raise UsageError(f"the generator must return images, not a {type(output).__name__}.")
    shape = tuple(output.shape[1:])
    if len(shape) == 1:
        for channels in (1, 3):
            side = math.isqrt(shape[0] // channels)
            if channels * side * side == shape[0]:
                return output.reshape(-1, channels, side, side)
    elif len(shape) == 2:
        return output.unsqueeze(1)
    elif len(shape) == 3 and shape[0] in (1, 3):
        return output
    elif len(shape) == 3 and shape[2] in (1, 3):
        return output.permute(0, 3, 1, 2)
    raise UsageError(
        f"the generator returns {' x '.join(map(str, output.shape))} numbers, which are no images"
        " of 1 or 3 channels."
    )


def shape_of(images: Float[Tensor, "N C H W"]) -> Shape:
    """Of one image."""
    channels, height, width = images.shape[1:]
    return channels, height, width


def checked_range(given: Any) -> Range | None:
    """A range of pixels; None where none is given.

    Raises:
        UsageError: it is neither (0, 1) nor (-1, 1).
    """
    if given is None:
        return None
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        low = high = math.nan
    if (low, high) not in ((0.0, 1.0), (-1.0, 1.0)):
        raise UsageError(f"value_range must be (0, 1) or (-1, 1), not {shown(given)}.")
    return low, high


def range_of(generator: nn.Module, images: Float[Tensor, "N C H W"]) -> Range:
    """From where to where a generator's pixels go: [-1, 1] where it ends in a Tanh, [0, 1] where in
    a Sigmoid; else as these images of it look."""
    last = list(generator.modules())[-1]
    if isinstance(last, nn.Tanh | nn.Sigmoid):
        return (-1.0, 1.0) if isinstance(last, nn.Tanh) else (0.0, 1.0)
    return (-1.0, 1.0) if float(images.min()) < CLEARLY_NEGATIVE else (0.0, 1.0)


class _Adapted(nn.Module):
    """A stranger's module, called on the device that it lies on, and without inference mode, whose
    tensors it may keep and later need gradients of."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        device = next((each.device for each in self.inner.parameters()), torch.device("cpu"))
        with torch.inference_mode(False), torch.no_grad():
            moved = [each.clone().to(device) if isinstance(each, Tensor) else each for each in args]
            return self.inner(*moved, **kwargs)


class Generator(_Adapted):
    def forward(self, z: Tensor) -> Float[Tensor, "N C H W"]:
        return as_images(self._call(z)).float().cpu()


class Discriminator(_Adapted):
    """Takes (N, C, H, W), and hands on what D takes; returns what D answers, as logits."""

    def __init__(self, inner: nn.Module, shape: Sequence[int], outputs: str) -> None:
        super().__init__(inner)
        self.shape, self.outputs = tuple(shape), outputs

    def forward(self, images: Float[Tensor, "N C H W"]) -> Float[Tensor, " N"]:
        said = self._call(images.reshape(-1, *self.shape))
        first: Tensor = said[0] if isinstance(said, tuple | list) else said
        answers = first.float().cpu().reshape(len(images), -1).mean(1)
        return answers.logit(1e-7) if self.outputs == "probabilities" else answers
