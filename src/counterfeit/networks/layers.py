"""What families of networks share: layers that PyTorch does not have, and activations by name."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

OUTPUTS: dict[str, Callable[[], nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def activation_of(name: str, slope: float = 0.2) -> nn.Module:
    """ "relu", "leaky-relu" with that slope below 0, "elu" (1511.07289) or "silu" (1702.03118)."""
    if name == "leaky-relu":
        return nn.LeakyReLU(slope)
    kinds: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU, "silu": nn.SiLU}
    return kinds[name]()


class SharedMaxout(nn.Module):
    """The article's maxout: a scalar activation, the maximum of k lines that all units share.

    y = max_j (weight_j x + bias_j), elementwise on any shape. Weights and biases start standard
    normal. In the article's code they are plain tensors, in no optimiser and in no state_dict, so
    its lines stay at their random start: that is `trainable=False`. With `trainable=True` they are
    learned like any other weight.

    Source: solee328, "GAN(2)" (2022), section 2.2. Not the layer of Maxout Networks: see `Maxout`.
    """

    def __init__(self, pieces: int, *, trainable: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(pieces), requires_grad=trainable)
        self.bias = nn.Parameter(torch.randn(pieces), requires_grad=trainable)

    def draw(self, rng: torch.Generator) -> None:
        nn.init.normal_(self.weight, generator=rng)
        nn.init.normal_(self.bias, generator=rng)

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        lines = [x * weight + bias for weight, bias in zip(self.weight, self.bias, strict=True)]
        highest: Tensor = lines[0]
        for line in lines[1:]:
            highest = torch.maximum(highest, line)
        return highest

    def extra_repr(self) -> str:
        return f"pieces={len(self.weight)}, trainable={self.weight.requires_grad}"


class Maxout(nn.Module):
    """The maxout layer: each unit is the maximum of its own `pieces` linear functions of the input.

    h_i(x) = max_j (x^T W_ij + b_ij), from (N, inputs) to (N, units).

    Source: Goodfellow et al. 2013, "Maxout Networks" (arXiv 1302.4389), section 3.
    """

    def __init__(
        self, inputs: int, units: int, pieces: int, *, linear: type[nn.Linear] = nn.Linear
    ) -> None:
        super().__init__()
        self.units = units
        self.pieces = pieces
        self.linear = linear(inputs, pieces * units)

    def forward(self, x: Float[Tensor, "N inputs"]) -> Float[Tensor, "N units"]:
        pieces: Tensor = self.linear(x).view(-1, self.pieces, self.units)  # (N, pieces, units)
        return pieces.amax(dim=1)  # (N, units)

    def extra_repr(self) -> str:
        return f"units={self.units}, pieces={self.pieces}"


class ChannelMaxout(nn.Module):
    """The maximum of each `pieces` channels: maxout, after a convolution to as many times more.

    Source: Goodfellow et al. 2013 (arXiv 1302.4389), section 3.
    """

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Float[Tensor, "N C*pieces H W"]) -> Float[Tensor, "N C H W"]:
        pieces = x.view(len(x), -1, self.pieces, *x.shape[2:])  # (N, C, pieces, H, W)
        return pieces.amax(2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"


class Dropout(nn.Module):
    """Inverted dropout (Srivastava et al. 2014) that draws from a generator of its own.

    In training mode each element is multiplied by what `draw_keep` draws; in eval mode too, with
    `in_eval`.
    """

    def __init__(self, p: float, rng: torch.Generator, *, in_eval: bool = False) -> None:
        super().__init__()
        self.p = p
        self.rng = rng
        self.in_eval = in_eval

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not (self.training or self.in_eval) or self.p == 0:
            return x
        return x * self.keep(x.shape).to(x)

    def keep(self, shape: Sequence[int]) -> Float[Tensor, "*shape"]:
        """What each element is multiplied by."""
        return draw_keep(shape, self.p, self.rng)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def draw_keep(
    shape: Sequence[int], p: float, rng: torch.Generator, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "..."]:
    """0 with probability `p` and 1 / (1 - p) elsewhere, on the generator's device.

    Takes one random bit an element for p = 1/2, else sixteen, which rounds p to 1/65536. This is
    far cheaper than `bernoulli_`, which draws a double for each element.
    """
    count, bits = math.prod(shape), 1 if p == 0.5 else 16
    words = torch.empty(math.ceil(count * bits / 64), dtype=torch.int64, device=rng.device)
    words.random_(-(2**63), None, generator=rng)
    if bits == 1:
        octets = words.view(torch.uint8)[: math.ceil(count / 8)]
        table = _twice_the_bits(rng.device, dtype)
        return table.index_select(0, octets.int()).flatten()[:count].view(shape)
    lanes = words.view(torch.int16)[:count].view(shape)
    keep = torch.empty(shape, dtype=dtype, device=rng.device)
    least = min(round(p * 65536), 65535) - 32768  # of a 16-bit lane that is kept
    return torch.ge(lanes, least, out=keep).mul_(1 / (1 - p))


class Discriminator(nn.Module):
    """From images (N, C, H, W) to logits (N,): `hidden` to features, and `output` to a logit."""

    hidden: nn.Sequential
    output: nn.Module

    def forward(self, images: Float[Tensor, "N C H W"]) -> Float[Tensor, " N"]:
        features = self.hidden(images)
        with without_autocast(images.device):  # logits keep the weights' precision
            logits: Tensor = self.output(features.to(self.output.weight.dtype))  # (N, 1)
        return logits.squeeze(1)


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A context in which products keep the precision of their operands."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


@cache
def _twice_the_bits(device: torch.device, dtype: torch.dtype) -> Float[Tensor, "256 8"]:
    """0 or 2 for each bit of each octet."""
    octets, bits = torch.arange(256, device=device), torch.arange(8, device=device)
    return ((octets[:, None] >> bits) & 1).to(dtype) * 2
