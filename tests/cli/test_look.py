"""`counterfeit diagnose`, `sample` and `report`."""

import functools
from pathlib import Path

import numpy as np
import pytest
from command import TINY, call
from PIL import Image

from counterfeit import cli
from counterfeit.measure import evaluate
from counterfeit.run import Run


def test_sample_writes_arrays_and_grids(capsys, run_path: Path, tmp_path) -> None:
    target = tmp_path / "x.npz"
    status, out, _ = call(capsys, "sample", str(run_path), "-n", "1234", "--out", str(target))
    assert (status, out.strip()) == (0, str(target))
    with np.load(target, allow_pickle=False) as archive:
        assert archive["images"].shape == (1234, 1, 8, 8)
        assert archive["images"].dtype == np.uint8
    status, out, _ = call(capsys, "sample", str(run_path))
    assert status == 0
    assert Path(out.strip()).read_bytes().startswith(b"\x89PNG")


def test_diagnose_does_not_say_that_all_is_well_after_an_epoch(capsys, run_path: Path) -> None:
    status, out, err = call(capsys, "diagnose", str(run_path))
    assert (status, err) == (0, "")
    assert f"{run_path.name}: Too early to judge, after 1 epoch and " in out


def test_report_is_one_file(capsys, run_path: Path, tmp_path) -> None:
    page = tmp_path / "page.html"
    status, out, _ = call(capsys, "report", str(run_path), f"--out={page}")
    assert (status, out.strip()) == (0, str(page))
    assert "<html" in page.read_text()


@pytest.fixture
def few_samples(quick_classifier: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report measures with 200 samples and a classifier that is barely trained."""
    few = functools.partial(evaluate.measure_newest, samples=200)
    monkeypatch.setattr(evaluate, "measure_newest", few)


def test_train_diagnose_evaluate_and_the_page_say_the_same_sentence(
    capsys, few_samples: None, blank_charts: None, tmp_path: Path
) -> None:
    loud = [word for word in TINY if word != "--quiet"]
    _, out, err = call(capsys, "train", "batchnorm-smoothing", *loud, f"--out={tmp_path}")
    run = Path(out.strip())

    def everywhere() -> set[str]:
        _, diagnosis, _ = call(capsys, "diagnose", str(run))
        _, _, trained = call(capsys, "train", f"--resume={run}")
        _, page, _ = call(capsys, "report", str(run))
        sentence = trained.splitlines()[-1]
        assert sentence in Path(page.strip()).read_text()
        return {sentence, diagnosis.strip().removeprefix(f"{run.name}: ")}

    unmeasured = err.splitlines()[-1]
    assert unmeasured.startswith("Too early to judge, after 1 epoch and ")
    assert "not measured" in unmeasured
    assert f"{run.name}: {unmeasured}" in call(capsys, "diagnose", str(run))[1]
    evaluated = call(capsys, "evaluate", str(run), "--samples=300")[1].splitlines()[1]
    assert "coverage 0." in evaluated
    assert everywhere() == {evaluated}


def test_charts_are_kept_in_the_formats_that_are_asked_for(capsys, own_run: Path) -> None:
    formats = ["--figures", "svg", "--figures=pdf"]
    assert call(capsys, "report", str(own_run), *formats)[0] == 0
    for name in ("losses", "outputs", "gradients", "maxout"):
        for suffix in ("png", "svg", "pdf"):
            assert (own_run / "figures" / f"{name}.{suffix}").stat().st_size > 1000
    assert not (own_run / "figures" / "samples.svg").exists()
    status, _, err = call(capsys, "report", str(own_run), "--figures", "jpg")
    assert status == 2
    assert "svg" in err


def test_report_measures_what_it_shows_once(
    capsys, few_samples: None, blank_charts: None, own_run: Path
) -> None:
    page = f"--out={own_run / 'page.html'}"
    assert call(capsys, "report", str(own_run), page)[2] == ""
    (row,) = Run.open(own_run).metrics
    assert row["step"] == Run.open(own_run).checkpoint_steps[-1]
    fid = next(name for name in row["metrics"] if name.startswith("fid_digits"))
    assert fid in Run.open(own_run).real_scores
    assert "coverage 0." in (own_run / "page.html").read_text()
    call(capsys, "report", str(own_run), page)
    assert len(Run.open(own_run).metrics) == 1


def test_report_says_why_it_does_not_measure(capsys, blank_charts: None, own_run: Path) -> None:
    status, _, err = call(capsys, "report", str(own_run))
    assert status == 0
    assert err == (
        f"{own_run.name} is not measured: digits has no classifier yet; `counterfeit evaluate"
        f" {own_run}` trains it once, in some minutes.\n"
    )
    assert not Run.open(own_run).metrics


def test_report_measures_no_run_that_takes_no_files(
    capsys, few_samples: None, blank_charts: None, read_only: Path, tmp_path: Path
) -> None:
    status, _, err = call(capsys, "report", str(read_only), f"--out={tmp_path / 'page.html'}")
    assert status == 0
    assert err == f"{read_only.name} is not measured: {read_only} cannot be written.\n"


@pytest.fixture(scope="session")
def told_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose networks are told classes."""
    out = tmp_path_factory.mktemp("runs")
    cli.main(
        ["train", "batchnorm-smoothing", *TINY, "--set=condition.generator=concat", f"--out={out}"]
    )
    (path,) = out.iterdir()
    return path


@pytest.mark.parametrize(
    ("wanted", "count", "labels", "size"),
    [
        ("7", "20", [7] * 20, (10, 2)),
        ("all", "100", [i // 10 for i in range(100)], (10, 10)),
        ("3,5", "6", [3, 3, 3, 5, 5, 5], (3, 2)),
        ("1, 2,4", "4", [1, 1, 2, 2, 4, 4], (2, 3)),
    ],
)
def test_classes_are_drawn_in_rows(
    capsys, told_path: Path, tmp_path, wanted: str, count: str, labels: list[int], size
) -> None:
    for suffix in ("npz", "png"):
        target = tmp_path / f"x.{suffix}"
        asked = (f"--class={wanted}", f"--count={count}", f"--out={target}")
        assert call(capsys, "sample", str(told_path), *asked) == (0, f"{target}\n", "")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        assert archive["labels"].tolist() == labels
        assert archive["labels"].dtype == np.int64
        assert len(archive["images"]) == len(labels)
    with Image.open(tmp_path / "x.png") as picture:
        cell = picture.width // size[0]
        assert picture.size == (size[0] * cell, size[1] * cell)


def test_samples_of_no_class_in_particular_say_theirs(capsys, told_path: Path, tmp_path) -> None:
    call(capsys, "sample", str(told_path), "-n=50", f"--out={tmp_path / 'x.npz'}")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        assert len(set(archive["labels"].tolist())) > 5


def test_a_grid_of_a_class_has_a_name_of_its_own(capsys, told_path: Path) -> None:
    _, out, _ = call(capsys, "sample", str(told_path), "--class=3,5")
    assert Path(out.strip()).name == "samples-100-class-3-5.png"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--class=7", "is not conditional: its networks are told no class; `counterfeit train"),
        ("--code=1", "has no categorical code in its latents; `counterfeit train infogan` makes"),
    ],
)
def test_a_run_that_is_told_nothing_says_which_recipe_is(
    capsys, run_path: Path, option: str, words: str
) -> None:
    status, out, err = call(capsys, "sample", str(run_path), option)
    assert (status, out) == (2, "")
    assert words in " ".join(err.split())


def test_a_class_that_there_is_not(capsys, told_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, _, err = call(capsys, "sample", str(told_path), "--class=3,12")
    assert status == 2
    assert "there is no class '12'; there are: 0, 1, 2" in " ".join(err.split())
    assert all(len(line) <= 80 for line in err.splitlines())
