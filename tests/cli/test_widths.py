"""What every command shows in terminals of several widths: no line is longer, no word is broken."""

import os
import pty
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from command import TINY, call
from rich.cells import cell_len
from rich.console import Console

from counterfeit import cli
from counterfeit.cli.app import app
from counterfeit.run import Run
from counterfeit.run.findings import Finding

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

FINDING = Finding(
    "mode-collapse", "critical", 1, 22, 0.5, 1.0, {"spread": 0.0007, "figure": "latents"},
    "All hundred latents give about the same image, whatever else the numbers say of them.",
    "Go back: `counterfeit sample RUN --epoch 20` draws from the best checkpoint; then start again"
    " with half the learning rate, --set generator.optimizer.lr=0.0001, or with more noise.",
    "Goodfellow et al. 2014, section 6, and https://example.org/a/very/long/address#of-a-list",
    lasts=True,
)  # fmt: skip

COMMANDS = {
    "help": ["--help"],
    "train-help": ["train", "--help"],
    "recipes": ["recipes"],
    "data": ["data", "digits"],
    "train": ["train", "sgd", *TINY[:-1], "--evaluate-every=1", "--out={tmp}/runs"],
    "evaluate": ["evaluate", "{run}", "--samples=60"],
    "diagnose": ["diagnose", "{run}"],
    "damaged": ["train", "--resume={damaged}"],
    "sample": ["sample", "{run}", "-n=9"],
    "wrong-option": ["train", "sgd", "--lr=1"],
    "wrong-recipe": ["train", "sgd", "--set=training.epochs=many", "--set=generator.hidden=7"],
    "no-run": ["diagnose", "{tmp}"],
}


@pytest.fixture(autouse=True)
def quickly(quick_classifier: None) -> None:
    """Evaluations are quick."""


@pytest.fixture(scope="module")
def failing(run_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with something to say about it."""
    path = tmp_path_factory.mktemp("x") / "failing"
    shutil.copytree(run_path, path)
    Run.open(path).append_finding(FINDING.as_row(22, 1.0) | {"name": "made-for-this-test"})
    return path


@pytest.fixture
def damaged(run_path: Path, tmp_path: Path) -> Path:
    """A run whose checkpoint is no checkpoint: that is logged, and told."""
    path = Path(shutil.copytree(run_path, tmp_path / "damaged"))
    (weights,) = (path / "checkpoints").glob("*.safetensors")
    weights.write_bytes(b"no tensors")
    return path


def shown(arguments: list[str], width: int) -> list[str]:
    """The lines of stdout and stderr on a terminal of that width, control sequences left out."""
    ours, theirs = pty.openpty()
    read: list[bytes] = []

    def listen() -> None:
        try:
            while part := os.read(ours, 65536):
                read.append(part)
        except OSError:  # the other end is closed
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(theirs, "w", buffering=1) as screen:
        patch.setenv("COLUMNS", str(width))
        patch.setenv("TERM", "xterm-256color")
        patch.delenv("NO_COLOR", raising=False)
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, screen)
        app.console = Console()  # not the one of the first help of this process
        with suppress(SystemExit):
            cli.main(arguments)
        app.console = None
        screen.flush()
    listener.join()
    os.close(ours)
    return re.split(r"[\r\n]+", CONTROL.sub("", b"".join(read).decode()).strip())


def too_long(lines: list[str], width: int) -> Iterator[str]:
    """Lines that are longer, but for a word, or a command to be copied."""
    for line in lines:
        whole = line.startswith(("next: ", "다음: ")) or len(line.split()) == 1
        if cell_len(line.rstrip()) > width and not whole:
            yield line


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_longer_than_the_terminal_is_wide(
    name: str, width: int, failing: Path, damaged: Path, tmp_path: Path
) -> None:
    places = {"run": failing, "damaged": damaged, "tmp": tmp_path}
    lines = shown([word.format(**places) for word in COMMANDS[name]], width)
    assert any(len(line) > width / 2 for line in lines)
    assert list(too_long(lines, width)) == []
    assert ("It is set aside in" in " ".join(lines)) == (name == "damaged")


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("name", ["train", "evaluate", "diagnose"])
def test_korean_takes_two_columns_a_letter(
    name: str, width: int, failing: Path, tmp_path: Path
) -> None:
    arguments = [word.format(run=failing, tmp=tmp_path) for word in COMMANDS[name]]
    lines = shown([*arguments, "--lang=ko"], width)
    assert any(cell_len(line) > width * 0.8 for line in lines)
    assert list(too_long(lines, width)) == []
    if name != "train":
        assert any("실패" in line for line in lines)
        assert lines[-1].startswith("다음: counterfeit report ")


@pytest.mark.parametrize("name", ["recipes", "data", "diagnose", "wrong-option", "wrong-recipe"])
def test_the_words_are_those_of_a_pipe_where_a_paragraph_is_one_line(
    name: str, failing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [word.format(run=failing, tmp=tmp_path) for word in COMMANDS[name]]
    _, out, err = call(capsys, *arguments, "--quiet")
    on_screen = shown([*arguments, "--quiet"], 60)
    assert " ".join(on_screen).split() == (out + err).split()
    assert len(on_screen) > len((out + err).splitlines())
    if name == "diagnose":
        said = [line.strip() for line in on_screen]
        assert any("`counterfeit sample RUN --epoch 20`" in line for line in said)
        assert any("--set generator.optimizer.lr=0.0001," in line for line in said)
