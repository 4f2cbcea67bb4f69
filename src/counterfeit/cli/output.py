"""Where a command's result goes, checked before the work that ends in it; and what to do then."""

import logging
import os
import shlex
import sys
from pathlib import Path

from counterfeit.errors import CannotWrite, UsageError
from counterfeit.language import tr
from counterfeit.terminal import columns, fill


def writable(path: Path, *suffixes: str, option: str = "--out") -> Path:
    """The path, its folder made and found to take files.

    Raises:
        UsageError: it is no name for a file, or its suffix is none of those.
        CannotWrite: the folder cannot be made, or is read-only.
    """
    if suffixes and path.suffix not in suffixes:
        raise UsageError(f"cannot write {path}: its name must end in {' or '.join(suffixes)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a folder; name a file in it.")
    except OSError as error:
        raise CannotWrite(
            f"cannot write {path}: {error.strerror}; name another place with {option}."
        ) from None
    except ValueError as error:  # a NUL
        raise UsageError(f"cannot write {path}: {error}.") from None
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CannotWrite(
            f"cannot write {path}: its folder is read-only; name another place with {option}."
        )
    return path


def suggest(*command: object, quiet: bool = False) -> None:
    """What to go on with: a command on a line of its own, to be copied; see `suggest_to`."""
    suggest_to(shlex.join(map(str, command)), quiet=quiet)


def suggest_to(act: str, *, quiet: bool = False) -> None:
    """One line on stderr that says what to do next, below the result.

    Nothing where the command was asked to be quiet.
    """
    sys.stdout.flush()
    if not quiet:
        print(tr("next: {act}", act=act), file=sys.stderr)


def tell(line: str, *, rest: str = "  ") -> None:
    """A line on stderr, or as many as it takes there, of which the others begin with `rest`."""
    print(fill(line, columns(sys.stderr), rest=rest), file=sys.stderr)


class Warnings(logging.Handler):
    """Tells what the package warns of while a command goes on."""

    def emit(self, record: logging.LogRecord) -> None:
        tell(record.getMessage())
