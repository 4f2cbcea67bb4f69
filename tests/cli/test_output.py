"""Where results go: what cannot be written is said before the work, or costs none of it."""

import shlex
from pathlib import Path

import pytest
from command import TINY, call

from counterfeit import cli
from counterfeit.cli.output import writable
from counterfeit.errors import CannotWrite, UsageError
from counterfeit.run import Run


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (["diagnose", "{run}"], "Too early to judge"),
        (["sample", "{run}", "-n=9", "--out={tmp}/x.npz"], "{tmp}/x.npz"),
        (["train", "--resume={run}", "--fork", "--out={tmp}/runs", "-q"], "{tmp}/runs/"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_run_that_is_read_only_can_be_read(
    capsys, tmp_path: Path, read_only: Path, arguments: list[str], last: str
) -> None:
    filled = [argument.format(tmp=tmp_path, run=read_only) for argument in arguments]
    status, out, err = call(capsys, *filled)
    assert (status, err) == (0, "")
    assert last.format(tmp=tmp_path) in out.splitlines()[-1]


def test_the_page_of_a_read_only_run_lacks_nothing(capsys, tmp_path, read_only, run_path) -> None:
    pages = [tmp_path / "own.html", tmp_path / "read-only.html"]
    for run, page in zip((run_path, read_only), pages, strict=True):
        assert call(capsys, "report", str(run), f"--out={page}")[0] == 0
    images = [page.read_text().count("data:image/") for page in pages]
    assert images[0] == images[1] > 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sample", "{run}"], "--out"),
        (["report", "{run}"], "--out"),
        (["train", "--resume={run}", "--epochs=2"], "cannot write"),
        (["train", "sgd", *TINY, "--out={run}"], "choose another folder with --out"),
        (["reproduce", "--out={run}"], "--out"),
        (["data", "digits", "--preview={run}/preview.png"], "--preview"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_needs_a_writable_folder_says_so_first(
    capsys,
    monkeypatch: pytest.MonkeyPatch,
    read_only: Path,
    arguments: list[str],
    words: str,
) -> None:
    def work(*given: object, **named: object) -> None:
        raise AssertionError("the work was begun")

    monkeypatch.setattr(Run, "sample", work)
    monkeypatch.setattr("counterfeit.insight.report.page.diagnose", work)
    monkeypatch.setattr("counterfeit.reproduce.reproduce_article", work)
    monkeypatch.setattr("counterfeit.data.preview", work)
    status, out, err = call(capsys, *(argument.format(run=read_only) for argument in arguments))
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert words in err


def test_a_measurement_that_cannot_be_kept_is_shown(
    capsys, quick_classifier: None, read_only: Path
) -> None:
    status, out, err = call(capsys, "evaluate", str(read_only), "--samples=200", "--quiet")
    assert status == 1
    _, verdict, *table = out.splitlines()
    assert "coverage 0." in verdict
    assert any(line.split()[:1] == ["FID"] for line in table)
    assert len(err.splitlines()) == 1
    assert "metrics.jsonl" in err


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file in it"):
        writable(tmp_path)


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="too long; name another place with --out"):
        writable(tmp_path / ("x" * 300) / "x.png")


NEXT = {
    ("recipes",): "counterfeit train batchnorm-smoothing",
    ("recipes", "sgd"): "counterfeit train sgd",
    ("data", "digits"): "counterfeit train batchnorm-smoothing --data digits",
    ("train", "sgd", "--dry-run"): "the same without --dry-run",
    ("train", "sgd", *TINY[:-1], "--out={out}"): "counterfeit evaluate {out}/",
    ("evaluate", "{run}", "--samples=40"): "counterfeit report {run}",
    ("diagnose", "{run}"): "counterfeit report {run}",
    ("sample", "{run}"): "counterfeit evaluate {run}",
    ("report", "{run}"): "open it in a browser",
    ("reproduce", "--out={out}"): "open it in a browser",
}


@pytest.mark.parametrize("words", NEXT, ids=lambda words: " ".join(words[:2]))
def test_a_command_ends_with_what_to_do_next_unless_it_is_quiet(
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    own_run: Path,
    tmp_path: Path,
    quick_classifier: None,
    blank_charts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "counterfeit.reproduce.reproduce_article", lambda folder, **options: folder / "report.html"
    )
    places = {"run": own_run, "out": tmp_path / "it's out"}
    line = [word.format(**places) for word in words]
    for quiet in (False, True):
        cli.main([*line, "--quiet"] if quiet else line)
        last = capsys.readouterr().err.splitlines()[-1:]
        if quiet:
            assert last == []
        else:
            (said,) = last
            then = NEXT[words].format(run=own_run, out=places["out"])
            assert shlex.split(said)[0] == "next:"
            assert " ".join(shlex.split(said)[1:]).startswith(then)
