"""Files that are whole or absent, and rows of JSON that are only ever added to."""

import json
import math
import os
from collections.abc import Iterable
from contextlib import suppress
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
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise CounterfeitError(f"cannot write {path}: {error.strerror}.") from None


def append_row(path: Path, row: Row) -> None:
    """Add one line to a .jsonl file."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_as_json(row) + "\n")
    except OSError as error:
        raise CounterfeitError(f"cannot write {path}: {error.strerror}.") from None


def read_rows(path: Path) -> list[Row]:
    """The rows of a run's .jsonl file; none when it is absent. A torn last line is left out.

    Raises:
        CounterfeitError: another line is no JSON object with a whole `step` and an `epoch`, or
            holds a number beyond float32's; or the file cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CounterfeitError(f"cannot read {path}: {error.strerror}.") from None
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            sound = (
                type(row["step"]) is int
                and type(row["epoch"]) in (int, float)
                and min(row["step"], row["epoch"]) >= 0
                and _is_sound(row)
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            sound = False
        if sound:
            rows.append(row)
        elif number < len(lines):
            raise CounterfeitError(f"{path} is damaged: line {number} is no row.")
    return rows


def _is_sound(value: Any) -> bool:
    """Whether all numbers in a value of JSON are within float32, which they were measured in."""
    if isinstance(value, dict):
        return all(map(_is_sound, value.values()))
    if isinstance(value, list):
        return all(map(_is_sound, value))
    return not isinstance(value, int | float) or abs(value) < 3.5e38


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Replace a .jsonl file."""
    write_whole(path, "".join(_as_json(row) + "\n" for row in rows).encode())


def _as_json(row: Row) -> str:
    """The row on one line; NaN and infinity, which JSON does not have, become null."""
    return json.dumps({key: _finite(value) for key, value in row.items()}, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
