"""Penalties against closed forms, and their gradients by D's weights against finite differences."""

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from counterfeit import recipe
from counterfeit.game import penalties
from counterfeit.game.inputs import Batch
from counterfeit.run.rows import PenaltyColumns

SHAPE = (1, 4, 4)
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
        weight = torch.linspace(-1, 2, 16, dtype=torch.float64)
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

    real = torch.zeros(6, 1, 16, 16, dtype=torch.float64)
    real[:, :, 8, 8] = torch.arange(1, 7).view(6, 1)
    _, fake = batches()
    penalty = penalties.Consistency(5.0)
    assert penalty(Brightest(), Batch(real), fake, rng()) == 0
    D = nn.Sequential(nn.Flatten(), nn.Linear(256, 1, dtype=torch.float64), nn.Flatten(0))
    shifted = penalties.translation(real, rng())
    expected = 5 * (D(real) - D(shifted)).square().mean()
    torch.testing.assert_close(penalty(D, Batch(real), fake, rng()), expected)
    assert expected > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["tanh", "maxout", "convolution"])
def test_their_gradients_are_finite_differences(name: str, kind: str) -> None:
    """Through the gradient by the pixels, to D's weights: the double backward."""
    torch.manual_seed(0)
    D: nn.Module = {
        "tanh": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.Tanh(), nn.Linear(5, 1)),
        "maxout": lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(16, 12), nn.Unflatten(1, (4, 3)), nn.AdaptiveMaxPool1d(1),
            nn.Flatten(), nn.Softplus(), nn.Linear(4, 1),
        ),
        "convolution": lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.SiLU(), nn.Flatten(), nn.Linear(12, 1)
        ),
    }[kind]().append(nn.Flatten(0)).double()  # fmt: skip
    penalty, (real, fake) = penalties.PENALTIES[name](weight=2.0), batches()
    parameters = list(D.parameters())
    value = penalty(D, real, fake, rng())
    gradients = torch.autograd.grad(value, parameters, materialize_grads=True)
    step = 1e-5
    for parameter, gradient in zip(parameters, gradients, strict=True):
        direction = torch.randn_like(parameter)
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.add_(direction, alpha=sign * step)
            ends.append(penalty(D, real, fake, rng()).item())
            with torch.no_grad():
                parameter.sub_(direction, alpha=sign * step)
        slope = (ends[0] - ends[1]) / (2 * step)
        assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-5, abs=1e-8)


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
