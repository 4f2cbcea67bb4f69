"""Text is broken between words, at a terminal's width; commands stay whole; colours are asked."""

import io
import os
import pty
from collections.abc import Iterator
from typing import IO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from counterfeit.terminal import columns, fill, say

WORDS = st.text("ab,.-`가— ", max_size=200)


@given(WORDS, st.integers(1, 60))
@example("```` `", 5)
def test_lines_are_as_wide_as_asked_and_no_word_is_broken(text: str, width: int) -> None:
    lines = fill(text, width, rest="  ").split("\n")
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    for line in lines:
        assert cell_len(line) <= width or len(line.split()) == 1


def test_a_command_is_broken_only_where_it_is_wider_than_a_line() -> None:
    text = "Go back to it (`counterfeit sample RUN --epoch 20`), or --set training.epochs=20, then."
    assert fill(text, 40, rest="  ").split("\n") == [
        "Go back to it",
        "  (`counterfeit sample RUN --epoch 20`),",
        "  or --set training.epochs=20, then.",
    ]
    assert max(map(len, fill(text, 24, rest="  ").split("\n"))) <= 24


def test_without_a_width_a_paragraph_is_one_line() -> None:
    text = "word " * 100
    assert fill(text, None, first="- ") == f"- {text}"


@pytest.fixture
def terminal() -> Iterator[IO[str]]:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb", buffering=0) as screen:
        stream.screen = screen  # type: ignore[attr-defined]
        yield stream


END = "\0"


def printed(terminal: IO[str], text: str) -> str:
    say(text, terminal)
    print(end=END, file=terminal, flush=True)
    shown = ""
    while not shown.endswith(END):  # a terminal may hand over its lines one by one
        shown += os.read(terminal.screen.fileno(), 10_000).decode()  # type: ignore[attr-defined]
    return shown.removesuffix(END).replace("\r\n", "\n")


def test_the_width_is_that_of_the_streams_own_terminal(
    terminal: IO[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl
    import struct
    import termios

    monkeypatch.delenv("COLUMNS", raising=False)
    assert columns(terminal) == 80  # it does not know
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 61, 0, 0))
    assert columns(terminal) == 61
    monkeypatch.setenv("COLUMNS", "100")
    assert columns(terminal) == 100
    assert columns(io.StringIO()) is None


def test_severities_have_colours_where_they_are_wanted(
    terminal: IO[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "CRITICAL  mode-collapse\nno critical word"
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert printed(terminal, text).startswith("\x1b[1;31mCRITICAL\x1b[0m  mode-collapse\nno crit")
    assert "\x1b[32mHealthy\x1b[0m, after" in printed(terminal, "a-run: Healthy, after 2 epochs: x")
    monkeypatch.setenv("TERM", "dumb")
    assert printed(terminal, text) == f"{text}\n"
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31" not in printed(terminal, text)
    file = io.StringIO()
    say(text, file)
    assert file.getvalue() == f"{text}\n"
