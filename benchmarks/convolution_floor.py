"""The floor under an update of convolutional networks: its convolutions and products alone.

Each layer's passes are those that the mathematics need, whoever computes them: forward, for the
inputs' gradients, for the weights'. Each runs once, on ready tensors, channels first or last, or as
a product of ready patches, whichever is fastest here.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from counterfeit import networks, recipe
from counterfeit.networks.convolutions import Convolution

aten = torch.ops.aten
Call = Callable[[], object]
LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


def passes(
    spec: recipe.Recipe, shape: tuple[int, int, int]
) -> Iterator[tuple[nn.Module, Tensor, str]]:
    """A layer, its input and which of the three passes, for each that an update needs.

    An alternating update with shared latents: D judges as many real images as fakes; G's step
    judges the fakes again, and the real images where the loss compares. A penalty of D's gradient
    needs the gradient, and that gradient's own, which are forward and for the weights.
    """
    batch = spec.training.batch_size
    rng = torch.Generator()
    G, D = networks.build_pair(spec, shape, seed=0, rng=rng)
    of_G, of_D = (
        _inputs(G, torch.randn(batch, spec.latent.dim)),
        _inputs(D, torch.rand(batch, *shape)),
    )
    penalties = sum(getattr(spec.penalties, name) is not None for name in ("r1", "r2"))
    judged_again = 2 if spec.loss.name == "relativistic" else 1
    for number, (layer, x) in enumerate(of_G):
        yield from ((layer, x, kind) for kind in ("forward", "weights"))
        if number:
            yield layer, x, "inputs"
    for number, (layer, x) in enumerate(of_D):
        counts = {
            "forward": 2 + judged_again + penalties,
            "weights": 2 + penalties,
            "inputs": (2 if number else 0) + 1 + penalties,
        }
        for kind, count in counts.items():
            yield from [(layer, x, kind)] * count


def ways(layer: nn.Module, x: Tensor, kind: str, dtype: torch.dtype) -> list[Call]:
    """Of one pass."""
    assert isinstance(layer, LAYERS)
    weight, x = layer.weight.detach().to(dtype), x.to(dtype)
    if isinstance(layer, nn.Linear):
        g = torch.rand(len(x), len(weight)).to(dtype)
        return [_product(x.flatten(1), g, weight, kind)]
    found = [_convolution(layer, x, weight, kind, form)
             for form in (torch.contiguous_format, torch.channels_last)]  # fmt: skip
    thin = isinstance(layer, nn.ConvTranspose2d) or (
        isinstance(layer, Convolution) and layer.halves
    )
    if thin and min(layer.in_channels, layer.out_channels) == 1:
        transposed = isinstance(layer, nn.ConvTranspose2d)
        rows = x.permute(0, 2, 3, 1).flatten(0, 2) if transposed else _patches(x)
        matrix = weight.flatten(1).t().contiguous() if transposed else weight.flatten(1)
        found.append(_product(rows, torch.rand(len(rows), len(matrix)).to(dtype), matrix, kind))
    return found


def _convolution(
    layer: nn.Module, x: Tensor, weight: Tensor, kind: str, form: torch.memory_format
) -> Call:
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    transposed = isinstance(layer, nn.ConvTranspose2d)
    how = (list(layer.stride), [1, 1] if layer.kernel_size[0] > 1 else [0, 0], [1, 1],
           transposed, [0, 0], layer.groups)  # fmt: skip
    x, weight = x.contiguous(memory_format=form), weight.contiguous(memory_format=form)
    g = torch.rand_like(aten.convolution(x, weight, None, *how)).contiguous(memory_format=form)
    if kind == "forward":
        return lambda: aten.convolution(x, weight, None, *how)
    mask = [kind == "inputs", kind == "weights", False]
    return lambda: aten.convolution_backward(g, x, weight, None, *how, mask)


def _product(x: Tensor, g: Tensor, weight: Tensor, kind: str) -> Call:
    return {
        "forward": lambda: torch.mm(x, weight.t()),
        "weights": lambda: torch.mm(g.t(), x),
        "inputs": lambda: torch.mm(g, weight),
    }[kind]


def _patches(x: Tensor) -> Tensor:
    """(N * h * w, 16 * C)"""
    return nn.functional.unfold(x, 4, padding=1, stride=2).transpose(1, 2).flatten(0, 1)


def _inputs(network: nn.Module, x: Tensor) -> list[tuple[nn.Module, Tensor]]:
    """Its layers with weights, in order, each with what comes to it."""
    seen: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: seen.append((layer, given[0])))
        for layer in network.modules()
        if isinstance(layer, LAYERS)
    ]
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()
    return seen
