"""Files are whole or absent; rows survive a torn last line."""

import json
import os

import pytest

from counterfeit.errors import CounterfeitError
from counterfeit.files import append_row, read_rows, write_rows, write_whole


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CounterfeitError, match="No space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path) -> None:
    with pytest.raises(CounterfeitError, match="absent"):
        write_whole(tmp_path / "absent" / "file", b"")


def test_rows_round_trip_and_a_torn_last_line_is_left_out(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    assert read_rows(path) == []
    write_rows(path, [{"step": 1}])
    append_row(path, {"step": 2})
    path.write_text(path.read_text() + json.dumps({"step": 3})[:5])
    assert read_rows(path) == [{"step": 1}, {"step": 2}]


def test_a_broken_line_among_others_is_an_error(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"st\n{"step": 3}\n')
    with pytest.raises(CounterfeitError, match="line 2"):
        read_rows(path)
