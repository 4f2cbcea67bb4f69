"""Losses: the paper's equations, and what logits save."""

import math
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy

from counterfeit import recipe
from counterfeit.game import losses

LOGITS = st.lists(st.floats(-12, 12), min_size=1, max_size=20).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)


@given(real=LOGITS, fake=LOGITS, label=st.floats(0.5, 1))
def test_they_equal_bce_after_a_sigmoid_where_that_is_exact(
    real: torch.Tensor, fake: torch.Tensor, label: float
) -> None:
    """The article's way: BCE(D(x), label), BCE(D(G(z)), 0), their mean; BCE(D(G(z)), 1) for G."""
    d_real, d_fake = real.sigmoid(), fake.sigmoid()
    expected = (
        binary_cross_entropy(d_real, torch.full_like(d_real, label))
        + binary_cross_entropy(d_fake, torch.zeros_like(d_fake))
    ) / 2
    torch.testing.assert_close(losses.discriminator_loss(real, fake, label), expected)
    torch.testing.assert_close(
        losses.nonsaturating_generator_loss(fake),
        binary_cross_entropy(d_fake, torch.ones_like(d_fake)),
    )
    torch.testing.assert_close(losses.minimax_generator_loss(fake), torch.log(1 - d_fake).mean())
    torch.testing.assert_close(
        losses.value(real, fake), torch.log(d_real).mean() + torch.log(1 - d_fake).mean()
    )


def test_they_stay_finite_and_informative_where_a_sigmoid_does_not() -> None:
    """At logits of 100, float32's sigmoid is exactly 1: BCE clamps, and its gradient is lost."""
    for loss, logit, expected in (
        (losses.nonsaturating_generator_loss, -100.0, 100.0),
        (losses.nonsaturating_generator_loss, 100.0, 0.0),
        (losses.minimax_generator_loss, 100.0, -100.0),
        (losses.minimax_generator_loss, -100.0, 0.0),
    ):
        assert loss(torch.tensor([logit])).item() == pytest.approx(expected, abs=1e-6)

    rejected = torch.tensor([-100.0], requires_grad=True)
    losses.nonsaturating_generator_loss(rejected).backward()
    assert rejected.grad.item() == -1

    fooled = torch.tensor([100.0], requires_grad=True)
    losses.discriminator_loss(torch.zeros(1), fooled).backward()
    assert fooled.grad.item() == 0.5

    # The article's way at the same point: a wrong value, and no gradient at all.
    fooled = torch.tensor([100.0], requires_grad=True)
    loss = binary_cross_entropy(fooled.sigmoid(), torch.zeros(1))
    loss.backward()
    assert fooled.grad.item() == 0


@given(real=LOGITS, fake=LOGITS, label=st.floats(0.5, 1))
def test_the_slopes_are_the_losses_derivatives(
    real: torch.Tensor, fake: torch.Tensor, label: float
) -> None:
    real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    for kind in losses.ANALYTIC:
        loss, of_real, of_fake = kind(label), losses.Scores(real), losses.Scores(fake)
        expected = torch.autograd.grad(loss.discriminator(of_real, of_fake), (real, fake))
        for slope, derivative in zip(loss.discriminator_slopes(real, fake), expected, strict=True):
            torch.testing.assert_close(slope, derivative)
        (derivative,) = torch.autograd.grad(loss.generator(of_fake), fake)
        torch.testing.assert_close(loss.generator_slopes(fake), derivative)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_a_recipes_loss_is_found_by_its_name(name: str) -> None:
    spec = recipe.Loss(generator=name, real_labels=(0.9, 1.0))
    drawn = [losses.from_recipe(spec, 5, 1, torch.device("cpu")) for _ in range(2)]
    assert type(drawn[0]) is type(losses.LOSSES[name](torch.ones(1)))
    assert torch.equal(drawn[0].real_labels, drawn[1].real_labels)
    assert ((drawn[0].real_labels >= 0.9) & (drawn[0].real_labels <= 1)).all()


def test_every_loss_that_a_recipe_may_name_exists() -> None:
    assert set(losses.LOSSES) == set(get_args(recipe.Loss.model_fields["generator"].annotation))


def test_an_undecided_discriminator_costs_log_2() -> None:
    zero = torch.zeros(8)
    assert losses.discriminator_loss(zero, zero).item() == pytest.approx(math.log(2))
    assert losses.nonsaturating_generator_loss(zero).item() == pytest.approx(math.log(2))
    assert losses.value(zero, zero).item() == pytest.approx(-math.log(4))


@given(real=LOGITS, fake=LOGITS)
def test_the_players_losses_are_the_value(real: torch.Tensor, fake: torch.Tensor) -> None:
    value = losses.value(real, fake)
    torch.testing.assert_close(losses.discriminator_loss(real, fake), -value / 2)
    constant = losses.value(real, fake) - losses.minimax_generator_loss(fake)
    torch.testing.assert_close(constant, torch.nn.functional.logsigmoid(real).mean())


def test_smoothing_moves_ds_optimum_to_the_label() -> None:
    """With label t on reals and equal densities, D* = t / 2 (Salimans et al. 2016, section 3.4)."""
    logit = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logit], max_iter=100)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = losses.discriminator_loss(logit.expand(1), logit.expand(1), 0.9)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert logit.sigmoid().item() == pytest.approx(0.45, abs=1e-5)


def gaussian(x: torch.Tensor, mean: float) -> torch.Tensor:
    return torch.exp(-((x - mean) ** 2) / 2) / math.sqrt(2 * math.pi)


def best_logits(p_data: torch.Tensor, p_g: torch.Tensor, dx: float) -> torch.Tensor:
    """Maximise V over one free logit for each x, by Newton's method on the concave integrand."""
    f = torch.zeros_like(p_data, requires_grad=True)
    for _ in range(60):
        softplus = torch.nn.functional.softplus
        value = -(p_data * softplus(-f) + p_g * softplus(f)).sum() * dx
        (slope,) = torch.autograd.grad(value, f)
        D = f.detach().sigmoid()
        curvature = (p_data + p_g) * D * (1 - D) * dx
        f = (f.detach() + (slope / curvature).clamp(-1, 1)).requires_grad_()
    return f.detach()


@pytest.mark.parametrize("mean", [0.0, 0.5, 2.0])
def test_the_optimal_discriminator_and_value_are_the_papers(mean: float) -> None:
    """Proposition 1: D* = p_data / (p_data + p_g). Theorem 1: V(D*, G) = -log 4 + 2 JSD, whose
    minimum -log 4 is where the densities are equal."""
    x = torch.linspace(-6, 6 + mean, 4001, dtype=torch.float64)
    dx = (x[1] - x[0]).item()
    p_data, p_g = gaussian(x, 0.0), gaussian(x, mean)
    logits = best_logits(p_data, p_g, dx)
    torch.testing.assert_close(logits.sigmoid(), p_data / (p_data + p_g), rtol=0, atol=1e-6)

    # `losses.value` on samples drawn from both, with that D, estimates the same V.
    value = (
        -(
            p_data * torch.nn.functional.softplus(-logits)
            + p_g * torch.nn.functional.softplus(logits)
        )
        .sum()
        .item()
        * dx
    )
    mixture = (p_data + p_g) / 2
    jsd = (p_data * (p_data / mixture).log() + p_g * (p_g / mixture).log()).sum().item() * dx / 2
    assert value == pytest.approx(-math.log(4) + 2 * jsd, abs=1e-6)
    assert value >= -math.log(4) - 1e-6

    rng = torch.Generator().manual_seed(0)
    real = torch.randn(200_000, dtype=torch.float64, generator=rng)
    fake = torch.randn(200_000, dtype=torch.float64, generator=rng) + mean
    optimal = lambda samples: mean**2 / 2 - mean * samples  # noqa: E731, log p_data - log p_g
    assert losses.value(optimal(real), optimal(fake)).item() == pytest.approx(value, abs=0.01)


def test_real_labels_are_drawn_on_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fixed for a run must be the same wherever it goes on."""
    devices = []
    monkeypatch.setattr(
        losses, "stream", lambda *key, **more: devices.append(more) or torch.Generator()
    )
    loss = losses.from_recipe(recipe.Loss(real_labels=(0.5, 1.0)), 4, 0, torch.device("meta"))
    assert devices == [{}]
    assert loss.real_labels.is_meta
