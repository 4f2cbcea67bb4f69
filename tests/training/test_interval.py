"""What a row of the log says of its updates."""

from dataclasses import replace

import torch

from counterfeit.game.step import Outcome
from counterfeit.training.interval import Interval


def outcome(logit: float) -> Outcome:
    gradients = [torch.tensor([3.0, 4.0])]
    loss = torch.tensor(logit)
    logits = torch.full((4,), logit)
    return Outcome(loss, 2 * loss, logits, -logits, gradients, gradients)


def test_answers_are_probabilities_only_where_the_loss_makes_them() -> None:
    interval = Interval(10, 4, torch.device("cpu"))
    for logit in (0.0, 2.0):
        interval.add(outcome(logit))
    row, critics = (interval.row(outcome(2.0), probabilistic=each) for each in (True, False))
    assert row["d_loss"] == 1
    assert row["g_loss_last"] == 4
    assert row["d_real_q05"] == 0.5
    assert row["d_fake_q95"] == 0.5
    assert row["d_grad_norm"] == 5
    named = [
        {key for key in each if key.startswith(("d_real", "d_fake", "score"))}
        for each in (row, critics)
    ]
    assert not named[0] & named[1]
    assert {key: row[key] for key in row.keys() - named[0]} == {
        key: critics[key] for key in critics.keys() - named[1]
    }
    assert critics["score_real_q95"] == 2
    assert critics["score_fake_mean"] == -1
    assert critics["score_gap"] == 2


def test_a_penalty_is_the_mean_of_the_updates_in_which_it_was_due() -> None:
    interval, other = (Interval(10, 4, torch.device("cpu")) for _ in range(2))
    for number, due in enumerate([2.0, None, 6.0, None]):
        penalties = {} if due is None else {"r1": torch.tensor(due, requires_grad=True)}
        interval.add(replace(outcome(0.0), penalties=penalties))
        if number == 1:
            other.load(interval.tensors())
            other.add(replace(outcome(0.0), penalties={"r1": torch.tensor(4.0)}))
    assert interval.row(outcome(0.0))["penalty_r1"] == 4
    assert other.row(outcome(0.0))["penalty_r1"] == 3
    interval.clear()
    interval.add(outcome(0.0))
    assert "penalty_r1" not in interval.row(outcome(0.0))
