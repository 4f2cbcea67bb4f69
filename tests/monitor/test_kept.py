"""A foreign interval's row has the numbers that a row of our own has."""

import pytest
import torch

from counterfeit.game.step import Outcome
from counterfeit.monitor.kept import Interval
from counterfeit.training import interval as ours


@pytest.mark.parametrize("outputs", ["logits", "probabilities", "scores"])
def test_it_is_our_own_row(outputs: str) -> None:
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 5, 8, generator=rng)  # (updates, batch)
    gradients = [torch.ones(3)]
    own, foreign = ours.Interval(5, 8, torch.device("cpu")), Interval(outputs)  # type: ignore
    for each in range(5):
        losses = torch.tensor(each / 3), torch.tensor(each / 7)
        outcome = Outcome(*losses, real[each], fake[each], gradients, gradients)
        own.add(outcome)
        said = {"d_real": real[each], "d_fake": fake[each]}
        if outputs == "probabilities":
            said = {name: answers.sigmoid() for name, answers in said.items()}
        foreign.add({"d_loss": losses[0], "g_loss": losses[1], **said})
    expected = own.row(outcome, probabilistic=outputs != "scores")
    without_norms = {key: value for key, value in expected.items() if "norm" not in key}
    assert foreign.row() == pytest.approx(without_norms, rel=1e-6)
    assert ("score_gap" in expected) == (outputs == "scores")


def test_of_millions_of_answers_quantiles_are_taken_evenly() -> None:
    many = 2**24 + 2  # more than torch sorts for a quantile
    kept = Interval("probabilities")
    kept.add({"d_real": torch.linspace(0, 1, many)})
    row = kept.row()
    assert row["d_real_mean"] == pytest.approx(0.5, abs=1e-4)
    assert row["d_real_q25"] == pytest.approx(0.25, abs=1e-4)
    assert row["d_real_q95"] == pytest.approx(0.95, abs=1e-4)


def test_means_have_no_quantiles() -> None:
    kept = Interval("scores")
    for mean in (1.0, 3.0):
        kept.add({"d_real": mean, "d_fake": torch.tensor(-mean)})
    assert kept.row() == {"score_real_mean": 2, "score_fake_mean": -2, "score_gap": 4}
    kept.clear()
    kept.add({"d_fake": 1.0})
    assert kept.row() == {"score_fake_mean": 1}
