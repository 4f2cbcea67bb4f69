"""Layers without autograd, each for one type of module.

Activations and gradients live in buffers that are allocated once. A layer keeps no copy of its
module's parameters, and the number of threads changes no bit of what it computes.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from counterfeit.game.engines.products import times, times_transposed, transposed_times
from counterfeit.networks import Dropout, Maxout, SharedMaxout
from counterfeit.networks.layers import draw_keep

aten = torch.ops.aten


def gradient_of(parameter: Tensor) -> Tensor:
    """Where the parameter's gradient goes, now: others may have replaced it."""
    if parameter.grad is None:
        with torch.inference_mode(False):  # whose tensors no other code could change
            parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


class Buffers:
    """Scratch tensors of up to `rows` rows, each allocated at its first use."""

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}
        self._views: dict[tuple[str, int], Tensor] = {}

    def __call__(self, name: str, like: Tensor, columns: int | None = None) -> Tensor:
        rows = like.shape[0]
        view = self._views.get((name, rows))
        if view is None:
            kept = self._kept.get(name)
            if kept is None or kept.shape[0] < rows:
                kept = self._kept[name] = like.new_empty(rows, columns or like.shape[1])
            view = self._views[name, rows] = kept[:rows]
        return view


class Layer(Protocol):
    """A layer that remembers its last forward pass. Rows are (N, units)."""

    def forward(self, x: Tensor) -> Tensor: ...

    def backward(self, g: Tensor, weigh: "Tensor | None", *, weights: bool, inputs: int) -> Tensor:
        """The gradient for the layer's input, from `g`, that for its output; may overwrite `g`.

        With `weights`, also writes the parameters' gradients, of the sum of the rows' losses,
        each times its entry in `weigh` (N, 1) when there is one. Without `inputs` the result
        means nothing.
        """


class CastLayer:
    """The same numbers in another precision; gradients come back in the one before."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        self.before = x.dtype
        return x.to(self.dtype)

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        return g.to(self.before)


class LinearLayer:
    """Multiplies in the precision of its input."""

    def __init__(self, module: nn.Linear) -> None:
        self.module = module
        self.buffers = Buffers()

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        self.operand = self.module.weight.to(x.dtype)
        return times_transposed(x, self.operand, self.module.bias.to(x.dtype))

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        if weights:
            loss_g = g
            if weigh is not None:
                loss_g = torch.mul(g, weigh.to(g.dtype), out=self.buffers("loss_g", g))
            weight_grad, bias_grad = gradient_of(self.module.weight), gradient_of(self.module.bias)
            if g.dtype == weight_grad.dtype:
                transposed_times(loss_g, self.x, weight_grad)
            else:
                weight_grad.copy_(torch.mm(loss_g.t(), self.x))
            torch.sum(loss_g, 0, dtype=bias_grad.dtype, out=bias_grad)
        return times(g[-inputs:], self.operand) if inputs else g


class ActivationLayer:
    """An elementwise function, in place, whose derivative is a function of its output.

    Args:
        function: overwrites its argument.
        times_derivative: overwrites g with g times the derivative, from g and the output.
    """

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        times_derivative: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        self.function = function
        self.times_derivative = times_derivative

    def forward(self, x: Tensor) -> Tensor:
        self.y = self.function(x)
        return self.y

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        return self.times_derivative(g, self.y)


ONE_THREAD = 2**15 - 1
"""Numbers of which PyTorch computes an elementwise function in one thread."""


def _in_pieces(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The in-place function of x (N, units), some rows at a time. Vectors of numbers and the few
    that are left at a thread's end are rounded differently: with these pieces their places are the
    same for any number of threads.
    """

    def of(x: Tensor) -> Tensor:
        for piece in torch.split(x, max(1, ONE_THREAD // x.shape[1])):
            function(piece)
        return x

    return of


def _relu() -> ActivationLayer:
    return ActivationLayer(
        torch.relu_, lambda g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g)
    )


def _leaky_relu(slope: float) -> ActivationLayer:
    return ActivationLayer(
        lambda x: nn.functional.leaky_relu_(x, slope),
        lambda g, y: aten.leaky_relu_backward.grad_input(g, y, slope, True, grad_input=g),
    )


def _sigmoid() -> ActivationLayer:
    return ActivationLayer(
        _in_pieces(torch.sigmoid_),
        lambda g, y: aten.sigmoid_backward.grad_input(g, y, grad_input=g),
    )


def _tanh() -> ActivationLayer:
    return ActivationLayer(
        _in_pieces(torch.tanh_), lambda g, y: aten.tanh_backward.grad_input(g, y, grad_input=g)
    )


class BatchNormLayer:
    """In float32. Sums run down whole columns, which threads share by column: PyTorch's kernel
    shares rows, and its bits depend on the number of threads.
    """

    def __init__(self, module: nn.BatchNorm1d) -> None:
        self.module = module
        self.buffers = Buffers()

    def forward(self, x: Tensor) -> Tensor:
        m, n = self.module, len(x)
        dtype, x = x.dtype, x.float()
        mean = torch.sum(x, 0).div_(n)
        self.centred = torch.sub(x, mean, out=self.buffers("centred", x))
        scratch = self.buffers("y", x)
        variance = torch.sum(torch.mul(self.centred, self.centred, out=scratch), 0).div_(n)
        self.inverse_std = torch.rsqrt(variance + m.eps)
        assert m.num_batches_tracked is not None
        assert m.momentum is not None
        assert m.running_mean is not None
        assert m.running_var is not None
        m.num_batches_tracked.add_(1)
        m.running_mean.lerp_(mean, m.momentum)
        m.running_var.lerp_(variance.mul_(n).div_(n - 1), m.momentum)  # NaN of a single row
        slope = self.inverse_std * m.weight
        return torch.addcmul(m.bias, self.centred, slope, out=scratch).to(dtype)

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        n, dtype, g = len(g), g.dtype, g.float()
        bias_g = torch.sum(g, 0)
        scratch = self.buffers("y", g)
        weight_g = torch.sum(torch.mul(g, self.centred, out=scratch), 0).mul_(self.inverse_std)
        if weights:
            gradient_of(self.module.weight).copy_(weight_g)
            gradient_of(self.module.bias).copy_(bias_g)
        # What moves a column's mean or spread is lost: y has none of either.
        slope = self.inverse_std * self.module.weight
        g.addcmul_(self.centred, weight_g.mul_(self.inverse_std), value=-1 / n)
        return torch.addcmul(bias_g.mul_(slope).div_(-n), g, slope, out=g).to(dtype)


class DropoutLayer:
    def __init__(self, module: Dropout) -> None:
        self.module = module
        self.buffers = Buffers()

    def forward(self, x: Tensor) -> Tensor:
        self.keep = draw_keep(x.shape, self.module.p, self.module.rng, x.dtype)
        return torch.mul(x, self.keep, out=self.buffers("y", x))

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        return g.mul_(self.keep[-len(g) :])


class MaxoutLayer:
    def __init__(self, module: Maxout) -> None:
        self.linear = LinearLayer(module.linear)
        self.pieces, self.units = module.pieces, module.units
        self.buffers = Buffers()

    def forward(self, x: Tensor) -> Tensor:
        self.z = self.linear.forward(x)  # (N, pieces * units)
        self.y = torch.amax(
            self.z.view(-1, self.pieces, self.units), 1, out=self.buffers("y", x, self.units)
        )
        return self.y

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        z = self.z.view(-1, self.pieces, self.units)
        wins = torch.eq(z, self.y.unsqueeze(1), out=z)
        shared = g.div_(wins.sum(1))  # among pieces that tie, as amax does
        wins.mul_(shared.unsqueeze(1))
        return self.linear.backward(self.z, weigh, weights=weights, inputs=inputs)


class SharedMaxoutLayer:
    """The maximum of lines is convex: in x, it takes them in order of slope."""

    def __init__(self, module: SharedMaxout) -> None:
        self.module = module
        self.buffers = Buffers()

    def forward(self, x: Tensor) -> Tensor:
        module = self.module
        self.lines = _upper_envelope(tuple(module.weight.tolist()), tuple(module.bias.tolist()))
        self.x = x
        (slope, offset, *_), *others = self.lines
        y = torch.add(offset, x, alpha=slope, out=self.buffers("y", x))
        line = self.buffers("scratch", x)
        for slope, offset, *_ in others:
            torch.maximum(y, torch.add(offset, x, alpha=slope, out=line), out=y)
        return y

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        if weights and self.module.weight.requires_grad:
            self._weight_gradients((g if weigh is None else g * weigh).float())
        (slope, *_), *others = self.lines
        above = self.buffers("scratch", g)  # 1 where x is right of the breakpoint, else 0
        slopes = self.buffers("slopes", g).fill_(slope)
        for next_slope, _, start, _ in others:
            if g.dtype != torch.float32:  # so that the sum is the next slope
                slope = torch.tensor(slope, dtype=g.dtype).item()
            slopes.add_(torch.gt(self.x, start, out=above), alpha=next_slope - slope)
            slope = next_slope
        return g.mul_(slopes)

    def _weight_gradients(self, g: Tensor) -> None:
        weight_grad, bias_grad = gradient_of(self.module.weight), gradient_of(self.module.bias)
        weight_grad.zero_()
        bias_grad.zero_()
        gx = g * self.x
        previous = None
        for (
            _,
            _,
            start,
            index,
        ) in self.lines:  # what lies right of its start, less right of the next
            right = self.x > start
            weight, bias = (gx * right).sum(0).sum(), (g * right).sum(0).sum()
            weight_grad[index] += weight
            bias_grad[index] += bias
            if previous is not None:
                weight_grad[previous] -= weight
                bias_grad[previous] -= bias
            previous = index


@lru_cache(maxsize=8)
def _upper_envelope(
    slopes: tuple[float, ...], offsets: tuple[float, ...]
) -> list[tuple[float, Tensor, float, int]]:
    """The lines that are the highest somewhere, from left to right: slope, offset, start, index."""
    lines = sorted(zip(slopes, offsets, range(len(slopes)), strict=True))
    kept: list[tuple[float, float, float, int]] = []
    for slope, offset, index in lines:
        start = -math.inf
        while kept:
            start = (
                (kept[-1][1] - offset) / (slope - kept[-1][0]) if slope > kept[-1][0] else -math.inf
            )
            if start > kept[-1][2]:
                break
            kept.pop()
            start = -math.inf
        kept.append((slope, offset, start, index))
    return [(slope, torch.tensor(offset), start, index) for slope, offset, start, index in kept]


def layer_of(module: nn.Module) -> Layer | None:
    """What computes a module of exactly that type; nothing for one that changes no number.

    Raises:
        Unknown: no layer here computes the same.
    """
    kind = type(module)
    if kind is nn.Flatten or (kind is Dropout and not module.p):
        return None
    if kind not in LAYERS or not getattr(module, "affine", True):
        raise Unknown(kind.__name__)
    return LAYERS[kind](module)


LAYERS: dict[type[nn.Module], Callable[[Any], Layer]] = {
    nn.Linear: LinearLayer,
    nn.BatchNorm1d: BatchNormLayer,
    nn.ReLU: lambda module: _relu(),
    nn.LeakyReLU: lambda module: _leaky_relu(module.negative_slope),
    nn.Sigmoid: lambda module: _sigmoid(),
    nn.Tanh: lambda module: _tanh(),
    Dropout: DropoutLayer,
    Maxout: MaxoutLayer,
    SharedMaxout: SharedMaxoutLayer,
}


class Unknown(Exception):
    """A network, or a module in one, that this engine cannot compute as its own code does."""
