"""Penalties against closed forms, and their gradients by D's weights against finite differences."""

import copy
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from counterfeit import networks, recipe
from counterfeit.game import penalties
from counterfeit.game.inputs import Batch
from counterfeit.run.rows import PenaltyColumns

SHAPE = (1, 8, 8)
NAMES = list(penalties.PENALTIES)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def batches(count: int = 6) -> tuple[Batch, Batch]:
    real, fake = torch.rand(2, count, *SHAPE, generator=rng(), dtype=torch.float64)
    return Batch(real), Batch(fake)


class Plane(nn.Module):
    """f(x) = w . x, whose gradient is w everywhere."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.linspace(-1, 2, 64, dtype=torch.float64)
        self.weight = nn.Parameter(weight)

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) @ self.weight


class Bowl(Plane):
    """f(x) = sum of w x^2 / 2, whose gradient is w x."""

    def forward(self, images: Tensor) -> Tensor:
        return (images.flatten(1).square() / 2) @ self.weight


def test_on_a_plane_they_are_known() -> None:
    D, (real, fake) = Plane(), batches()
    length = D.weight.norm()
    for penalty, expected in (
        (penalties.GradientPenalty(3.0), 3 * (length - 1) ** 2),
        (penalties.GradientPenalty(3.0, target=0.0), 3 * length**2),
        (penalties.R1(3.0), 1.5 * length**2),
        (penalties.R2(3.0), 1.5 * length**2),
    ):
        torch.testing.assert_close(penalty(D, real, fake, rng()), expected)


def test_each_looks_where_it_says() -> None:
    """On a bowl the gradient says where it was taken."""
    D, (real, fake) = Bowl(), batches()
    lengths = [(D.weight * b.images.flatten(1)).square().sum(1).mean() for b in (real, fake)]
    torch.testing.assert_close(penalties.R1(2.0)(D, real, fake, rng()), lengths[0])
    torch.testing.assert_close(penalties.R2(2.0)(D, real, fake, rng()), lengths[1])
    share = torch.rand(6, 1, 1, 1, generator=rng()).double()
    between = share * real.images + (1 - share) * fake.images
    expected = ((D.weight * between.flatten(1)).norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(penalties.GradientPenalty(1.0)(D, real, fake, rng()), expected)


def test_consistency_is_of_real_images_and_none_for_a_d_that_sees_no_place() -> None:
    class Brightest(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.amax(dim=(1, 2, 3))

    real = torch.zeros(6, *SHAPE, dtype=torch.float64)
    real[:, :, 4, 4] = torch.arange(1, 7).view(6, 1)
    _, fake = batches()
    penalty = penalties.Consistency(5.0)
    assert penalty(Brightest(), Batch(real), fake, rng()) == 0
    D = nn.Sequential(nn.Flatten(), nn.Linear(64, 1, dtype=torch.float64), nn.Flatten(0))
    shifted = penalties.translation(real, rng())
    expected = 5 * (D(real) - D(shifted)).square().mean()
    torch.testing.assert_close(penalty(D, Batch(real), fake, rng()), expected)
    assert expected > 0


FAMILIES = {
    "maxout": ["discriminator.activation=maxout", "discriminator.hidden=[6, 4]"],
    "the article's maxout": ["discriminator.train_shared_maxout=true", "discriminator.hidden=[6]"],
    "convolutions": ["discriminator.name=dcgan", "discriminator.norm=none"],
    "spectral": ["discriminator.name=dcgan", "discriminator.norm=spectral"],
    "layer": ["discriminator.name=dcgan", "discriminator.norm=layer"],
    "stddev": ["discriminator.name=dcgan", "discriminator.norm=none",
               "discriminator.minibatch=stddev"],
    "residual": ["discriminator.name=resnet"],
}  # fmt: skip


def discriminator(family: str) -> nn.Module:
    """In float64; spectral normalisation has found its direction, and keeps it."""
    convolves = FAMILIES[family][0].startswith("discriminator.name")
    more = "discriminator.channels=2" if convolves else "discriminator.dropout=0"
    spec = recipe.load("sgd").with_overrides([*FAMILIES[family], more])
    D = networks.build_discriminator(spec.discriminator, SHAPE, seed=1).double()
    for _ in range(300 if family == "spectral" else 0):
        D(torch.zeros(1, *SHAPE, dtype=torch.float64))
    return D.eval() if family == "spectral" else D


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("family", FAMILIES)
def test_their_gradients_are_finite_differences(name: str, family: str) -> None:
    """Through the gradient by the pixels, to D's weights: the double backward, of any D."""
    D, penalty, (real, fake) = discriminator(family), penalties.PENALTIES[name](1.0), batches()
    parameters = [parameter for parameter in D.parameters() if parameter.requires_grad]
    value = penalty(D, real, fake, rng())
    gradients = torch.autograd.grad(value, parameters, materialize_grads=True)
    draw, step = rng(), 1e-6
    directions = [torch.randn(p.shape, generator=draw, dtype=torch.float64) for p in parameters]
    ends = []
    for sign in (1, -1):
        moved = copy.deepcopy(D)
        own = [parameter for parameter in moved.parameters() if parameter.requires_grad]
        with torch.no_grad():
            for parameter, direction in zip(own, directions, strict=True):
                parameter.add_(direction, alpha=sign * step)
        ends.append(penalty(moved, real, fake, rng()).item())
    slope = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True)).item()
    assert slope != 0
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4)


def test_a_d_that_is_flat_has_a_finite_penalty() -> None:
    """Where the gradient is 0 its length has no derivative: none, and no NaN."""
    D, (real, fake) = Plane(), batches()
    nn.init.zeros_(D.weight)
    for name in NAMES:
        value = penalties.PENALTIES[name]()(D, real, fake, rng())
        (gradient,) = torch.autograd.grad(value, D.weight)
        assert gradient.isfinite().all(), name


def test_a_recipe_names_them_with_their_settings() -> None:
    spec = recipe.load("sgd").with_overrides(
        ["penalties.r1.weight=0.5", "penalties.r1.every=16", "penalties.gradient.target=0.0"]
    )
    assert penalties.from_recipe(spec.penalties) == [
        penalties.GradientPenalty(10.0, 1, 0.0),
        penalties.R1(0.5, 16),
    ]
    assert penalties.from_recipe(recipe.load("sgd").penalties) == []
    assert "penalties" not in recipe.load("sgd").to_toml()
    assert recipe.parse(recipe.read_toml(spec.to_toml(), "own"), "own") == spec


def test_every_penalty_has_a_section_a_name_and_a_column() -> None:
    sections = recipe.Penalties.model_fields
    assert set(NAMES) == set(sections)
    for name, make in penalties.PENALTIES.items():
        assert make().name == name
        assert f"penalty_{name}" in PenaltyColumns.__annotations__
        section = next(each for each in get_args(sections[name].annotation) if each)
        assert make(**section().model_dump()) == make()
