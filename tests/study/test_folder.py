"""A study's folder and its tasks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.files import locked
from counterfeit.recipe import read_toml
from counterfeit.study.claim import claimed
from counterfeit.study.folder import Study
from counterfeit.study.outcome import Outcome
from counterfeit.study.plan import Plan

TOML = """
recipes = ["sgd", "adam"]
seeds = 2
data = ["digits"]
epochs = 3
vary.generator.optimizer.lr = [1e-4, 2e-4]

[[variants]]
label = "small-batches"
recipe = "adam"
values.training.batch_size = 64
"""


def plan(text: str = TOML) -> Plan:
    return Plan.parse(read_toml(text, "study.toml"), "study.toml")


def test_every_combination_with_every_seed_is_a_task(tmp_path: Path) -> None:
    study = Study.make(tmp_path / "s", plan())
    assert study.labels == (
        "sgd-lr-0.0001",
        "sgd-lr-0.0002",
        "adam-lr-0.0001",
        "adam-lr-0.0002",
        "small-batches",
    )
    assert [(task.seed, task.recipe) for task in study.tasks] == [
        (seed, label) for seed in (0, 1) for label in study.labels
    ]
    task = study.tasks[3]
    assert task.values == {"generator.optimizer.lr": 2e-4}
    assert (task.data, task.id, task.state) == ("digits", "adam-lr-0.0002-digits-s0", "waiting")
    assert task.spec.name == "adam-lr-0.0002"
    assert task.spec.training.epochs == 3
    assert task.spec.generator.trained_with.lr == 2e-4
    assert study.tasks[4].spec.training.batch_size == 64


def test_a_study_is_read_back_as_it_was_made(tmp_path: Path) -> None:
    made = Study.make(tmp_path / "s", plan())
    found = Study.open(tmp_path / "s")
    assert found.tasks == made.tasks
    assert [task.spec for task in found.tasks] == [task.spec for task in made.tasks]
    assert found.plan == made.plan


def test_a_study_may_grow_and_not_change(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    first = Study.make(folder, plan())
    grown = Study.make(folder, plan(TOML.replace("seeds = 2", "seeds = 3")))
    assert {task.id for task in first.tasks} < {task.id for task in grown.tasks}
    assert len(grown.tasks) == 15
    for old, new, why in (
        ("seeds = 2", "seeds = 2", "seed 2, which this one lacks"),
        ("epochs = 3", "epochs = 4", "epochs is 3, not 4"),
        ("[1e-4, 2e-4]", "[1e-4]", "sgd-lr-0.0002, which this one lacks"),
        ("batch_size = 64", "batch_size = 32", "training.batch_size: 64 -> 32"),
        ('"digits"', '"mnist"', "digits, which this one lacks"),
    ):
        text = TOML if old == "seeds = 2" else TOML.replace("seeds = 2", "seeds = 3")
        with pytest.raises(UsageError, match=f"another study.*{why}.*--name"):
            Study.make(folder, plan(text.replace(old, new)))
    assert len(Study.open(folder).tasks) == 15


def test_a_study_that_another_command_changes_is_left_alone_and_can_be_read(
    tmp_path: Path,
) -> None:
    made = Study.make(tmp_path / "s", plan())
    with locked(made.folder / ".lock", "busy"):
        with pytest.raises(CounterfeitError, match=r"another command is changing .*/s at this"):
            Study.make(made.folder, plan(TOML.replace("seeds = 2", "seeds = 3")))
        found = Study.open(made.folder)
        assert [task.state for task in found.tasks] == ["waiting"] * 10
    assert found.plan == made.plan


def test_of_commands_that_let_a_study_grow_at_once_none_undoes_what_another_did(
    tmp_path: Path,
) -> None:
    def grow(seeds: int) -> None:
        grown = Plan.parse({"recipes": ("sgd",), "data": ("digits",), "seeds": seeds}, "a plan")
        while True:
            try:
                Study.make(tmp_path / "s", grown)
            except UsageError as error:  # more seeds than that are there already
                assert "which this one lacks" in str(error)  # noqa: PT017
            except CounterfeitError:
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(grow, range(1, 9)))
    assert Study.open(tmp_path / "s").plan.seed_list == tuple(range(8))


def test_a_study_that_grows_in_another_order_calls_its_runs_as_before(tmp_path: Path) -> None:
    one, other = (tmp_path / name / "faces" for name in ("one", "other"))
    for folder in (one, other):
        folder.mkdir(parents=True)
    both = {"recipes": ("sgd",), "seeds": 1, "data": (str(one), str(other), str(one))}
    first = Study.make(tmp_path / "s", Plan.parse(both, "x"))
    assert {task.id: task.data for task in first.tasks} == {
        "sgd-faces-s0": str(one),
        "sgd-faces-2-s0": str(other),
    }
    turned = both | {"recipes": ("adam", "sgd"), "data": (str(other), str(one))}
    grown = Study.make(tmp_path / "s", Plan.parse(turned, "x"))
    assert {task.id: task.data for task in grown.tasks} == {
        "sgd-faces-s0": str(one),
        "sgd-faces-2-s0": str(other),
        "adam-faces-s0": str(one),
        "adam-faces-2-s0": str(other),
    }


def test_a_copy_of_each_recipe_stays_with_the_study(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(recipe.load("adam").with_values({"name": "mine"}).to_toml())
    (tmp_path / "plan.toml").write_text('recipes = ["mine.toml"]\nseeds = [7]\ndata = ["digits"]\n')
    study = Study.make(tmp_path / "s", Plan.read(tmp_path / "plan.toml"))
    mine.unlink()
    (task,) = Study.open(tmp_path / "s").tasks
    assert (task.id, task.spec.name) == ("mine-digits-s7", "mine")
    assert study.tasks == (task,)


def test_where_a_task_stands_is_seen_from_its_files(tmp_path: Path) -> None:
    task = Study.make(tmp_path / "s", plan()).tasks[0]
    assert task.state == "waiting"
    with claimed(task.lock):
        assert task.state == "training"
    assert task.state == "waiting"
    task.run.mkdir()
    assert task.state == "stopped"
    for state in ("failed", "finished"):
        task.end(Outcome(state, why="it said so"))
        assert task.state == state
        assert task.outcome == Outcome(state, why="it said so")


def test_a_folder_without_a_study_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no study"):
        Study.open(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        Study.open(tmp_path / "x")
