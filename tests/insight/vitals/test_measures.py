import torch
from torch import nn

from counterfeit import networks
from counterfeit.insight.vitals.measures import above, idle_units, repeated_or_flat


def test_idle_units_are_counted_in_the_worst_layer() -> None:
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    with torch.no_grad():
        first.bias.fill_(10)
        second.bias.copy_(torch.tensor([-1000.0, 1000.0]))
    hidden = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    assert idle_units(hidden, torch.rand(8, 3), "g") == {"g_dead": 0.5}
    maxout = networks.Maxout(3, 2, pieces=4)
    with torch.no_grad():
        maxout.linear.bias[:2] += 1000  # the first piece of both units
    assert idle_units(nn.Sequential(maxout), torch.rand(8, 3), "d") == {"d_idle_pieces": 0.75}


def test_repeated_and_flat_images_are_counted() -> None:
    images = torch.arange(16, dtype=torch.uint8).view(4, 1, 2, 2)
    assert repeated_or_flat(images) == 0
    images[1] = images[0]
    images[2] = 7
    assert repeated_or_flat(images) == 0.5


def test_above_is_a_probability() -> None:
    assert above(torch.tensor([2.0, 3.0]), torch.tensor([1.0])) == 1
    assert above(torch.tensor([1.0]), torch.tensor([1.0])) == 0.5
