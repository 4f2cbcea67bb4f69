"""One adversarial update of two multilayer perceptrons, without autograd.

The modules stay the specification and hold the parameters; `step.py` says what is computed, this
module how to compute it near the speed of the matrix products alone, at equal mathematics:

- every product runs once, on the faster of the two libraries that PyTorch carries: oneDNN for
  large x W^T and g W, MKL for g^T x and what is small;
- activations and gradients live in buffers that are allocated once;
- D is a function of single rows, so a simultaneous update takes D's Jacobian once and weighs its
  rows for either loss.

With bfloat16 products, activations and the gradients for them are bfloat16 too, which halves both
arithmetic and memory. Weights, their gradients, optimisers, BatchNorm's statistics, G's last
activation, D's last layer, logits and losses stay float32.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.game import optimizers
from counterfeit.game.inputs import Batch
from counterfeit.game.losses import ANALYTIC, AnalyticLoss, Scores
from counterfeit.game.step import Outcome, Player, Rules
from counterfeit.networks import Dropout, Maxout, MLPDiscriminator, MLPGenerator, SharedMaxout
from counterfeit.networks.layers import draw_keep

aten = torch.ops.aten


def _onednn_dtypes() -> set[torch.dtype]:
    """What oneDNN multiplies on this processor; nothing where PyTorch lacks it."""
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return set()
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return {torch.float32}
    return {torch.float32, torch.bfloat16}


ONEDNN = _onednn_dtypes()


SMALL = 2**22
"""Multiplications of a float32 product below which oneDNN's preparations cost more than it saves;
measured on shapes of the recipes."""


def _times_transposed(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x weight^T + bias, by oneDNN where it can and where it pays.

    With one row of weights MKL would split a sum among the threads, see `_transposed_times`.
    """
    if len(weight) == 1 and x.dtype == torch.float32:
        y = torch.sum(x * weight, 1, keepdim=True)
        return y if bias is None else y.add_(bias)
    small = x.dtype == torch.float32 and len(x) * weight.numel() < SMALL
    if small or x.dtype not in ONEDNN:
        return nn.functional.linear(x, weight, bias)
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out


def _times(g: Tensor, weight: Tensor) -> Tensor:
    """g weight, by what is fastest."""
    return (
        torch.mm(g, weight) if g.dtype == torch.bfloat16 else _times_transposed(g, weight.t(), None)
    )


def _transposed_times(g: Tensor, x: Tensor, out: Tensor) -> None:
    """g^T x. A product with a vector is a sum that MKL splits among the threads, so that its bits
    depend on their number; with a matrix of that column twice it is not.
    """
    if g.shape[1] == 1:
        out.copy_(torch.mm(g.expand(-1, 2).t(), x)[:1])
    else:
        torch.mm(g.t(), x, out=out)


def _gradient(parameter: Tensor) -> Tensor:
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
        return _times_transposed(x, self.operand, self.module.bias.to(x.dtype))

    def backward(self, g: Tensor, weigh: Tensor | None, *, weights: bool, inputs: int) -> Tensor:
        if weights:
            loss_g = g
            if weigh is not None:
                loss_g = torch.mul(g, weigh.to(g.dtype), out=self.buffers("loss_g", g))
            weight_grad, bias_grad = _gradient(self.module.weight), _gradient(self.module.bias)
            if g.dtype == weight_grad.dtype:
                _transposed_times(loss_g, self.x, weight_grad)
            else:
                weight_grad.copy_(torch.mm(loss_g.t(), self.x))
            torch.sum(loss_g, 0, dtype=bias_grad.dtype, out=bias_grad)
        return _times(g[-inputs:], self.operand) if inputs else g


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
            _gradient(self.module.weight).copy_(weight_g)
            _gradient(self.module.bias).copy_(bias_g)
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
        self.lines = _upper_envelope(self.module)
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
        weight_grad, bias_grad = _gradient(self.module.weight), _gradient(self.module.bias)
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


def _upper_envelope(module: SharedMaxout) -> list[tuple[float, Tensor, float, int]]:
    """The lines that are the highest somewhere, from left to right: slope, offset, start, index."""
    lines = sorted(
        zip(module.weight.tolist(), module.bias.tolist(), range(len(module.weight)), strict=True)
    )
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


def _layer(module: nn.Module) -> Layer | None:
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


def _chain(network: nn.Module) -> list[nn.Module]:
    """The modules of a perceptron, in the order in which its `forward` calls them.

    Raises:
        Unknown: it is of another type, which may compute anything from its children; or it is in
            evaluation mode; or hooks are called on the way.
    """
    if type(network) is MLPGenerator:
        chain = [*network.hidden, network.output, network.squash]
    elif type(network) is MLPDiscriminator:
        chain = [*network.hidden, network.output]
    else:
        raise Unknown(type(network).__name__)
    for module in network.modules():
        hooks = (
            module._forward_hooks,
            module._forward_pre_hooks,
            module._backward_hooks,
            module._backward_pre_hooks,
        )
        if any(hooks) or "forward" in vars(module) or not module.training:
            raise Unknown(f"{type(module).__name__} with hooks or in evaluation mode")
    return chain


class Perceptron:
    """A multilayer perceptron, run layer by layer; gradients go into `parameter.grad`.

    It keeps no copy of a parameter: whatever is loaded into the network is what it computes with.

    Args:
        network: one of this package's perceptrons, in training mode.
        dtype: of matrix products and activations, float32 or bfloat16. The last layer, which is
            G's sigmoid or tanh and D's map to logits, stays in float32.

    Raises:
        Unknown: the network is none of those, or holds other layers.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        self.trained = [p for p in network.parameters() if p.requires_grad]
        self.layers = [layer for layer in map(_layer, _chain(network)) if layer is not None]
        if dtype != torch.float32:
            self.layers.insert(-1, CastLayer(torch.float32))
            self.layers.insert(0, CastLayer(dtype))
        self.first = 0  # the first layer that has parameters
        while isinstance(self.layers[self.first], CastLayer | DropoutLayer):
            self.first += 1

    @property
    def gradients(self) -> list[Tensor]:
        return [_gradient(parameter) for parameter in self.trained]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(
        self, g: Tensor, weigh: Tensor | None = None, *, weights: bool, inputs: int = 0
    ) -> Tensor:
        """Down to the gradient for the last `inputs` rows of the network's input."""
        for layer in reversed(self.layers[self.first + 1 :]):
            g = layer.backward(g, weigh, weights=weights, inputs=len(g))
        g = self.layers[self.first].backward(g, weigh, weights=weights, inputs=inputs)
        for layer in reversed(self.layers[: self.first]) if inputs else ():
            g = layer.backward(g, weigh, weights=weights, inputs=inputs)
        return g


class FastEngine:
    """`alternating_step` and `simultaneous_step` for two perceptrons on the CPU.

    Gradients in an outcome are overwritten by the next update.

    Args:
        generator, discriminator: with optimisers that `optimizers.build` made.
        rules: without penalties, and a loss whose slopes are written out.
        bf16: whether matrix products and activations are in bfloat16.

    Raises:
        Unknown: a network, an optimiser or a rule whose numbers it cannot vouch for.
    """

    def __init__(
        self, generator: Player, discriminator: Player, rules: Rules, *, bf16: bool = False
    ) -> None:
        if type(rules.loss) not in ANALYTIC:
            raise Unknown(type(rules.loss).__name__)
        for penalty in rules.penalties:
            raise Unknown(type(penalty).__name__)
        for player in (generator, discriminator):
            if not optimizers.is_own(player.optimizer, player.parameters):
                raise Unknown(type(player.optimizer).__name__)
        self.loss = cast("AnalyticLoss", rules.loss)
        self.update = self._simultaneous if rules.update == "simultaneous" else self._alternating
        self.generator, self.discriminator = generator.optimizer, discriminator.optimizer
        dtype = torch.bfloat16 if bf16 else torch.float32
        self.G = Perceptron(generator.network, dtype)
        self.D = Perceptron(discriminator.network, dtype)
        self.buffers = Buffers()

    @torch.inference_mode()
    def __call__(
        self, reals: Sequence[Batch], latents: Float[Tensor, "draws B z"], number: int
    ) -> Outcome:
        return self.update([real.images for real in reals], latents)

    def _alternating(self, reals: Sequence[Tensor], latents: Tensor) -> Outcome:
        for real, z in zip(reals, latents, strict=False):
            fake = self.G.forward(z)
            logits = self._judge(real, fake)
            d_loss, g = self._judgement(logits)
            self.D.backward(g, weights=True)
            optimizers.step(self.discriminator)

        if len(latents) > len(reals):
            fake = self.G.forward(latents[-1])
        judged = self.D.forward(fake).squeeze(1)
        g_loss = self.loss.generator(Scores(judged))
        g = self.loss.generator_slopes(judged).unsqueeze(1)
        self.G.backward(self.D.backward(g, weights=False, inputs=len(g)), weights=True)
        optimizers.step(self.generator)
        return self._outcome(d_loss, g_loss, logits)

    def _simultaneous(self, reals: Sequence[Tensor], latents: Tensor) -> Outcome:
        (real,), (z,) = reals, latents
        logits = self._judge(real, self.G.forward(z))
        d_loss, d_g = self._judgement(logits)
        judged = logits[len(real) :, 0]
        g_loss = self.loss.generator(Scores(judged))
        g_g = self.loss.generator_slopes(judged).unsqueeze(1)
        # D judges each row by itself: one pass gives the rows' Jacobian, for both losses.
        jacobian = self.D.backward(torch.ones_like(logits), d_g, weights=True, inputs=len(z))
        self.G.backward(jacobian.mul_(g_g), weights=True)
        optimizers.step(self.discriminator)
        optimizers.step(self.generator)
        return self._outcome(d_loss, g_loss, logits)

    def _outcome(self, d_loss: Tensor, g_loss: Tensor, logits: Tensor) -> Outcome:
        real, fake = logits.squeeze(1).chunk(2)
        return Outcome(d_loss, g_loss, real, fake, self.D.gradients, self.G.gradients)

    def _judge(self, real: Tensor, fake: Tensor) -> Float[Tensor, "2B 1"]:
        """D's logits of reals, then fakes."""
        both = self.buffers("both", real.new_empty(2 * len(real), 0), fake.shape[1])
        both[: len(real)] = real.flatten(1)
        both[len(real) :] = fake
        return self.D.forward(both)

    def _judgement(
        self, logits: Float[Tensor, "2B 1"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "2B 1"]]:
        """D's loss on logits of reals, then fakes, and its derivative by each."""
        real, fake = logits.squeeze(1).chunk(2)
        slopes = torch.cat(self.loss.discriminator_slopes(real, fake))
        return self.loss.discriminator(Scores(real), Scores(fake)), slopes.unsqueeze(1)
