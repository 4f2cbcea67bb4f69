"""`counterfeit search` as a command; tests/search/test_conduct.py lets it train."""

import re
import sys
from pathlib import Path

import pytest
from command import call
from small_search import LR, SPACE, small_recipe, small_search

from counterfeit import cli, recipe
from counterfeit.search.folder import Search
from counterfeit.study.outcome import Outcome
from counterfeit.study.worker import Terms, perform

TOML = f"""
{LR} = {{ low = 1e-5, high = 1e-2, log = true }}
training.batch_size = [32, 64]
"""


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "space.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def ended(tmp_path: Path, quick_classifier: None) -> Search:
    """A search by coverage of two trials that have ended; the second one is the better one."""
    search = small_search(tmp_path / "s", epochs=1, rungs=1, trials=2, confirm=2, metric="coverage")
    for number, lr in enumerate((2e-4, 1e-3)):
        search.begin(number, search.unchanged | {LR: lr})
        perform(search.task(number, 1), Terms(samples=100))
        search.task(number).end(Outcome("finished", epoch=1.0))
    rows = search.task(1).run / "metrics.jsonl"
    rows.write_text(re.sub(r"(coverage_\S+ \[)[^,]*", r"\g<1>0.5", rows.read_text()))
    return search


def test_dry_run_prints_the_search_and_makes_nothing(
    space: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = call(
        capsys, "search", "adam", f"--space={space}", "--epochs=5", "--data=digits", "--dry-run"
    )
    assert (status, err) == (0, "")
    assert 'data = "digits"\n' in out
    assert "rungs = 2\n" in out  # as many as fit
    assert [each.name for each in tmp_path.iterdir()] == ["space.toml"]


def test_status_shows_the_trials(ended: Search, capsys: pytest.CaptureFixture[str]) -> None:
    search = ended.grown(ended.plan.with_values({"trials": 3}))
    search.begin(2, {LR: 3e-3})
    status, out, _ = call(capsys, "search", "status", str(search.folder))
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["run", "state", "epoch", "coverage", "dropout", "lr", "batch_size",
                                "findings"]  # fmt: skip
    assert "0.001" in lines[2]
    assert "trial-2  waiting" in lines[3]
    assert "2 of 3 trials have ended, best so far: trial 1, coverage" in out
    assert lines[-1] == str(search.folder)


def test_what_was_found_is_confirmed_and_reported(
    ended: Search, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ended.folder.parent)
    study = ended.confirmation(ended.trials[1])
    for task in study.tasks:
        perform(task, Terms.of(study.plan))
    monkeypatch.setitem(sys.modules, "distributed", None)  # nothing is left to train
    monkeypatch.setitem(sys.modules, "optuna", None)
    status, out, err = call(capsys, "search", "s")
    assert status == 0, err
    assert "Best on the validation images: trial 1, with coverage 0.5." in out
    assert f"It has {LR}: 0.0002 -> 0.001." in out
    assert f"The recipe as it was came to {ended.trials[0].score:.4g} there" in out
    assert "coverage [95 %]" in out  # the verdict, too
    assert "Can't tell yet" in out
    assert out.splitlines()[-1] == "s"
    assert recipe.load("s/best.toml").generator.trained_with.lr == 1e-3
    status, out, err = call(capsys, "search", "report", "s")
    assert status == 0, err
    assert "trial" in out
    page = Path(out.splitlines()[-1])
    html = page.read_text()
    assert "<h1>Search s</h1>" in html
    assert "2 trials took" in html
    trials = re.findall(r'<th scope="row">(\d.*)</th>', html.partition('<section id="listed">')[2])
    assert trials == ["1", "0 (the recipe as it was)"]  # the best first
    assert '<td data-label="lr">0.001</td>' in html
    assert f"counterfeit search report {ended.folder}</code>" in html
    lines = (page.parent / "trials.csv").read_text().splitlines()
    assert len(lines) == 3
    assert f",{LR}," in lines[0]
    assert (page.parent / "differences.csv").is_file()


def test_a_recipe_whose_own_trial_failed_is_said_to(
    ended: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    ended.task(0).end(Outcome("failed", "a number is no longer finite."))
    cli.main(["search", "report", str(ended.folder)])
    said = " ".join(capsys.readouterr().out.split())
    assert "The recipe as it was failed in its trial: a number is no longer finite." in said


def test_where_nothing_is_better_nothing_is_confirmed(
    tmp_path: Path, quick_classifier: None, capsys: pytest.CaptureFixture[str]
) -> None:
    search = small_search(tmp_path / "s", epochs=1, rungs=1, trials=1)
    search.begin(0, search.unchanged)
    perform(search.task(0, 1), Terms(samples=100))
    search.task(0).end(Outcome("finished", epoch=1.0))
    status, out, _ = call(capsys, "search", str(search.folder))
    assert status == 0
    assert "That is the recipe as it was: the search found nothing better." in out
    assert not (search.folder / "confirmation").exists()
    cli.main(["search", "report", str(search.folder)])
    assert capsys.readouterr().err.rstrip().endswith(" --trials=2")  # the same again does nothing


def test_a_search_may_grow_and_not_change(
    space: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    base = tmp_path / "small.toml"
    base.write_text(small_recipe().to_toml())
    Search.make(
        tmp_path / "out" / "small-space",
        small_search(tmp_path / "x", {LR: SPACE[LR], "training.batch_size": [32, 64]}).plan,
        small_recipe(),
    )
    other = tmp_path / "other.toml"
    other.write_text(f"{LR} = [1e-3]\ntraining.batch_size = [32, 64]\n")
    for file, change, why in (
        (space, ["--epochs=12"], "epochs is 9, not 12"),
        (space, ["--samples=100", "--seed=1"], "seed is 0, not 1"),
        (other, ["--samples=100", "--name=small-space"], f"{LR} is searched in"),
    ):
        words = ["search", str(base), f"--space={file}", f"--out={tmp_path / 'out'}", *change]
        status, _, err = call(capsys, *words)
        assert (status, len(err.splitlines())) == (2, 1)
        assert "is another search" in err
        assert why in err
        assert "--name" in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["adam"], "say what may be tried: --space FILE.toml"),
        (["nope", "--space={space}"], "no recipe is called 'nope'"),
        (["adam", "--space=nope.toml"], "cannot read nope.toml"),
        (["adam", "--space={space}", "--trials=0"], "trials: should be a whole number"),
        (["adam", "--space={space}", "--metric=best"], "metric: should be one of fid,"),
        (["adam", "--space={space}", "--epochs=5", "--rungs=3"], "at most 2 rungs, not 3"),
        (["adam", "--space={space}", "--sampler=best"], "--sampler"),
        (["{folder}", "--epochs=3"], "has its plan; leave out all but --trials and --confirm"),
        (["status", "{folder}/runs"], "is no search"),
        (["report", "nope"], "nope does not exist"),
    ],
)
def test_bad_usage_is_one_line(
    space: Path, capsys: pytest.CaptureFixture[str], words: list[str], why: str, tmp_path: Path
) -> None:
    folder = small_search(tmp_path / "s").folder
    given = [word.format(space=space, folder=folder) for word in words]
    options = [] if {"status", "report"} & {*words} else [f"--out={tmp_path / 'out'}"]
    status, out, err = call(capsys, "search", *given, *options)
    assert (status, out) == (2, "")
    assert why in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_what_a_search_needs_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    search = small_search(tmp_path / "s")
    for module in ("sampling", "conduct"):
        monkeypatch.delitem(sys.modules, f"counterfeit.search.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    status, _, err = call(capsys, "search", str(search.folder), "--workers=1")
    assert status == 2
    assert "pip install optuna" in err
