"""What a worker does with a task: ends, resumes, fails, and leaves to others."""

import threading
from pathlib import Path
from typing import Any

import pytest
from small_study import SMALL, same_bits, small_plan

from counterfeit import files
from counterfeit.errors import CounterfeitError
from counterfeit.game.game import Game
from counterfeit.measure.names import MetricName
from counterfeit.run import Run
from counterfeit.study import worker
from counterfeit.study.claim import Displaced, claimed
from counterfeit.study.folder import Study, Task
from counterfeit.study.task import chosen_step
from counterfeit.study.worker import Answer, Terms, halt, perform
from counterfeit.training import loop

PATIENCE = 600.0
"""Seconds after which a test gives up on a thread."""


@pytest.fixture(autouse=True)
def nothing_halted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_halted", set())


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.make(tmp_path / "s", small_plan())


def splits(run: Run, step: int) -> set[str | None]:
    """The splits that a checkpoint was measured against."""
    return {
        MetricName.parse(name).split
        for row in run.metrics
        if row["step"] == step
        for name in row["metrics"]
    }


def test_a_task_ends_measured_on_both_splits_and_is_done_once(study: Study) -> None:
    task = study.tasks[0]
    assert perform(task, Terms.of(study.plan)) == Answer("finished")
    run, outcome = Run.open(task.run), task.outcome
    assert outcome is not None
    assert (task.state, outcome.epoch, outcome.step) == ("finished", 2, run.checkpoint_steps[-1])
    assert splits(run, run.checkpoint_steps[-1]) >= {"test", "validation"}
    assert run.recipe == task.spec
    assert run.seed == task.seed
    before = run.metrics
    assert perform(task, Terms.of(study.plan)) == Answer("finished")
    assert Run.open(task.run).metrics == before


def test_it_is_what_train_makes(study: Study, tmp_path: Path) -> None:
    task = study.tasks[1]
    perform(task, Terms.of(study.plan))
    alone = loop.train(task.spec, seed=task.seed, out=tmp_path / "runs")
    one, other = alone.checkpoint(), Run.open(task.run).checkpoint()
    assert one.step == other.step
    assert all((one.tensors[name] == other.tensors[name]).all() for name in one.tensors)


def test_the_chosen_checkpoint_is_chosen_on_validation_images_and_measured_on_test_images(
    tmp_path: Path,
) -> None:
    study = Study.make(tmp_path / "s", small_plan(epochs=6, evaluate_every=1))
    task = study.tasks[1]
    perform(task, Terms.of(study.plan))
    run, outcome = Run.open(task.run), task.outcome
    assert outcome is not None
    fids = {
        row["step"]: value.value
        for row in run.metrics
        for name, value in row["metrics"].items()
        if name.startswith("fid_") and MetricName.parse(name).split == "validation"
        if row["step"] in run.checkpoint_steps
    }
    assert len(fids) > 2
    assert outcome.chosen_step == chosen_step(run) == min(fids, key=lambda step: fids[step])
    assert "test" in splits(run, outcome.chosen_step)


def test_a_run_that_diverges_is_a_failure_at_once_when_looked_at_again(tmp_path: Path) -> None:
    wild = SMALL | {"generator.optimizer.lr": 1e30}
    plan = small_plan(variants=[{"label": "wild", "recipe": "sgd", "values": wild}])
    study = Study.make(tmp_path / "s", plan)
    (task,) = study.tasks
    answer = perform(task, Terms.of(study.plan))
    assert answer.state == task.state == "failed"
    assert answer.why is not None
    assert answer.why.startswith("non-finite")
    assert perform(task, Terms.of(study.plan)) == answer
    (study.folder / "tasks" / f"{task.id}.json").unlink()  # killed just before it was written
    assert perform(task, Terms.of(study.plan)).state == "failed"


def test_a_critical_finding_ends_a_run_where_the_plan_says_so(tmp_path: Path) -> None:
    poor = SMALL | {"generator.optimizer.lr": 1e-12}
    variants = [{"label": "poor", "recipe": "sgd", "values": poor}]
    plan = small_plan(epochs=40, variants=variants, stop_on="critical")
    study = Study.make(tmp_path / "s", plan)
    (task,) = study.tasks
    assert perform(task, Terms.of(study.plan)).state == "failed"
    outcome = task.outcome
    assert outcome is not None
    assert outcome.epoch < 40
    (study.folder / "tasks" / f"{task.id}.json").unlink()
    assert perform(task, Terms.of(study.plan)).state == "failed"
    assert Run.open(task.run).log[-1]["epoch"] == outcome.epoch


def test_a_budget_in_images_or_seconds_ends_a_run_with_an_epoch(tmp_path: Path) -> None:
    for budget, epochs in (({"images": 3000}, 3), ({"seconds": 1e-9}, 1)):
        plan = small_plan().with_values(budget)
        study = Study.make(tmp_path / next(iter(budget)), plan)
        task = study.tasks[1]
        assert perform(task, Terms.of(study.plan)) == Answer("finished")
        assert Run.open(task.run).log[-1]["epoch"] == epochs
        assert perform(task, Terms.of(study.plan)) == Answer("finished")


def test_a_halted_task_saves_amid_an_epoch_and_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches = SMALL | {"training.batch_size": 16}
    variants = [{"label": "two", "recipe": "adam", "values": small_batches}]
    whole, halted = (
        Study.make(tmp_path / name, small_plan(epochs=4, variants=variants))
        for name in ("whole", "halted")
    )
    (task,) = halted.tasks
    terms = Terms.of(halted.plan)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(perform(task, terms)))
    amid, told = threading.Event(), threading.Event()
    update = Game.update

    def waiting(game: Game, step: int, *arguments: Any) -> Any:
        if step == 100:  # in the second epoch
            amid.set()
            told.wait(PATIENCE)
        return update(game, step, *arguments)

    monkeypatch.setattr(Game, "update", waiting)
    thread.start()
    assert amid.wait(PATIENCE)
    halt(terms.session)
    told.set()
    thread.join()
    worker._halted.clear()
    assert answers == [Answer("stopped")]
    assert task.state == "stopped"
    assert Run.open(task.run).checkpoint().epoch < 4
    assert perform(task, terms) == Answer("finished")
    perform(whole.tasks[0], terms)
    assert same_bits(halted) == same_bits(whole)


def test_a_halted_session_begins_nothing(study: Study) -> None:
    terms = Terms.of(study.plan)
    halt(terms.session)
    assert perform(study.tasks[0], terms) == Answer("stopped")
    assert study.tasks[0].state == "waiting"


def test_a_worker_that_lacks_the_folder_says_so(study: Study) -> None:
    task = study.tasks[0]
    elsewhere = Task(Path("/nowhere"), task.recipe, task.values, task.data, task.seed, task.id)
    with pytest.raises(CounterfeitError, match=r"sees no /nowhere; .* that all workers share"):
        perform(elsewhere, Terms.of(study.plan))


def test_what_keeps_a_run_from_its_end_is_no_failure(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise CounterfeitError("the disk is full.")

    monkeypatch.setattr(loop, "train", full)
    assert perform(study.tasks[0], Terms.of(study.plan)) == Answer("stopped", "the disk is full.")
    assert study.tasks[0].outcome is None


def test_a_second_worker_waits_for_the_first_one(study: Study) -> None:
    task = study.tasks[0]
    answers: list[Answer] = []
    second = threading.Thread(target=lambda: answers.append(perform(task, Terms.of(study.plan))))
    with claimed(task.lock):
        second.start()
        second.join(1)
        assert second.is_alive()
        assert not task.run.exists()
    second.join()
    assert answers == [Answer("finished")]


def test_without_locks_the_first_worker_ends_before_it_writes_beside_the_second(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "fcntl", None)
    task = study.tasks[0]
    with claimed(task.lock) as first:
        first.check()
        with claimed(task.lock) as second:
            second.check()
            with pytest.raises(Displaced, match="another worker"):
                first.check()
