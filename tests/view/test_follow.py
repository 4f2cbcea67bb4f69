"""Rows are followed as they are appended, and few are kept of many."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row, append_row, write_rows
from counterfeit.view import follow
from counterfeit.view.follow import Tail


def rows(count: int, first: int = 1, per_epoch: int = 10) -> list[Row]:
    return [
        {"step": step, "epoch": step / per_epoch, "d_loss": step % 7}
        for step in range(first, first + count)
    ]


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    tail = Tail(path)
    assert not tail.look()
    write_rows(path, rows(3))
    assert tail.look()
    assert not tail.look()
    kept = tail.rows[0]
    append_row(path, rows(1, first=4)[0])
    assert tail.look()
    assert tail.rows == rows(4)
    assert tail.rows[0] is kept
    assert (tail.total, tail.is_thinned) == (4, False)


def test_a_row_that_is_being_written_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write_rows(path, rows(2))
    tail = Tail(path)
    tail.look()
    line = json.dumps(rows(1, first=3)[0])
    with path.open("a") as file:
        file.write(line[:10])
        file.flush()
        assert not tail.look()
        file.write(line[10:] + "\n")
    assert tail.look()
    assert tail.rows == rows(3)


def test_a_file_that_is_replaced_cut_or_gone_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write_rows(path, rows(5))
    tail = Tail(path)
    tail.look()
    write_rows(path, rows(2))  # as when training goes back
    assert tail.look()
    assert tail.rows == rows(2)
    with path.open("r+b") as file:
        file.truncate(file.read().index(b"\n") + 1)
    assert tail.look()
    assert tail.rows == rows(1)
    path.unlink()
    assert tail.look()
    assert tail.rows == []


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write_rows(path, rows(2))
    with path.open("a") as file:
        file.write("no row\n")
    with pytest.raises(CounterfeitError, match="after row 2 comes no row"):
        Tail(path).look()


def test_many_rows_are_thinned_and_ends_of_epochs_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MOST", 400)
    path = tmp_path / "log.jsonl"
    tail = Tail(path)
    written = rows(3000, per_epoch=100)
    for start in range(0, 3000, 250):
        with path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in written[start : start + 250])
        tail.look()
        assert len(tail.rows) <= 400
        assert tail.rows[-1] == written[start + 249]
    assert (tail.total, tail.is_thinned) == (3000, True)
    assert tail.rows[0] == written[0]
    kept = {row["step"] for row in tail.rows}
    assert {100 * epoch for epoch in range(1, 31)} <= kept
    steps = sorted(kept)
    assert max(b - a for a, b in pairwise(steps)) <= 100
    assert all(row in written for row in tail.rows)


def test_a_long_file_is_read_in_places_and_then_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "WHOLE", 10_000)
    monkeypatch.setattr(follow, "NEWEST", 2_000)
    monkeypatch.setattr(follow, "MOST", 200)
    path = tmp_path / "log.jsonl"
    written = rows(5000)
    write_rows(path, written)
    tail = Tail(path)
    tail.look()
    assert tail.rows[0] == written[0]
    assert tail.rows[-1] == written[-1]
    steps = [row["step"] for row in tail.rows]
    assert steps == sorted(set(steps))
    assert max(b - a for a, b in pairwise(steps)) < 150
    assert tail.total == pytest.approx(5000, rel=0.05)
    append_row(path, rows(1, first=5001)[0])
    assert tail.look()
    assert tail.rows[-1]["step"] == 5001
