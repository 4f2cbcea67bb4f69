"""Rows of a file that grows: read as far as they are new, and thinned to what a chart can show."""

import os
import sys
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

import numpy as np

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row, row_of
from counterfeit.insight.charts.grids import evenly
from counterfeit.insight.columns import column, epoch_ends

MOST = 2_000
"""Rows that are kept of a file: five times what a line of a chart shows."""

WHOLE = 8_000_000
"""Bytes that are read in full when a file is first looked at, some 15,000 rows; of a longer one,
rows in as many places as are kept."""

NEWEST = 64_000
"""Bytes at a long file's end that are read in full."""


class Tail:
    """The rows of a .jsonl file, at most `MOST` of them: the ends of epochs before others, the rest
    evenly, and the newest always.

    A file that was replaced or cut is read again from its start; a last line without an end is left
    until it has one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.forget()

    def forget(self) -> None:
        """Keep nothing, and begin anew at the next look."""
        self.rows: list[Row] = []
        self.total = 0
        """Rows in the file; of one that was not read in full, about so many."""
        self.is_thinned = False
        self._end = 0
        self._file: int | None = None

    def look(self) -> bool:
        """Read what is new; whether there was anything.

        Raises:
            CounterfeitError: a line that has an end is no row, or rows are out of order.
        """
        try:
            with self.path.open("rb") as file:
                return self._read(file)
        except FileNotFoundError:
            had = bool(self.rows)
            self.forget()
            return had
        except OSError as error:
            raise CounterfeitError(f"cannot read {self.path}: {error.strerror}.") from None

    def _read(self, file: BufferedReader) -> bool:
        status = os.fstat(file.fileno())
        replaced = status.st_ino != self._file or status.st_size < self._end
        if replaced and self._file is not None:
            self.forget()
        self._file = status.st_ino
        if status.st_size == self._end:
            return replaced
        if not self._end and status.st_size > WHOLE:
            self._sample(file, status.st_size)
        file.seek(self._end)
        content = file.read(status.st_size - self._end)
        whole = content.rfind(b"\n") + 1
        for line in content[:whole].splitlines():
            self._add(line)
        self._end += whole
        return bool(whole)

    def _sample(self, file: BufferedReader, size: int) -> None:
        """Rows at even distances in a long file, up to its end, which is left to be read."""
        end, read = size - NEWEST, 0
        for place in np.linspace(0, end, MOST // 2, dtype=np.int64):
            file.seek(place)
            if place:
                file.readline()  # the rest of a line
            if file.tell() >= end:
                break
            line = file.readline()
            self._add(line)
            read += len(line)
        self._end = file.tell()
        self.is_thinned = True
        self.total = round(self.total * self._end / max(1, read))

    def _add(self, line: bytes) -> None:
        if (row := row_of(line)) is None:
            raise CounterfeitError(f"{self.path} is damaged: after row {self.total} comes no row.")
        self.rows.append({sys.intern(key): value for key, value in row.items()})
        self.total += 1
        if len(self.rows) > MOST:
            self.rows = thinned(self.rows, MOST // 2)
            self.is_thinned = True


def thinned(rows: Sequence[Row], most: int) -> list[Row]:
    """At most so many of the rows: half of them ends of epochs, the others evenly over the steps,
    the first and the last among them."""
    steps = column(rows, "step")
    wanted = np.linspace(steps[0], steps[-1], most - most // 2)
    kept = {*evenly(epoch_ends(rows).tolist(), most // 2), *np.searchsorted(steps, wanted).tolist()}
    return [rows[index] for index in sorted(kept)]
