"""Files are whole or absent; rows survive a torn last line."""

import errno
import fcntl
import json
import os

import pytest

from counterfeit.errors import CounterfeitError
from counterfeit.files import append_row, lock, locked, read_rows, write_rows, write_whole


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


def row(step: int, **more: object) -> dict[str, object]:
    return {"step": step, "epoch": step / 10, **more}


def test_rows_round_trip_and_a_torn_last_line_is_left_out(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    assert read_rows(path) == []
    write_rows(path, [row(1)])
    append_row(path, row(2))
    path.write_text(path.read_text() + json.dumps(row(3))[:5])
    assert read_rows(path) == [row(1), row(2)]


def test_what_is_not_finite_becomes_null(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    append_row(path, row(1, d_loss=float("nan"), metrics={"fid": [float("inf"), 0.5]}))
    assert read_rows(path) == [row(1, d_loss=None, metrics={"fid": [None, 0.5]})]


BROKEN = [
    *(b'{"st', b"{}", b"3", b"\xff\xfe", b'{"step": 1}', b"", b"[" * 100_000),
    *(b'{"step": "1", "epoch": 1}', b'{"step": 1.5, "epoch": 1}', b'{"step": true, "epoch": 1}'),
    *(b'{"step": -1, "epoch": 1}', b'{"step": 1, "epoch": NaN}', b'{"step": 1, "epoch": "1"}'),
    *(b'{"step": 1, "epoch": 1e999}', b'{"step": 1, "epoch": 1, "x": {"y": [1e39, 0]}}'),
    b'{"step": 1, "epoch": 1, "x": ' + b"9" * 400 + b"}",
]


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: line[:40])
def test_a_broken_line_among_others_is_an_error(tmp_path, line: bytes) -> None:
    path = tmp_path / "log.jsonl"
    whole = json.dumps(row(1)).encode()
    path.write_bytes(b"\n".join([whole, line, whole, b""]))
    with pytest.raises(CounterfeitError, match="line 2"):
        read_rows(path)


@pytest.mark.parametrize("torn", [b'{"step": 2, "ep', b"{", b"\xff"])
def test_a_row_after_a_torn_line_takes_its_place(tmp_path, torn: bytes) -> None:
    path = tmp_path / "log.jsonl"
    append_row(path, row(1))
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    append_row(path, row(2))
    assert path.read_bytes().startswith(whole)
    assert read_rows(path) == [row(1), row(2)]
    path.write_bytes(torn)
    append_row(path, row(3))
    assert read_rows(path) == [row(3)]


def test_a_row_that_finds_no_space_leaves_nothing(tmp_path, monkeypatch) -> None:
    path = tmp_path / "log.jsonl"
    append_row(path, row(1))
    write = os.write

    def half(descriptor: int, content: memoryview) -> int:
        if len(content) < 10:
            raise OSError(28, os.strerror(28))
        return write(descriptor, content[: len(content) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(CounterfeitError, match="No space left on device"):
        append_row(path, row(2))
    assert path.read_bytes() == (json.dumps(row(1)) + "\n").encode()


def test_a_lock_has_one_holder_and_dies_with_it(tmp_path) -> None:
    path = tmp_path / "lock"
    with path.open("ab", buffering=0) as one, path.open("ab", buffering=0) as other:
        assert lock(one, wait=False)
        assert not lock(other, wait=False)
        one.close()
        assert lock(other, wait=False)


def test_a_lock_holds_where_readers_get_none(tmp_path, monkeypatch) -> None:
    """As on NFS, which locks bytes of a file that is open for writing."""
    flock = fcntl.flock

    def flock_of_nfs(file, kind: int) -> None:
        reads = fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        if reads and kind & fcntl.LOCK_EX:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(file, kind)

    monkeypatch.setattr(fcntl, "flock", flock_of_nfs)
    with (
        locked(tmp_path / "lock", "busy"),
        pytest.raises(CounterfeitError, match="busy"),
        locked(tmp_path / "lock", "busy"),
    ):
        pass


def test_rows_that_are_there_are_not_written_again(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    write_rows(path, [])
    assert not path.exists()
    write_rows(path, [row(1), row(2)])
    before = path.stat().st_ino
    write_rows(path, read_rows(path))
    assert path.stat().st_ino == before
    write_rows(path, [row(1)])
    assert read_rows(path) == [row(1)]


def test_a_folder_in_place_of_rows_is_named(tmp_path) -> None:
    with pytest.raises(CounterfeitError, match=r"cannot read .*Is a directory"):
        read_rows(tmp_path)
