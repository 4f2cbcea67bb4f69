"""A run's rows of vital signs."""

import shutil
from pathlib import Path

import pytest
from torch import nn

from counterfeit.errors import CounterfeitError
from counterfeit.insight.vitals import examination_due, vitals
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint


def test_examinations_keep_their_distance() -> None:
    assert all(examination_due(epoch, 60_000) for epoch in range(1, 10))
    assert [epoch for epoch in range(1, 21) if examination_due(epoch, 6_000)] == [7, 14, 20]


def test_rows_of_a_run_that_kept_none(small_run: Run) -> None:
    rows = vitals(small_run)
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]
    assert "d_knows" not in rows[0]
    assert "d_knows" in rows[3]


def test_a_checkpoint_that_goes_meanwhile_takes_no_row_with_it(
    small_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Run.checkpoint
    gone = small_run.checkpoint_steps[0]

    def checkpoint(run: Run, step: int | Checkpoint | None = None) -> Checkpoint:
        if step == gone:
            raise CounterfeitError("training has removed it.")
        return read(run, step)

    monkeypatch.setattr(Run, "checkpoint", checkpoint)
    rows = vitals(small_run)
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]
    assert ["d_knows" in row for row in rows] == [False, False, True, True]


def test_a_checkpoint_that_goes_once_it_is_read_is_examined_all_the_same(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    build = Run.generator

    def then_gone(run: Run, step: int | Checkpoint | None = None) -> nn.Module:
        network = build(run, step)
        run.remove_checkpoint(step.step if isinstance(step, Checkpoint) else int(step or 0))
        return network

    monkeypatch.setattr(Run, "generator", then_gone)
    assert ["d_knows" in row for row in vitals(run)] == [False, True, True, True]
    assert run.checkpoint_steps == []
