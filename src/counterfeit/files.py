"""Files that are whole or absent, and rows of JSON that are only ever added to."""

import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from counterfeit.errors import CannotWrite, CounterfeitError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Row = dict[str, Any]
"""One line of a .jsonl file, as it was read."""

GLANCE_SECONDS = 0.05
"""Longer than `is_locked` takes, which has the lock for as long."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals into errors for the user.

    Raises:
        CannotWrite: the folder is missing, read-only or full.
    """
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}.") from None


def write_whole(path: Path, content: bytes) -> None:
    """Write under a temporary name, flush to the disk, and rename: never half a file.

    Raises:
        CannotWrite: the folder is missing, read-only or full.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with writing(path):
        try:
            with temporary.open("wb", buffering=0) as file:
                _write(file, content)
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
    sync_folder(path.parent)


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Add one line to a .jsonl file, whole or not at all; a torn last line is cut off.

    Raises:
        CannotWrite: the folder is missing, read-only or full.
    """
    line = (_as_json(row) + "\n").encode()
    with writing(path), path.open("a+b", buffering=0) as file:
        lock(file)
        end = _cut_torn_line(file)
        try:
            _write(file, line)
        except OSError:
            os.ftruncate(file.fileno(), end)
            raise


def sync(path: Path) -> None:
    """Flush a file's content to the disk, if there is such a file."""
    with writing(path), suppress(FileNotFoundError), path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock that the file at `path` is, which is made where it is missing.

    Raises:
        CounterfeitError: another process holds it, which `busy` says; or it cannot be written.
    """
    with writing(path):
        path.touch()
        file = path.open("r+b", buffering=0)  # NFS gives a reader no lock that excludes others
    with file:
        if not lock(file, wait=False):
            time.sleep(GLANCE_SECONDS)
            if not lock(file, wait=False):
                raise CounterfeitError(busy)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock that the file at `path` is, as far as locks tell."""
    try:
        with path.open("rb", buffering=0) as file:
            return not lock(file, wait=False, shared=True)
    except OSError:
        return False


def lock(file: FileIO, *, wait: bool = True, shared: bool = False) -> bool:
    """Lock an open file until it is closed or the process ends, however it ends.

    Where the system has no such locks (Windows, some network file systems) nothing is locked.

    Args:
        shared: with others who share it, and with none who does not.

    Returns:
        False when another has it, and `wait` is off.
    """
    if fcntl is not None:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
    return True


def rename_to_free(path: Path, wanted: Path) -> Path:
    """Rename a file or a folder to the wanted name, or to that with a number, if others have it."""
    target, again = wanted, 1
    while True:
        try:
            return path.rename(target)
        except OSError:
            if not target.exists():
                raise
        again += 1
        target = wanted.with_name(f"{wanted.name}-{again}")


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
        if (row := row_of(line)) is not None:
            rows.append(row)
        elif number < len(lines):
            raise CounterfeitError(f"{path} is damaged: line {number} is no row.")
    return rows


def row_of(line: bytes) -> Row | None:
    """The row on a line of a .jsonl file; None where it is none, or torn."""
    try:
        row: Row = json.loads(line)
        sound = (
            type(row["step"]) is int
            and type(row["epoch"]) in (int, float)
            and min(row["step"], row["epoch"]) >= 0
            and _is_sound(row)
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return row if sound else None


def _is_sound(value: Any) -> bool:
    """Whether all numbers in a value of JSON are within float32, which they were measured in."""
    if isinstance(value, dict):
        return all(map(_is_sound, value.values()))
    if isinstance(value, list):
        return all(map(_is_sound, value))
    return not isinstance(value, int | float) or abs(value) < 3.5e38


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace the rows of a .jsonl file; one that has just these is left alone."""
    content = "".join(_as_json(row) + "\n" for row in rows).encode()
    with writing(path):
        if content != (path.read_bytes() if path.exists() else b""):
            write_whole(path, content)


def _write(file: FileIO, content: bytes) -> None:
    """All of it: the system may take less at a time."""
    left = memoryview(content)
    while left:
        left = left[os.write(file.fileno(), left) :]


def _cut_torn_line(file: FileIO) -> int:
    """The file's size, once a torn last line is cut off."""
    end = file.seek(0, os.SEEK_END)
    if end:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            end = file.read().rfind(b"\n") + 1
            os.ftruncate(file.fileno(), end)
    return end


def _as_json(row: Mapping[str, Any]) -> str:
    """The row on one line; NaN and infinity, which JSON does not have, become null."""
    return json.dumps({key: finite(value) for key, value in row.items()}, allow_nan=False)


def finite(value: Any) -> Any:
    """A value of JSON with null for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
