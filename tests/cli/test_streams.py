"""Streams that are closed, full or unread, for every command: done work is never lost to them."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import TINY

from counterfeit import cli
from counterfeit.run import Run

LINES = {
    "help": ["--help"],
    "recipes": ["recipes"],
    "recipe": ["recipes", "sgd"],
    "data": ["data", "digits"],
    "preview": ["data", "digits", "--preview={tmp}/preview.png"],
    "dry-run": ["train", "sgd", "--dry-run"],
    "train": ["train", "sgd", *TINY, "--out={tmp}/runs"],
    "evaluate": ["evaluate", "{run}", "--samples=40"],
    "diagnose": ["diagnose", "{run}"],
    "sample": ["sample", "{run}"],
    "report": ["report", "{run}"],
    "reproduce": ["reproduce", "--out={tmp}/runs"],
}

every_command = pytest.mark.parametrize("name", LINES)


@pytest.fixture(autouse=True)
def quickly(quick_classifier: None, blank_charts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "counterfeit.reproduce.reproduce_article", lambda folder, **options: folder / "report.html"
    )


def status_of(arguments: list[str], **streams: object) -> int:
    """The exit status of a command run in this process with other streams."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, streams[name])
        try:
            cli.main(arguments)
        except SystemExit as exit_:
            return int(exit_.code or 0)
    return 0


@pytest.fixture
def line(name: str, tmp_path: Path, own_run: Path) -> list[str]:
    return [argument.format(tmp=tmp_path, run=own_run) for argument in LINES[name]]


@pytest.fixture
def full() -> io.TextIOWrapper:
    """A file on a disk that is full."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    return io.TextIOWrapper(io.FileIO(os.open("/dev/full", os.O_WRONLY), "w"), write_through=True)


@every_command
def test_a_closed_stdout_is_no_failure(name: str, line: list[str]) -> None:
    heard = io.StringIO()
    quietly = [] if name in ("help", "train") else ["--quiet"]
    assert status_of([*line, *quietly], stdout=None, stderr=heard) == 0
    assert heard.getvalue() == ""


@every_command
def test_no_one_listens_on_stderr(line: list[str], full: io.TextIOWrapper) -> None:
    answer = io.StringIO()
    assert status_of(line, stdout=answer, stderr=full) == 0
    assert answer.getvalue()


@every_command
def test_a_full_disk_behind_stdout_fails_in_one_line(
    name: str, line: list[str], full: io.TextIOWrapper
) -> None:
    heard = io.StringIO()
    assert status_of(line, stdout=full, stderr=heard) == 1
    (said,) = heard.getvalue().splitlines()
    assert said.startswith("counterfeit: cannot write to stdout: No space left on device")
    if name == "train":  # what was done is there, and is named
        assert Run.open(said.rpartition(": ")[-1]).log[-1]["epoch"] == 1
    if name == "evaluate":
        run = Run.open(line[1])
        assert run.metrics
        assert run.real_scores


def test_errors_keep_to_their_stream_and_their_status(full: io.TextIOWrapper) -> None:
    for stderr in (None, full):
        answer = io.StringIO()
        assert status_of(["train", "unknown"], stdout=answer, stderr=stderr) == 2
        assert answer.getvalue() == ""


@pytest.mark.parametrize("arguments", [["recipes", "sgd", "-q"], ["--help"]])
def test_a_reader_that_stops_early_is_no_error(arguments: list[str]) -> None:
    command = f"{sys.executable} -m counterfeit {' '.join(arguments)} | true"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_process_whose_streams_are_closed_trains(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "counterfeit", "train", "sgd", *TINY, f"--out={tmp_path}"]
    command = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(["bash", "-c", f"{command} <&- >&- 2>&-"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    (path,) = tmp_path.iterdir()
    assert Run.open(path).checkpoint().epoch == 1
