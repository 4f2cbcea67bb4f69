"""What a discriminator may see of a batch, against closed forms."""

import math
from itertools import product
from typing import get_args

import pytest
import torch
from torch import nn

from counterfeit import recipe
from counterfeit.networks import judges_rows_apart, plan_discriminator
from counterfeit.networks.layers import Dropout
from counterfeit.networks.minibatch import MinibatchDiscrimination, MinibatchStddev


def test_closeness_is_a_sum_of_exponentials() -> None:
    layer = MinibatchDiscrimination(2, kernels=3, kernel_dim=2).double()
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(0))
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y, weight = layer(x), layer.weight.detach()
    assert y.shape == (4, 2 + 3)
    assert torch.equal(y[:, :2], x)
    for i in range(4):
        for b in range(3):
            total = 0.0
            for j in range(4):
                apart = [sum((x[i, a] - x[j, a]) * weight[a, b, c] for a in range(2))
                         for c in range(2)]  # fmt: skip
                total += math.exp(-sum(abs(float(each)) for each in apart))
            assert y[i, 2 + b].item() == pytest.approx(total)


def test_a_batch_of_one_image_over_and_over_is_as_close_as_can_be() -> None:
    layer = MinibatchDiscrimination(2)
    nn.init.normal_(layer.weight)
    assert torch.all(layer(torch.ones(6, 2))[:, 2:] == 6)


def test_the_deviation_of_two_images_is_half_their_difference() -> None:
    x = torch.zeros(2, 3, 4, 4)
    x[1] = torch.linspace(0, 2, 3)[:, None, None]  # apart by 0, 1 and 2
    y = MinibatchStddev()(x)
    assert y.shape == (2, 4, 4, 4)
    assert torch.equal(y[:, :3], x)
    torch.testing.assert_close(y[:, 3], torch.full((2, 4, 4), 0.5), atol=1e-4, rtol=0)


def test_what_sees_its_batch_is_known() -> None:
    apart = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), Dropout(0.5, torch.Generator()))
    assert judges_rows_apart(apart)
    for layer in (MinibatchDiscrimination(4), MinibatchStddev()):
        assert not judges_rows_apart(nn.Sequential(apart, layer))
        assert not judges_rows_apart(nn.Sequential(apart, layer).eval())
    for layer in (nn.BatchNorm1d(4), nn.BatchNorm2d(4)):
        assert not judges_rows_apart(nn.Sequential(apart, layer))
        assert judges_rows_apart(nn.Sequential(apart, layer).eval())


def choices(section: type[recipe.Network], key: str) -> list[str]:
    return list(get_args(section.model_fields[key].annotation))


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        *(
            (recipe.MlpDiscriminator, {"norm": norm})
            for norm in choices(recipe.MlpDiscriminator, "norm")
        ),
        *(
            (recipe.DcganDiscriminator, {"norm": norm, "minibatch": minibatch})
            for norm, minibatch in product(
                *(choices(recipe.DcganDiscriminator, key) for key in ("norm", "minibatch"))
            )
        ),
        (recipe.ResnetDiscriminator, {}),
    ],
)
def test_a_section_knows_whether_its_network_judges_rows_apart(
    section: type[recipe.Network], settings: dict[str, str]
) -> None:
    optimizer = recipe.load("adam").discriminator.optimizer
    spec = section(optimizer=optimizer, **settings)
    assert judges_rows_apart(plan_discriminator(spec, (1, 28, 28))) == (not spec.mixes_rows)
    for key, others in spec.mixes_rows.items():
        for other in others.replace(" or ", ", ").split(", "):
            assert key not in section(optimizer=optimizer, **{key: other}).mixes_rows
