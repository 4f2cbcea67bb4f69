"""Losses: the paper's equations, and what logits save."""

import itertools
import math
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy

from counterfeit import recipe
from counterfeit.game import losses

Labels = torch.Tensor | float

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


def of_recipe(name: str, **settings: object) -> recipe.Loss:
    table = recipe.load("sgd").model_dump() | {"loss": {"name": name} | settings}
    return recipe.parse(table, "test").loss


def built(name: str, real: Labels = 1.0, fake: Labels = 0.0) -> losses.Loss:
    """The loss of that name, with labels if it has any."""
    labelled = isinstance(of_recipe(name), recipe.CrossEntropy)
    return losses.LOSSES[name](*(real, fake) * labelled)


PAIRS = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.floats(-12, 12), min_size=n, max_size=n)] * 2)
)


@given(logits=PAIRS, labels=st.tuples(st.floats(0.5, 1), st.floats(0, 0.4)))
def test_the_slopes_are_the_losses_derivatives(
    logits: tuple[list[float], list[float]], labels: tuple[float, float]
) -> None:
    real, fake = (torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in logits)
    for name in losses.LOSSES:
        loss, of_real, of_fake = built(name, *labels), losses.Scores(real), losses.Scores(fake)
        assert type(loss) in losses.ANALYTIC
        expected = torch.autograd.grad(loss.discriminator(of_real, of_fake), (real, fake))
        for slope, derivative in zip(loss.discriminator_slopes(real, fake), expected, strict=True):
            torch.testing.assert_close(slope, derivative)
        compared = of_real if loss.relative else None
        (derivative,) = torch.autograd.grad(loss.generator(of_fake, compared), fake)
        slopes = loss.generator_slopes(fake, real if loss.relative else None)
        torch.testing.assert_close(slopes, derivative)


def test_losses_of_scores_are_the_papers() -> None:
    real, fake = torch.tensor([2.0, -0.5, 0.5]), torch.tensor([-2.0, 0.25, 3.0])
    of_real, of_fake = losses.Scores(real), losses.Scores(fake)
    expected = {  # D's and G's, from the papers' equations by hand
        "least-squares": ((1 + 2.25 + 0.25 + 4 + 0.0625 + 9) / 6, (9 + 0.5625 + 4) / 6),
        "hinge": ((0 + 1.5 + 0.5) / 3 + (0 + 1.25 + 4) / 3, -1.25 / 3),
        "relativistic": (
            math.log((1 + math.exp(-4)) * (1 + math.exp(0.75)) * (1 + math.exp(2.5))) / 3,
            math.log((1 + math.exp(4)) * (1 + math.exp(-0.75)) * (1 + math.exp(-2.5))) / 3,
        ),
        "wasserstein": (1.25 / 3 - 2 / 3, -1.25 / 3),
    }
    for name, (d_loss, g_loss) in expected.items():
        loss = losses.LOSSES[name]()
        assert loss.discriminator(of_real, of_fake).item() == pytest.approx(d_loss)
        assert loss.generator(of_fake, of_real).item() == pytest.approx(g_loss)
        assert not loss.probabilistic


@pytest.mark.parametrize("name", losses.LOSSES)
@pytest.mark.parametrize("labels", [(1.0, 0.0), (0.8, 0.1)])
def test_the_equilibrium_is_where_ds_loss_is_least_on_equal_images(name: str, labels) -> None:
    """D gives all images one logit: where the loss rests, no other one costs less."""
    loss = built(name, *labels)
    even = loss.equilibrium
    logits = torch.linspace(-3, 3, 601, dtype=torch.float64)
    costs = torch.stack(
        [loss.discriminator(losses.Scores(f), losses.Scores(f)) for f in logits.split(1)]
    )
    assert costs.min().item() == pytest.approx(even.d_loss, abs=1e-4)
    if even.output is not None:
        best = logits[costs.argmin()]
        said = best.sigmoid() if loss.probabilistic else best
        assert said.item() == pytest.approx(even.output, abs=0.01)
    if even.g_loss is not None:
        best = losses.Scores(logits[costs.argmin()].view(1))
        assert loss.generator(best, best).item() == pytest.approx(even.g_loss, abs=0.01)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_a_recipes_loss_is_found_by_its_name(name: str) -> None:
    spec = of_recipe(name)
    loss = losses.from_recipe(spec, 5, 1, torch.device("cpu"))
    assert type(loss) is losses.LOSSES[name]
    assert type(losses.expected(spec)) is losses.LOSSES[name]


def test_labels_are_drawn_once_from_their_ranges() -> None:
    spec = recipe.CrossEntropy(real_labels=(0.9, 1.0), fake_labels=(0.0, 0.2))
    drawn = [losses.from_recipe(spec, 50, 1, torch.device("cpu")) for _ in range(2)]
    for labels, low, high in (("real_labels", 0.9, 1.0), ("fake_labels", 0.0, 0.2)):
        first, second = (getattr(loss, labels) for loss in drawn)
        assert torch.equal(first, second)
        assert ((first >= low) & (first <= high)).all()
        assert len(first.unique()) > 40


def test_flips_swap_the_labels_of_their_share_and_nothing_else() -> None:
    def drawn(flips: float) -> losses.Loss:
        spec = recipe.CrossEntropy(
            real_labels=(0.9, 1.0), fake_labels=(0.0, 0.2), label_flips=flips
        )
        return losses.from_recipe(spec, 40, 1, torch.device("cpu"))

    plain, flipped = drawn(0), drawn(0.1)
    swapped = flipped.real_labels != plain.real_labels
    assert swapped.sum() == 4
    assert torch.equal(flipped.real_labels[swapped], plain.fake_labels[swapped])
    assert torch.equal(flipped.fake_labels[swapped], plain.real_labels[swapped])
    assert torch.equal(flipped.fake_labels[~swapped], plain.fake_labels[~swapped])
    assert flipped.equilibrium.output == pytest.approx(plain.equilibrium.output)


def test_every_loss_that_a_recipe_may_name_exists() -> None:
    names = [
        get_args(section.model_fields["name"].annotation)
        for section in (recipe.CrossEntropy, recipe.CriticLoss)
    ]
    assert sorted(losses.LOSSES) == sorted(itertools.chain(*names))


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
    loss = losses.from_recipe(
        recipe.CrossEntropy(real_labels=(0.5, 1.0)), 4, 0, torch.device("meta")
    )
    assert devices == [{}]
    assert loss.real_labels.is_meta
