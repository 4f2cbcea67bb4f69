"""However many threads compute an update, its bits are the same."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from counterfeit import recipe
from counterfeit.game.engines.products import times, times_transposed
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch

COUNTS = (1, 3)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def products_of(spec: recipe.Recipe) -> list[Tensor]:
    """Three products for each of the recipe's hidden layers, as the fast engine computes them."""
    rng = torch.Generator().manual_seed(0)
    products = []
    for sizes in ([100, *spec.generator.hidden, 784], [784, *spec.discriminator.hidden]):
        for inputs, outputs in pairwise(sizes):
            for rows in (spec.training.batch_size, 2 * spec.training.batch_size):
                x, g, w = (
                    torch.rand(shape, generator=rng)
                    for shape in ((rows, inputs), (rows, outputs), (outputs, inputs))
                )
                products += [times_transposed(x, w, None), times(g, w)]
                products.append(torch.mm(g.t(), x))
    return products


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("sgd", []),
        ("sgd", ["discriminator.train_shared_maxout=true"]),
        ("batchnorm-smoothing", []),
        ("batchnorm-smoothing", ["training.batch_size=131", "generator.output=tanh"]),
        ("paper", []),
    ],
)
def test_the_number_of_threads_changes_no_bit(name: str, overrides: list[str]) -> None:
    spec = recipe.load(name).with_overrides(overrides)
    batch = spec.training.batch_size
    reals = torch.rand(2, 1, batch, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    products: list[list[Tensor]] = []
    states: list[dict[str, Tensor]] = []
    for count in COUNTS:
        torch.set_num_threads(count)
        products.append(products_of(spec))
        game = Game.from_recipe(
            spec, torch.full((1, 28, 28), 0.1), seed=3, device=torch.device("cpu")
        )
        for step in range(2):
            game.update(step, 0, [Batch(real) for real in reals[step]])
        states.append(game.tensors())
    for some, state in zip(products, states, strict=True):
        if any(not torch.equal(one, other) for one, other in zip(some, products[0], strict=True)):
            pytest.skip("this processor's matrix products split their sums among threads")
        different = [key for key in state if not torch.equal(state[key], states[0][key])]
        assert not different
