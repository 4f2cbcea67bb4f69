"""Images from networks, which are left as they were."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from counterfeit.errors import CounterfeitError
from counterfeit.run import generate


class Flat(nn.Module):
    """Pixels of one value; noise from torch's global generator is not shown."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value
        self.norms = nn.ModuleList([nn.BatchNorm1d(3), nn.BatchNorm1d(3).eval()])

    def forward(self, z: Tensor) -> Tensor:
        if self.value < 0:
            raise RuntimeError("no such pixels")
        torch.rand(7)
        for norm in self.norms:
            z = norm(z)
        return torch.full((len(z), 1, 2, 2), self.value)


@pytest.mark.parametrize("value", [0.5, float("nan"), -1.0])
def test_a_network_that_makes_images_or_fails_is_left_as_it_was(value: float) -> None:
    network = Flat(value).train()
    network.norms[1].eval()
    before = [module.training for module in network.modules()]
    numbers = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    state = torch.random.get_rng_state()
    z = torch.randn(5, 3, generator=torch.Generator())
    with nullcontext() if value == 0.5 else pytest.raises((CounterfeitError, RuntimeError)):
        assert generate(network, z, (0.0, 1.0)).unique().tolist() == [128]
    assert [module.training for module in network.modules()] == before
    assert all(torch.equal(tensor, numbers[key]) for key, tensor in network.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)
