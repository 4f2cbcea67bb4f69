import math

import pytest
import torch

from counterfeit import recipe
from counterfeit.game.losses import LOSSES, Scores, discriminator_loss
from counterfeit.insight.charts.losses import equilibrium


@pytest.mark.parametrize("generator", ["non-saturating", "minimax"])
@pytest.mark.parametrize("labels", [(1.0, 1.0), (0.7, 0.9)])
def test_the_equilibrium_is_where_the_discriminator_gains_nothing(
    small_recipe: recipe.Recipe, generator: str, labels: tuple[float, float]
) -> None:
    spec = small_recipe.with_values({"loss.generator": generator, "loss.real_labels": labels})
    even = equilibrium(spec)
    logit = torch.tensor([even.output], dtype=torch.float64).logit().requires_grad_()
    loss = discriminator_loss(logit, logit, sum(labels) / 2)
    (slope,) = torch.autograd.grad(loss, logit)
    assert slope.item() == pytest.approx(0, abs=1e-12)
    assert loss.item() == pytest.approx(even.d_loss)
    g_loss = LOSSES[generator](torch.ones(1)).generator(Scores(logit), None)
    assert g_loss.item() == pytest.approx(even.g_loss)
    if labels == (1.0, 1.0):
        assert even.d_loss == pytest.approx(math.log(4) / 2)
