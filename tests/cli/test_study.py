"""`counterfeit study` as a command; tests/study/test_cluster.py lets it train."""

import sys
from pathlib import Path

import pytest
from command import call
from small_study import SMALL, small_plan

from counterfeit.study.folder import Study
from counterfeit.study.outcome import Outcome
from counterfeit.study.plan import Plan
from counterfeit.study.worker import Terms, perform


@pytest.fixture
def made(tmp_path: Path) -> Study:
    """Of two runs, one has ended."""
    plan = Plan.parse({"recipes": ("sgd",), "data": ("digits",), "seeds": 2}, "a plan")
    study = Study.make(tmp_path / "s", plan)
    study.tasks[0].end(Outcome("finished"))
    return study


@pytest.fixture
def trained(made: Study, quick_classifier: None) -> Study:
    """Each of its runs of one epoch."""
    plan = small_plan(epochs=1, variants=[{"label": "two", "recipe": "adam", "values": SMALL}])
    study = Study.make(made.folder.parent / "trained" / "s", plan)
    for task in study.tasks:
        perform(task, Terms.of(study.plan))
    return study


def test_dry_run_prints_a_plan_that_can_be_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["--seeds=3", "--data=digits", "--data=mnist", "--stop-on=critical"]
    lr = "generator.optimizer.lr"
    varied = [f"--vary={lr}=1e-4", f"--vary={lr}=2e-4", "--vary=loss.name=hinge"]
    status, out, err = call(capsys, "study", "sgd", "adam", *options, *varied, "--dry-run")
    assert (status, err) == (0, "24 runs\n")
    (tmp_path / "plan.toml").write_text(out)
    plan = Plan.read(tmp_path / "plan.toml")
    assert plan.recipes == ("sgd", "adam")
    assert plan.vary == {"generator.optimizer.lr": (1e-4, 2e-4), "loss.name": ("hinge",)}
    assert (plan.seeds, plan.data, plan.stop_on) == (3, ("digits", "mnist"), "critical")
    status, out, err = call(
        capsys, "study", str(tmp_path / "plan.toml"), "--images=1000", "--dry-run"
    )
    assert "images = 1000" in out
    assert list(tmp_path.iterdir()) == [tmp_path / "plan.toml"]


def test_status_shows_the_runs_and_what_goes_on(
    made: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = call(capsys, "study", "status", str(made.folder))
    assert status == 0
    assert "sgd-digits-s0  finished" in out
    assert "sgd-digits-s1  waiting" in out
    assert "1 of 2 runs have ended" in out
    assert out.splitlines()[-1] == str(made.folder)


def test_a_finished_study_needs_no_cluster(
    made: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made.tasks[1].end(Outcome("failed", "it said so"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    status, out, err = call(capsys, "study", str(made.folder))
    assert (status, out.splitlines()[-1]) == (0, str(made.folder))
    assert err == "2 of 2 runs have ended, 1 of them failed\n"


def test_a_finished_study_says_what_is_certain(
    trained: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.folder.parent)
    _, out, err = call(capsys, "study", "s")
    assert "FID" in out
    assert out.splitlines()[-1] == "s"
    status, quiet, err = call(capsys, "study", "s", "--quiet")
    assert (status, quiet, err) == (0, "s\n", "")


def test_slurm_is_asked_where_it_is(
    made: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, err = call(capsys, "study", str(made.folder), "--slurm")
    assert (status, err) == (
        2,
        "counterfeit: --slurm asks for jobs by sbatch, which is not here: use a login node.\n",
    )


def test_what_a_study_needs_is_one_line(
    made: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("cluster", "conduct"):
        monkeypatch.delitem(sys.modules, f"counterfeit.study.{module}", raising=False)
    for module in ("dask", "distributed"):
        monkeypatch.setitem(sys.modules, module, None)
    status, _, err = call(capsys, "study", str(made.folder))
    assert status == 2
    assert "pip install distributed dask-jobqueue" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nope"], "no recipe is called 'nope'"),
        (["sgd", "--name=/"], "should be a folder's name; --out says"),
        (["sgd", "--name=../x"], "should be a folder's name; --out says"),
        (["sgd", "--name="], "should be a folder's name; --out says"),
        (["a" * 5000], "no recipe is called"),
        ([f"{'a' * 5000}.toml"], "File name too long"),
        (["sgd", "--vary=x"], "write key=value,value"),
        (["sgd", "--vary=x="], "write key=value,value"),
        (["sgd", "--epochs=1", "--seconds=2"], "one of epochs, images and seconds"),
        (["adam", "sgd", "adam"], "needs each recipe once, not adam twice"),
        (["sgd", "--vary=x.y=1,2,1"], "needs each recipe once, not sgd-y-1 twice"),
        (["sgd", "--seeds=0"], "seeds: should be a whole number"),
        (["{folder}", "--seeds=3", "--stop-on=critical"], "leave out --seeds, --stop-on"),
        (["{folder}/study.toml", "--seeds=3"], "has its plan; leave out --seeds"),
        (["{folder}", "--slurm", "--scheduler=tcp://x:1"], "leave the rest out"),
        (["{folder}", "--workers=0"], "one at the least"),
        (["status", "{folder}/runs"], "is no study"),
    ],
)
def test_bad_usage_is_one_line(
    made: Study, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str, tmp_path: Path
) -> None:
    words = [each.format(folder=made.folder) for each in arguments]
    options = [] if "status" in words else [f"--out={tmp_path}"]
    status, out, err = call(capsys, "study", *words, *options)
    assert (status, out) == (2, "")
    assert why in err
    assert len(err.splitlines()) == 1
