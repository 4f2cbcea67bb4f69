"""What is read of a study's runs."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from outcomes import FID, results_of

from counterfeit.measure.names import MetricName
from counterfeit.run import Run
from counterfeit.run.rows import Measurement
from counterfeit.study.folder import Study, Task
from counterfeit.study.outcome import Outcome
from counterfeit.study.results import board, by_data, read


def test_a_run_is_read_as_its_directory_says(trained_study: Study) -> None:
    first, *_, last = read(trained_study)
    run = Run.open(trained_study.tasks[0].run)
    assert (first.state, first.epoch, first.trained) == ("finished", 3, 3)
    assert first.images == run.log[-1]["step"] * run.recipe.training.batch_size
    assert first.seconds > 0
    assert {MetricName.parse(name).split for name in first.scores} == {"test", None}
    assert [point.epoch for point in first.curve] == [1, 2, 3]
    assert first.curve[-1].images == pytest.approx(first.images)
    assert first.curve[-1].seconds == pytest.approx(first.seconds)
    assert {MetricName.parse(name).split for point in first.curve for name in point.scores} == {
        "validation"
    }
    assert (last.state, last.run, last.scores) == ("waiting", None, {})


def test_the_checkpoint_that_is_best_on_validation_is_reported_on_test(
    trained_study: Study,
) -> None:
    for last, best, task in zip(
        read(trained_study), read(trained_study, "best"), trained_study.tasks, strict=True
    ):
        if (outcome := task.outcome) is None:
            continue
        assert (last.step, best.step) == (outcome.step, outcome.chosen_step)
        assert best.scores.keys() == last.scores.keys()
        if best.step != last.step:
            assert best.scores != last.scores


def test_a_run_that_was_measured_otherwise_too_keeps_its_place(
    trained_study: Study, tmp_path: Path
) -> None:
    shutil.copytree(trained_study.folder, tmp_path / "s")
    study = Study.open(tmp_path / "s")
    before = board(read(study), "fid")
    assert before is not None
    run = Run.open(study.tasks[0].run)
    last = run.log[-1]
    more = {"fid_digits-v1-0123abcd_test_50k": Measurement(1.0, None)}
    run.append_metrics({"step": last["step"], "epoch": last["epoch"], "metrics": more})
    first, *_ = read(study)
    assert more.keys() <= first.scores.keys()
    after = board(read(study), "fid")
    assert after is not None
    assert after.name == before.name
    assert after.values[0, 0] == before.values[0, 0]


def test_a_task_that_failed_before_it_had_a_run_counts(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    task = Task(tmp_path, "sgd", {}, "digits", 0, "sgd-digits-s0")
    task.end(Outcome("failed", why="it broke"))

    class Planned:
        tasks = (task,)

    (only,) = read(Planned())  # type: ignore[arg-type]
    assert (only.failed, only.why, only.run) == (True, "it broke", None)


def test_a_board_has_a_place_for_every_run() -> None:
    found = board(results_of({"sgd": [3.0, "failed"], "adam": [2.0, None]}), "fid")
    assert found is not None
    assert (found.name, found.labels, found.seeds) == (FID, ["sgd", "adam"], [0, 1])
    assert found.failed.tolist() == [[False, True], [False, False]]
    assert found.values[:, 0].tolist() == [3.0, 2.0]
    assert all(map(math.isnan, found.values[:, 1]))
    assert board(results_of({"sgd": [3.0]}), "kid") is None


def test_a_value_that_is_no_number_is_not_dropped() -> None:
    found = board(results_of({"sgd": [3.0, float("nan")], "adam": [2.0, float("inf")]}), "fid")
    assert found is not None
    assert found.failed.tolist() == [[False, True], [False, True]]
    assert np.isnan(found.values[:, 1]).all()


def test_results_are_parted_by_data() -> None:
    results = [*results_of({"sgd": [1.0]}), *results_of({"sgd": [2.0]}, "fashion")]
    assert [(data, len(part)) for data, part in by_data(results).items()] == [
        ("mnist", 1),
        ("fashion", 1),
    ]
