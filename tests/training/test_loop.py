"""A run: what it writes, that its seed fixes it, and that it can stop and go on."""

import os
import signal
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, Interrupted, UsageError
from counterfeit.files import Row
from counterfeit.game.game import Game
from counterfeit.game.step import Outcome
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.training import loop
from counterfeit.training.fork import fork
from small_networks import shrunk


def assert_equal_states(one: Checkpoint, other: Checkpoint) -> None:
    assert one.step == other.step
    assert one.tensors.keys() == other.tensors.keys()
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[name]), name


def without_speed(rows: list[Row]) -> list[Row]:
    return [{k: v for k, v in row.items() if k != "images_per_second"} for row in rows]


def assert_same_runs(one: Run, other: Run) -> None:
    assert_equal_states(one.checkpoint(), other.checkpoint())
    assert without_speed(one.log) == without_speed(other.log)
    assert one.findings == other.findings
    assert one.snapshot_epochs == other.snapshot_epochs
    for epoch in one.snapshot_epochs:
        assert (one.snapshot(epoch) == other.snapshot(epoch)).all()


def test_a_run_directory_holds_what_the_design_promises(tiny: recipe.Recipe, tmp_path) -> None:
    run = loop.train(tiny, seed=5, out=tmp_path)
    per_epoch = 1437 // 64

    assert run.path.parent == tmp_path
    assert run.path.name.endswith("-batchnorm-smoothing-s5")
    assert run.recipe == tiny
    assert run.seed == 5
    assert run.environment["torch"] == torch.__version__

    assert [row["step"] for row in run.log] == [per_epoch, 2 * per_epoch]
    assert [row["epoch"] for row in run.log] == [1.0, 2.0]
    for row in run.log:
        assert 0 <= row["d_fake_q05"] <= row["d_fake_q50"] <= row["d_fake_q95"] <= 1
        assert 0 < row["d_real_mean"] < 1
        assert row["d_grad_norm"] > 0
        assert row["g_grad_norm"] > 0
        assert row["images_per_second"] > 0

    assert run.snapshot_epochs == [0, 1, 2]
    assert run.snapshot(2).shape == (100, 1, 8, 8)
    assert (run.snapshot(2) != run.snapshot(0)).any()
    assert run.checkpoint_steps == [per_epoch, 2 * per_epoch]

    images = run.sample(7)
    assert images.shape == (7, 1, 8, 8)
    assert images.dtype == torch.uint8
    assert torch.equal(images, Run.open(run.path).sample(7))
    assert not torch.equal(images, run.sample(7, seed=6))


def test_what_comes_before_the_first_row_is_told(tiny: recipe.Recipe, tmp_path: Path) -> None:
    told: list[str] = []
    hear = {"on_stage": [told.append], "on_row": [lambda row: told.append("row")]}
    run = loop.train(tiny, epochs=1, out=tmp_path, **hear)
    expected = ["reading the data", "building the networks", "training", "row"]
    assert told == expected
    loop.resume(run, epochs=2, **hear)
    assert told == 2 * expected


def test_rows_close_at_the_interval_and_at_the_epochs_end(tiny, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY", 10)
    seen: list[Row] = []
    run = loop.train(tiny, epochs=1, out=tmp_path, on_row=[seen.append])
    assert [row["step"] for row in run.log] == [10, 20, 22]
    assert seen == run.log


def test_the_seed_fixes_everything(tiny: recipe.Recipe, tmp_path) -> None:
    one = loop.train(tiny, seed=1, out=tmp_path / "one")
    torch.manual_seed(99)
    two = loop.train(tiny, seed=1, out=tmp_path / "two")
    other = loop.train(tiny, seed=2, out=tmp_path / "other")
    assert_equal_states(one.checkpoint(), two.checkpoint())
    assert without_speed(one.log) == without_speed(two.log)
    assert (one.snapshot(2) == two.snapshot(2)).all()
    with pytest.raises(AssertionError):
        assert_equal_states(one.checkpoint(), other.checkpoint())


@pytest.mark.parametrize("stop_at", [7, 22, 30])
def test_a_stopped_run_goes_on_as_if_nothing_had_happened(
    tiny: recipe.Recipe, tmp_path, monkeypatch, stop_at: int
) -> None:
    whole = loop.train(tiny, out=tmp_path / "whole")

    add = loop.Interval.add
    updates = 0

    def add_and_interrupt(interval: loop.Interval, outcome: object) -> None:
        nonlocal updates
        add(interval, outcome)
        updates += 1
        if updates == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Interval, "add", add_and_interrupt)
        with pytest.raises(Interrupted, match="--resume") as stopped:
            loop.train(tiny, out=tmp_path / "stopped")
    assert stopped.value.exit_status == 130
    (path,) = (tmp_path / "stopped").iterdir()
    assert Run.open(path).checkpoint().step == stop_at

    assert_same_runs(whole, loop.resume(path))


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """From now on, SIGINT comes in the update that makes it so many since the start."""
    update = Game.update

    def update_and_stop(game: Game, number: int, *arguments: Any) -> Outcome:
        if number + 1 == step:
            os.kill(os.getpid(), signal.SIGINT)
        return update(game, number, *arguments)

    monkeypatch.setattr(Game, "update", update_and_stop)


def test_ctrl_c_is_a_keyboard_interrupt_that_holds_the_run(tiny, tmp_path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        stop_at(patch, 7)
        try:
            loop.train(tiny, out=tmp_path)
        except Exception:
            pytest.fail("a signal is no error")
        except KeyboardInterrupt as stopped:
            run = stopped.run
    assert run.checkpoint().step == 7
    assert loop.resume(run).log[-1]["epoch"] == 2


def test_the_speed_after_a_resume_counts_what_was_trained_since(
    tiny, tmp_path, monkeypatch
) -> None:
    with monkeypatch.context() as patch:
        stop_at(patch, 20)
        with pytest.raises(Interrupted) as stopped:
            loop.train(tiny, epochs=1, out=tmp_path)
    seconds = count()
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: float(next(seconds))))
    run = loop.resume(stopped.value.run)
    assert [row["images_per_second"] for row in run.log] == [2 * 64]  # in one second


@pytest.mark.parametrize(("epochs", "says"), [(1, "2 epochs"), (0, "training.epochs")])
def test_fewer_epochs_than_a_run_has_are_refused(tiny, tmp_path, epochs: int, says: str) -> None:
    run = loop.train(tiny, out=tmp_path)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=says):
        loop.resume(run.path, epochs=epochs)
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_a_run_may_end_where_it_is(tiny, tmp_path, monkeypatch) -> None:
    run = loop.train(tiny, epochs=1, out=tmp_path)
    again = loop.resume(loop.resume(run, epochs=3), epochs=3)
    assert (again.recipe.training.epochs, again.log[-1]["epoch"]) == (3, 3)
    with monkeypatch.context() as patch:
        stop_at(patch, 80)  # in epoch 4
        with pytest.raises(Interrupted):
            loop.resume(run, epochs=9)
    with pytest.raises(UsageError, match=r"3\.636 epochs"):
        loop.resume(run, epochs=3)
    ended = loop.resume(run, epochs=4)
    assert (ended.recipe.training.epochs, ended.log[-1]["epoch"]) == (4, 4)


def test_a_signal_does_not_wait_for_an_evaluation(tiny: recipe.Recipe, tmp_path) -> None:
    def evaluate(run: Run, epoch: int, generator: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("it went on")

    with pytest.raises(Interrupted) as stopped:
        loop.train(tiny, out=tmp_path, on_epoch=[evaluate])
    assert stopped.value.exit_status == 143
    (path,) = tmp_path.iterdir()
    assert Run.open(path).checkpoint().epoch == 1


@pytest.mark.parametrize("makes_of_it", [CounterfeitError("is damaged"), None])
def test_no_handler_of_errors_takes_a_signal(tiny: recipe.Recipe, tmp_path, makes_of_it) -> None:
    def evaluate(run: Run, epoch: int, generator: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except Exception:
            pytest.fail("the signal was taken for an error")
        except BaseException:  # as code below Python may
            if makes_of_it:
                raise makes_of_it from None

    with pytest.raises(Interrupted) as stopped:
        loop.train(tiny, out=tmp_path, on_epoch=[evaluate])
    assert stopped.value.exit_status == 143


def test_resuming_a_finished_run_changes_nothing(tiny: recipe.Recipe, tmp_path) -> None:
    run = loop.train(tiny, epochs=1, out=tmp_path)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    loop.resume(run.path)
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.discriminator_steps=2"],
        ["training.generator_latents=fresh"],
        ["training.update=simultaneous"],
        ["loss.name=minimax"],
        ["generator.output=tanh", "generator.output_bias=data-mean"],
        ["discriminator.activation=maxout", "discriminator.input_dropout=0.2"],
        ["discriminator.activation=leaky-relu", "generator.activation=leaky-relu"],
        ["latent.distribution=uniform", 'generator.optimizer={name="sgd", lr=0.1}'],
    ],
)
def test_every_choice_of_a_recipe_trains(tiny: recipe.Recipe, tmp_path, overrides) -> None:
    run = loop.train(tiny.with_overrides(overrides), epochs=1, out=tmp_path)
    assert all(torch.isfinite(t).all() for t in run.checkpoint().tensors.values())


def test_rates_that_end_with_the_epochs_say_so_when_these_change(tiny, tmp_path, caplog) -> None:
    falling = tiny.with_overrides(["generator.optimizer.schedule=cosine"])
    run = loop.train(falling, epochs=1, out=tmp_path / "falling")
    loop.resume(run.path)
    assert not caplog.records
    loop.resume(run.path, epochs=2)
    (record,) = caplog.records
    assert "from epoch 1 on they are those of 2 epochs, not of 1" in record.getMessage()
    constant = loop.train(tiny, epochs=1, out=tmp_path / "constant")
    loop.resume(constant.path, epochs=2)
    assert len(caplog.records) == 1


def test_rows_say_how_often_images_are_augmented_where_that_adapts(tiny, tmp_path) -> None:
    always = ['inputs.augment=["translation"]']
    run = loop.train(tiny.with_overrides(always), epochs=1, out=tmp_path / "always")
    assert "augmented" not in run.log[-1]
    adapting = tiny.with_overrides([*always, "inputs.adaptive=-0.99"])  # D is always surer
    run = loop.train(adapting, epochs=1, out=tmp_path / "adapting")
    assert run.log[-1]["augmented"] == pytest.approx(22 * 64 / 500_000)


def test_old_checkpoints_go_and_milestones_stay(tiny: recipe.Recipe, tmp_path) -> None:
    run = loop.train(tiny, epochs=13, out=tmp_path)
    assert [step // 22 for step in run.checkpoint_steps] == [1, 2, 5, 10, 12, 13]
    assert run.step_at(5) == 5 * 22
    with pytest.raises(UsageError, match="1, 2, 5, 10, 12, 13"):
        run.step_at(3)


def test_fewer_images_than_a_batch_are_refused(tiny: recipe.Recipe, tmp_path) -> None:
    with pytest.raises(UsageError, match="lower training"):
        loop.train(tiny.with_overrides(["training.batch_size=5000"]), out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named(tiny: recipe.Recipe, tmp_path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(CounterfeitError, match="--out"):
        loop.train(tiny, out=file / "runs")


@pytest.mark.parametrize("penalty", ["gradient", "r1", "r2", "consistency"])
def test_a_penalty_on_a_batch_is_not_begun_and_goes_on(
    tiny: recipe.Recipe, tmp_path, monkeypatch: pytest.MonkeyPatch, penalty: str
) -> None:
    spec = tiny.with_values({"discriminator.norm": "batch", f"penalties.{penalty}.weight": 1})
    said = rf"penalties\.{penalty} is of .* set discriminator.norm to none, layer or spectral\.$"
    with pytest.raises(UsageError, match=said):
        loop.train(spec, out=tmp_path)
    assert not list(tmp_path.iterdir())
    with monkeypatch.context() as earlier:
        earlier.setattr(recipe.Recipe, "require_trainable", lambda self: None)
        old = loop.train(spec, epochs=1, out=tmp_path)
    assert loop.resume(old.path, epochs=2).log[-1]["epoch"] == 2
    with pytest.raises(UsageError, match=said):
        fork(old, old.recipe, out=tmp_path)


def test_every_recipe_can_be_trained() -> None:
    for name in recipe.names():
        recipe.load(name).require_trainable()


def test_an_absent_device_is_refused(tiny: recipe.Recipe, tmp_path) -> None:
    with pytest.raises(UsageError, match="there is: cpu"):
        loop.train(tiny, device="tpu", out=tmp_path)


RULES = [
    "loss.name=wasserstein",
    "penalties.gradient.every=2",
    "penalties.consistency.every=3",
    "constraints.clip_weights=0.3",
    "inputs.noise=0.1",
    "inputs.noise_epochs=2",
    'inputs.augment=["color", "cutout"]',
    "inputs.replay=0.5",
    "training.discriminator_steps=2",
]
RECIPES = {name: [] for name in recipe.names()} | {
    "rules of every kind": RULES,
    "adaptive": ['inputs.augment=["translation"]', "inputs.adaptive=0.0"],
}
"""By name, and as changes of one of them."""


def small(name: str) -> recipe.Recipe:
    """A recipe with networks and data so small that an epoch of 6 updates takes milliseconds."""
    known = name if name in recipe.names() else "batchnorm-smoothing"
    spec = recipe.load(known).with_overrides(RECIPES[name])
    return spec.with_overrides(
        [
            "data.name=digits",
            f"data.train_images={110 * spec.training.discriminator_steps}",
            "training.batch_size=18",
            "training.epochs=3",
            *shrunk(known),
        ]
    )


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """A recipe's run, trained once."""
    return cache(lambda name: loop.train(small(name), out=tmp_path_factory.mktemp("whole")))


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=4)
@given(stops=st.lists(st.integers(1, 17), min_size=1, max_size=3, unique=True))
def test_every_recipe_goes_on_to_the_bit_from_any_step(
    whole_run: Callable[[str], Run], name: str, stops: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "LOG_EVERY", 4)
        update = Game.update

        def update_and_stop(game: Game, step: int, *arguments: Any) -> Outcome:
            if step + 1 in stops:
                stops.remove(step + 1)
                os.kill(os.getpid(), signal.SIGTERM)
            return update(game, step, *arguments)

        whole = whole_run(name)
        patch.setattr(Game, "update", update_and_stop)
        with pytest.raises(Interrupted) as stopped:
            loop.train(small(name), out=out)
        assert stopped.value.exit_status == 143
        (path,) = Path(out).iterdir()
        while stops:
            with pytest.raises(Interrupted):
                loop.resume(path)
        assert_same_runs(whole, loop.resume(path))


def test_samples_come_from_the_average_and_training_does_not(tiny, tmp_path) -> None:
    plain = loop.train(tiny, out=tmp_path / "plain")
    spec = tiny.with_overrides(["generator.ema_decay=0.95"])
    run = loop.train(spec, out=tmp_path / "averaged")
    newest, average = run.generator(averaged=False), run.generator()
    assert torch.equal(newest.output.weight, plain.generator().output.weight)
    assert not torch.equal(average.output.weight, newest.output.weight)
    assert without_speed(run.log) == without_speed(plain.log)
    assert (run.snapshot(2) != plain.snapshot(2)).any()


def test_the_average_goes_on_where_it_stopped(tiny, tmp_path) -> None:
    spec = tiny.with_overrides(["generator.ema_decay=0.95"])
    whole = loop.train(spec, epochs=2, out=tmp_path / "whole")
    part = loop.train(spec, epochs=1, out=tmp_path / "part")
    assert_equal_states(whole.checkpoint(), loop.resume(part.path, epochs=2).checkpoint())


def test_a_data_set_of_a_very_long_name_is_none(tiny: recipe.Recipe, tmp_path) -> None:
    with pytest.raises(UsageError, match="emoji or a folder"):
        loop.train(tiny.with_values({"data.name": "x" * 5000}), out=tmp_path)
