"""NaN and infinity: named at once, never saved, and a run can go back and on."""

import logging
import signal
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, Interrupted
from counterfeit.game.game import Game
from counterfeit.game.step import Outcome
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.training import loop
from counterfeit.training.soundness import MOST_ROLLBACKS, NonFinite, check, non_finite

NAN, INF = float("nan"), float("inf")


def test_numbers_that_are_numbers_pass() -> None:
    largest = torch.finfo(torch.float32).max
    tensors = {"a": torch.full((9,), largest), "count": torch.tensor(3), "none": torch.zeros(0)}
    assert non_finite(tensors) == []
    check(tensors, torch.zeros(2, 2), step=10, per_epoch=5)


@given(st.integers(0, 11), st.sampled_from([NAN, INF, -INF]))
def test_one_bad_number_is_found(place: int, value: float) -> None:
    bad = torch.ones(3, 4)
    bad.view(-1)[place] = value
    assert non_finite({"good": torch.ones(3), "bad": bad}) == ["bad"]


def test_the_finding_names_the_first_bad_update_and_tensor() -> None:
    losses = torch.tensor([[1.0, 1.0], [1.0, NAN], [INF, NAN]])
    with pytest.raises(NonFinite, match=r"step 9: generator\.loss") as loss:
        check({"a": torch.ones(2)}, losses, step=10, per_epoch=5)
    assert loss.value.finding.first_step == 9
    assert loss.value.finding.last_epoch == 2.0
    with pytest.raises(NonFinite, match="step 10: b") as weight:
        check({"a": torch.ones(2), "b": torch.tensor([INF])}, torch.ones(3, 2), 10, 5)
    assert weight.value.finding.evidence == {"tensor": "b", "tensors": 1}


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch):
    """poison(step, halvings): that update spoils a weight of D, until lr is halved so often."""

    def poison(at: int, halvings: int) -> None:
        update = Game.update

        def spoiled(game: Game, step: int, *arguments: object) -> object:
            outcome = update(game, step, *arguments)
            if step == at and len(game.halvings) < halvings:
                game.discriminator.parameters[1].data[3] = NAN
            return outcome

        monkeypatch.setattr(Game, "update", spoiled)

    return poison


def finite(state: Checkpoint) -> bool:
    return all(tensor.isfinite().all() for tensor in state.tensors.values())


def test_training_stops_and_keeps_the_last_sound_checkpoint(tiny, tmp_path, poison) -> None:
    poison(30, 1)
    with pytest.raises(CounterfeitError, match=r"The checkpoint of step 22 is kept") as stopped:
        loop.train(tiny, out=tmp_path)
    assert len(str(stopped.value).splitlines()) == 1
    (path,) = tmp_path.iterdir()
    run = Run.open(path)
    assert run.checkpoint_steps == [22]
    assert finite(run.checkpoint())
    (finding,) = run.findings
    assert finding["name"] == "non-finite"
    assert finding["evidence"]["tensor"].startswith(("generator.", "discriminator."))
    assert 31 <= finding["first_step"] <= finding["last_step"] == finding["step"] == 44

    with pytest.raises(CounterfeitError, match="NaN or infinite"):
        loop.resume(path)
    assert run.findings == [finding]
    assert loop.resume(path, on_nan="rollback").rollbacks == [22]


def test_a_rollback_halves_both_learning_rates_from_there(tiny, tmp_path, poison, caplog) -> None:
    poison(30, 1)
    rates: dict[int, float] = {}
    update = Game.update

    def note(game: Game, step: int, *arguments: object) -> object:
        outcome = update(game, step, *arguments)
        for player in (game.generator, game.discriminator):
            rates[step] = player.optimizer.param_groups[0]["lr"]
        return outcome

    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Game, "update", note)
        run = loop.train(tiny, out=tmp_path, on_nan="rollback")
    assert "Going back to step 22 with half the learning rates" in caplog.text
    assert run.rollbacks == [22]
    assert run.log[-1]["epoch"] == 2
    assert finite(run.checkpoint())
    assert [rates[step] for step in (0, 21, 22, 43)] == [0.001, 0.001, 0.0005, 0.0005]


def test_a_run_resumed_after_its_rollback_is_the_same(tiny, tmp_path, poison, monkeypatch) -> None:
    poison(3, 2)  # twice, before there is any checkpoint
    whole = loop.train(tiny, out=tmp_path / "whole", on_nan="rollback")
    assert whole.rollbacks == [0, 0]

    updates: list[int] = []

    def stop_late(row: dict[str, object]) -> None:
        updates.append(1)
        if len(updates) == 1:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted):
        loop.train(tiny, out=tmp_path / "stopped", on_nan="rollback", on_row=[stop_late])
    (path,) = (tmp_path / "stopped").iterdir()
    resumed = loop.resume(path)
    assert resumed.findings == whole.findings
    one, other = whole.checkpoint().tensors, resumed.checkpoint().tensors
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_rollbacks_end(tiny: recipe.Recipe, tmp_path, poison) -> None:
    poison(30, 99)
    with pytest.raises(CounterfeitError, match="NaN or infinite"):
        loop.train(tiny, out=tmp_path, on_nan="rollback")
    (path,) = tmp_path.iterdir()
    assert Run.open(path).rollbacks == [22] * MOST_ROLLBACKS
    assert len(Run.open(path).findings) == MOST_ROLLBACKS + 1


@pytest.mark.parametrize("what", ["weight", "loss"])
def test_a_signal_does_not_say_saved_when_a_nan_prevents_it(tiny, tmp_path, what: str) -> None:
    update = Game.update

    def spoil_and_stop(game: Game, step: int, *arguments: object) -> Outcome:
        outcome = update(game, step, *arguments)
        if step == 29:
            signal.raise_signal(signal.SIGTERM)
            if what == "loss":
                return replace(outcome, generator_loss=outcome.generator_loss * NAN)
            game.discriminator.parameters[1].data[3] = NAN
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Game, "update", spoil_and_stop)
        with pytest.raises(Interrupted) as stopped:
            loop.train(tiny, out=tmp_path)
    assert stopped.value.exit_status == 143
    said = str(stopped.value)
    assert "saved" not in said.replace("not saved", "")
    assert "is NaN or infinite" in said
    assert "The checkpoint of step 22 is kept" in said
    assert stopped.value.run.checkpoint_steps == [22]
    assert loop.resume(stopped.value.run).log[-1]["epoch"] == 2
