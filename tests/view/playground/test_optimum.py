"""Each loss's best answer, against its own derivative and closed forms."""

import math

import pytest
import torch

from counterfeit import recipe
from counterfeit.game.losses import LOSSES
from counterfeit.networks import Scores
from counterfeit.view.playground.optimum import free_constant, optimal_answer

SHARES = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
OTHERS = torch.tensor([0.4, 0.3, 0.1, 0.2], dtype=torch.float64)
COUNT = 10


def spec(name: str, **values: object) -> recipe.Loss:
    kind = recipe.CrossEntropy if name in ("non-saturating", "minimax") else recipe.CriticLoss
    return kind.model_validate({"name": name, **values})


@pytest.mark.parametrize("name", ["non-saturating", "minimax", "least-squares", "relativistic"])
def test_the_loss_has_no_slope_at_its_optimum(name: str) -> None:
    """Of a world with four places, at which real and generated points lie in those shares."""
    best = optimal_answer(spec(name), SHARES, OTHERS)
    assert best is not None
    f = (best.logit() if name in ("non-saturating", "minimax") else best).requires_grad_()
    counts = [(shares * COUNT).round().long() for shares in (SHARES, OTHERS)]
    real, fake = (f.repeat_interleave(count) for count in counts)
    if name == "relativistic":  # which pairs points: each with each
        real, fake = real.repeat_interleave(COUNT), fake.repeat(COUNT)
    loss = LOSSES[name]().discriminator(Scores(real), Scores(fake))
    (slope,) = torch.autograd.grad(loss, f)
    assert torch.allclose(slope, torch.zeros(4, dtype=torch.float64), atol=1e-12)


def test_hinge_answers_one_or_minus_one() -> None:
    best = optimal_answer(spec("hinge"), SHARES, OTHERS)
    assert best is not None
    assert best.tolist() == [-1, -1, 1, 1]


def test_smoothed_labels_bound_the_answer() -> None:
    smooth = spec("non-saturating", real_labels=(0.9, 0.9))
    best = optimal_answer(smooth, SHARES, torch.zeros(4, dtype=torch.float64))
    assert best is not None
    assert best.tolist() == pytest.approx([0.9] * 4)


def test_a_wasserstein_critic_on_the_line_falls_from_the_data_to_the_fakes() -> None:
    """Two points, 3 steps apart: E f(x) - E f(G(z)) is their distance."""
    p_data, p_g = torch.zeros(8), torch.zeros(8)
    p_data[5] = p_g[2] = 1
    best = optimal_answer(spec("wasserstein"), p_data, p_g)
    assert best is not None
    assert float(best @ p_data - best @ p_g) == 3
    assert float(best.diff().abs().max()) == 1
    assert optimal_answer(spec("wasserstein"), torch.ones(2, 2), torch.ones(2, 2)) is None


def test_nowhere_is_no_answer() -> None:
    nothing = torch.zeros(1)
    for name in ("non-saturating", "least-squares", "hinge", "relativistic"):
        best = optimal_answer(spec(name), nothing, nothing)
        assert best is not None
        assert math.isnan(float(best))


def test_only_differences_count_for_two_losses() -> None:
    free = {name for name in LOSSES if free_constant(spec(name))}
    assert free == {"wasserstein", "relativistic"}
