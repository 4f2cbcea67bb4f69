"""Initial weights from a generator of their own are PyTorch's own, to the bit."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from counterfeit.networks import SharedMaxout, materialise

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(5, 7),
    "without bias": lambda: nn.Linear(5, 7, bias=False),
    "convolution": lambda: nn.Conv2d(3, 4, 3),
    "transposed": lambda: nn.ConvTranspose2d(3, 4, 5, stride=2),
    "grouped": lambda: nn.Conv2d(4, 6, 3, groups=2),
    "embedding": lambda: nn.Embedding(10, 6),
    "batch norm": lambda: nn.BatchNorm2d(3),
    "group norm": lambda: nn.GroupNorm(2, 4),
    "layer norm": lambda: nn.LayerNorm(6),
    "shared maxout": lambda: SharedMaxout(3, trainable=True),
    "several": lambda: nn.Sequential(
        nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_weights_are_those_of_the_constructor(name: str) -> None:
    with torch.device("meta"):
        network = LAYERS[name]()
    materialise(network, torch.Generator().manual_seed(4))
    with torch.random.fork_rng():
        torch.manual_seed(4)
        expected = LAYERS[name]().state_dict()
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, expected[key]), key


def test_a_layer_that_is_not_known_is_refused_by_its_name() -> None:
    with torch.device("meta"):
        network = nn.Bilinear(2, 2, 2)
    with pytest.raises(TypeError, match="Bilinear"):
        materialise(network, torch.Generator())
