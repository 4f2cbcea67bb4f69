"""What lies in a folder is found; what links lead out to is not."""

import shutil
from pathlib import Path

import pytest

from counterfeit.errors import UsageError
from counterfeit.run import Run
from counterfeit.study.folder import PLAN, Study
from counterfeit.study.plan import Plan
from counterfeit.view.places import groups
from counterfeit.view.watch import Watch


def found(*paths: Path) -> set[str]:
    return {id for group in groups(paths) for id in group.runs()}


def test_runs_folders_and_studies_are_found_each_once(run: Run, tmp_path: Path) -> None:
    folder = run.path.parent
    assert found(folder) == {"runs/run-1"}
    assert found(run.path) == {"run-1"}
    assert found(folder, folder) == {"runs/run-1"}
    shutil.copytree(run.path, tmp_path / "other/runs/run-1")
    assert found(folder, tmp_path / "other/runs") == {"runs/run-1", "runs-2/run-1"}
    study = Study.make(tmp_path / "studies/two", Plan(recipes=("sgd", "adam"), data=("digits",)))
    shutil.copytree(run.path, study.tasks[0].run)
    named = f"two/{study.tasks[0].id}"
    assert found(study.folder) == found(tmp_path / "studies") == {named}
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/two").symlink_to(study.folder)
    assert found(tmp_path / "linked") == set()
    with pytest.raises(UsageError, match="no folder"):
        groups([tmp_path / "nothing"])


@pytest.mark.parametrize("inside", ["", "log.jsonl", "snapshots"])
def test_links_that_lead_out_are_not_followed(run: Run, tmp_path: Path, inside: str) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    if inside:
        shutil.copytree(run.path, folder / "run")
        own = folder / "run" / inside
        shutil.rmtree(own) if own.is_dir() else own.unlink()
        own.symlink_to(run.path / inside)
    else:
        (folder / "run").symlink_to(run.path)
    assert found(folder) == set()


@pytest.mark.parametrize("plan", ["sound", "damaged"])
def test_a_study_whose_runs_lie_elsewhere_shows_none(run: Run, tmp_path: Path, plan: str) -> None:
    study = Study.make(tmp_path / "one", Plan(recipes=("sgd", "adam"), data=("digits",)))
    if plan == "damaged":
        (study.folder / PLAN).write_text("recipes = 1", encoding="utf-8")
    (study.folder / "runs").rmdir()
    (study.folder / "runs").symlink_to(run.path.parent)
    assert found(study.folder) == set()


def test_what_is_new_and_what_is_gone_is_seen(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfeit.view.watch.PERIOD", 0)
    monkeypatch.setattr("counterfeit.view.watch.FIRST_SECONDS", 600)  # a busy machine skips none
    watch = Watch(groups([run.path.parent]))
    watch.look()
    assert watch.find("runs/run-1") is watch.shelves[0].runs[0]
    shutil.copytree(trained / "run-2", run.path.with_name("run-2"))
    watch.look()
    assert [seen.id for seen in watch.shelves[0].runs] == ["runs/run-2", "runs/run-1"]
    shutil.rmtree(run.path)
    watch.look()
    assert watch.find("runs/run-1") is None
    assert watch.find("../run-1") is None
