"""Layers: maxout's famous shapes, exact gradients, and the article's frozen lines."""

import pytest
import torch
from torch import nn

from counterfeit.networks import Dropout, Maxout, SharedMaxout, init_uniform
from counterfeit.networks.layers import draw_keep

X = torch.linspace(-3, 3, 121, dtype=torch.float64)


def shared_maxout(weights: list[float], biases: list[float]) -> SharedMaxout:
    layer = SharedMaxout(len(weights), trainable=True).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights))
        layer.bias.copy_(torch.tensor(biases))
    return layer


def maxout_of_a_line(weights: list[float], biases: list[float]) -> Maxout:
    """One unit on one input, with the given pieces."""
    layer = Maxout(1, 1, len(weights)).double()
    with torch.no_grad():
        layer.linear.weight.copy_(torch.tensor(weights).view(-1, 1))
        layer.linear.bias.copy_(torch.tensor(biases))
    return layer


# Maxout Networks, figure 1: rectifier and absolute value with k = 2.
@pytest.mark.parametrize(
    ("weights", "expected"), [([0.0, 1.0], X.relu()), ([-1.0, 1.0], X.abs())], ids=["relu", "abs"]
)
def test_two_lines_make_the_rectifier_and_the_absolute_value(
    weights: list[float], expected: torch.Tensor
) -> None:
    assert torch.equal(shared_maxout(weights, [0.0, 0.0])(X), expected)
    assert torch.equal(maxout_of_a_line(weights, [0.0, 0.0])(X[:, None])[:, 0], expected)


def test_four_tangents_approximate_a_quadratic() -> None:
    """Tangents of x^2 at -2.25, -0.75, 0.75, 2.25 miss it by (3/4)^2 at most, where they meet."""
    at = torch.tensor([-2.25, -0.75, 0.75, 2.25])
    weights, biases = (2 * at).tolist(), (-(at**2)).tolist()
    for y in (
        shared_maxout(weights, biases)(X),
        maxout_of_a_line(weights, biases)(X[:, None])[:, 0],
    ):
        gap = X**2 - y
        assert gap.min() >= -1e-9
        assert gap.max().item() == pytest.approx(0.75**2, abs=1e-9)


@pytest.mark.parametrize("pieces", [2, 3, 5])
def test_shared_maxout_is_the_articles(pieces: int) -> None:
    """The article's own computation: a linear layer from 1 to k, then a max pool over k."""
    layer = SharedMaxout(pieces, trainable=False)
    x = torch.randn(7, 11, generator=torch.Generator().manual_seed(0))
    lines = nn.functional.linear(x.flatten().unsqueeze(1), layer.weight.unsqueeze(1), layer.bias)
    expected = nn.functional.max_pool1d(lines, pieces).reshape(x.shape)
    torch.testing.assert_close(layer(x), expected)


def test_gradients_are_exact() -> None:
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(4, 6, dtype=torch.float64, generator=rng, requires_grad=True)
    shared = SharedMaxout(3, trainable=True).double()
    own = Maxout(6, 5, 4).double()

    def call(layer: nn.Module, *values: torch.Tensor) -> torch.Tensor:
        names = [name for name, _ in layer.named_parameters()]
        return torch.func.functional_call(
            layer, dict(zip(names, values[1:], strict=True)), (values[0],)
        )

    for layer in (shared, own):
        inputs = (x, *(p.detach().clone().requires_grad_() for p in layer.parameters()))
        assert torch.autograd.gradcheck(lambda *v, layer=layer: call(layer, *v), inputs)


def test_the_articles_lines_never_train_and_the_cure_trains_them() -> None:
    """The article makes its lines with `torch.randn(k, requires_grad=True)` on a plain attribute:
    no parameter of the module, so in no optimiser. Frozen lines reproduce that."""

    class ArticleMaxout(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.randn(3, requires_grad=True)
            self.bias = torch.randn(3, requires_grad=True)

    assert list(ArticleMaxout().parameters()) == []

    def moved(trainable: bool) -> bool:
        layer = SharedMaxout(3, trainable=trainable)
        network = nn.Sequential(nn.Linear(4, 4), layer)
        before = layer.weight.detach().clone()
        trained = [p for p in network.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=0.1)
        network(torch.ones(8, 4)).pow(2).mean().backward()
        optimizer.step()
        return not torch.equal(before, layer.weight)

    assert not moved(trainable=False)
    assert moved(trainable=True)


def test_dropout_keeps_the_mean_and_repeats_with_its_generator() -> None:
    rng = torch.Generator()
    layer = Dropout(0.2, rng)
    x = torch.ones(1000, 1000)
    rng.manual_seed(5)
    first = layer(x)
    rng.manual_seed(5)
    assert torch.equal(first, layer(x))
    assert set(first.unique().tolist()) == {0.0, 1.25}
    assert first.mean().item() == pytest.approx(1.0, abs=5 * 0.5 / 1000)
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("p", [0.0, 1e-6, 0.2, 0.5, 0.9, 0.999999])
def test_dropout_drops_the_share_it_says(p: float) -> None:
    keep = draw_keep((1000, 1000), p, torch.Generator().manual_seed(1))
    spread = (p * (1 - p) / 1e6) ** 0.5
    assert (keep == 0).float().mean().item() == pytest.approx(p, abs=5 * spread + 1 / 65536)
    assert keep.unique().tolist() == pytest.approx([0.0, 1 / (1 - p)][-len(keep.unique()) :])


@pytest.mark.parametrize("shape", [(1,), (3, 7), (2, 3, 5)])
def test_dropout_takes_any_shape(shape: tuple[int, ...]) -> None:
    for p in (0.3, 0.5):
        assert draw_keep(shape, p, torch.Generator()).shape == shape


def test_init_uniform_reaches_every_linear_layer() -> None:
    network = nn.Sequential(nn.Linear(50, 60), Maxout(60, 10, 5))
    init_uniform(network, 0.005, torch.Generator())
    for layer in (network[0], network[1].linear):
        assert layer.weight.abs().max() <= 0.005
        assert layer.weight.std().item() == pytest.approx(0.005 / 3**0.5, rel=0.1)
        assert not layer.bias.any()
