"""The running average of a generator's weights: a mean, then an exponential one."""

import torch
from torch import nn

from counterfeit.game.average import EVERY, Average


def averaged(values: list[float], decay: float) -> float:
    """The average after weights of these values, one for each time that it looks."""
    network = nn.Linear(1, 1, bias=False).requires_grad_(False)
    average = Average(network, decay)
    for turn, value in enumerate(values, start=1):
        network.weight.fill_(value)
        average.update(network, turn * EVERY)
    return float(average.network.weight)


def test_it_is_the_mean_while_the_run_is_young() -> None:
    values = [3.0, -1.0, 4.0, 1.5]
    assert averaged(values, decay=0.9999) == torch.tensor(values).mean()


def test_it_forgets_exponentially_later() -> None:
    decay = 0.9
    kept = decay**EVERY
    value = averaged([1.0] + [0.0] * 5, decay)
    assert abs(value - kept**5) < 1e-6


def test_between_its_turns_it_stays() -> None:
    network = nn.Linear(1, 1).requires_grad_(False)
    average = Average(network, 0.5)
    before = average.network.weight.clone()
    network.weight.add_(1)
    for updates in range(EVERY + 1, 2 * EVERY):
        average.update(network, updates)
    assert torch.equal(average.network.weight, before)


def test_before_its_first_turn_it_is_the_newest() -> None:
    network = nn.Linear(1, 1).requires_grad_(False)
    average = Average(network, 0.5)
    network.weight.add_(1)
    average.update(network, 1)
    assert torch.equal(average.network.weight, network.weight)


def test_running_statistics_are_the_newest() -> None:
    network = nn.BatchNorm1d(2)
    average = Average(network, 0.99)
    network(torch.randn(50, 2, generator=torch.Generator().manual_seed(0)))
    average.update(network, EVERY)
    assert torch.equal(average.network.running_mean, network.running_mean)
    assert average.network.num_batches_tracked == 1
