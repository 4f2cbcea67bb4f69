"""Text for people: broken between words at a terminal's width, in colour where there is any.

In a file or a pipe a paragraph is one line, so that what is searched for stands whole and nothing
depends on the window that a command was started in; tables are as for 80 columns.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from rich.cells import cell_len

from counterfeit.language import english, translated

if TYPE_CHECKING:
    from rich.text import Text

TABLE_WIDTH = 80
"""Of tables where there is no terminal, or one that does not know its width."""

SEVERITIES = {
    english("critical"): "bold red",
    english("warning"): "yellow",
    english("note"): "cyan",
}
OPENINGS = {
    english("Failing"): "bold red",
    english("Take care"): "yellow",
    english("Healthy"): "green",
    english("Recovered"): "green",
}
"""The styles of a finding's severity, and of what a verdict opens with."""

_COMMAND = re.compile(r"`[^`]+`|--set \S+")
"""A command, or an option with its value: they are to be copied."""

_HELD = "\ue000"
"""Stands for a space that no line ends at."""


def columns(stream: IO[str]) -> int | None:
    """The width of the terminal that a stream goes to, as $COLUMNS or the terminal says.

    None where it goes to no terminal.
    """
    if not stream.isatty():
        return None
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or TABLE_WIDTH
    except (OSError, ValueError):
        return TABLE_WIDTH


def fill(text: str, width: int | None, *, first: str = "", rest: str = "") -> str:
    """A paragraph in lines of `width` columns, the words of a command on one where they fit.

    A word that is longer than a line stays whole.

    Args:
        width: None for one line.
        first, rest: what the first line begins with, and the others.
    """
    if width is None:
        return first + text
    lines, line, empty = [], first, True
    for word in _words(text, width - cell_len(rest)):
        longer = line + word if empty else f"{line} {word}"
        if empty or cell_len(longer) <= width:
            line, empty = longer, False
        else:
            lines.append(line)
            line = rest + word
    return "\n".join([*lines, line])


def _words(text: str, room: int) -> list[str]:
    """What may not be broken: words, and commands that fit, with what they touch, in the room."""
    held = _COMMAND.sub(lambda found: found[0].replace(" ", _HELD), text)
    wholes = [word.replace(_HELD, " ") for word in held.split()]
    return [
        word for whole in wholes for word in ([whole] if cell_len(whole) <= room else whole.split())
    ]


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Text filled up to a width in columns, of which a Hangul letter takes two."""
    spaces = " " * (width - cell_len(text))
    return spaces + text if right else text + spaces


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table's rows as lines: the first column to the left, the others to the right."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(pad(cell, widths[n], right=n > 0) for n, cell in enumerate(row)).rstrip()
        for row in rows
    ]


def say(text: str, stream: IO[str] | None = None) -> None:
    """Print lines, on stdout by default; severities and verdicts in their colours.

    No colours where $NO_COLOR or $TERM says so, or where there is no terminal.
    """
    stream = stream or sys.stdout
    if not stream.isatty():
        print(text, file=stream)
        return
    from rich.console import Console

    Console(file=stream).print(styled(text), soft_wrap=True)


def styled(text: str) -> "Text":
    """The text with its severities and verdicts in their colours."""
    from rich.text import Text

    coloured = Text(text)
    for severity, style in SEVERITIES.items():
        said = translated(severity)
        coloured.highlight_regex(rf"(?m)^{said.upper()}\b|^{said}(?=:)", style)
    for opening, style in OPENINGS.items():
        coloured.highlight_regex(rf"(?m)(?:^|(?<=: )){translated(opening)}(?=[,:(])", style)
    return coloured
