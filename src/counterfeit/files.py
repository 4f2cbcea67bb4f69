"""Files that are whole or absent, and rows of JSON that are only ever added to."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from counterfeit.errors import CounterfeitError

Row = dict[str, Any]
"""One line of a .jsonl file."""


def write_whole(path: Path, content: bytes) -> None:
    """Write under a temporary name, flush to the disk, and rename: never half a file.

    Raises:
        CounterfeitError: the folder is missing, read-only or full.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CounterfeitError(f"cannot write {path}: {error.strerror}.") from None


def append_row(path: Path, row: Row) -> None:
    """Add one line to a .jsonl file."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    except OSError as error:
        raise CounterfeitError(f"cannot write {path}: {error.strerror}.") from None


def read_rows(path: Path) -> list[Row]:
    """The lines of a .jsonl file; none when it is absent. A line cut short at the end is left out.

    Raises:
        CounterfeitError: a line that is not JSON stands before others.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            if number == len(lines):
                break
            raise CounterfeitError(f"{path}, line {number} is not JSON.") from None
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Replace a .jsonl file."""
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows).encode())
