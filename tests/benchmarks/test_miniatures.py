"""The sets in miniature that tests and fuzz read."""

import time

import pytest

from miniatures import SETS


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_the_same_bytes_whenever_it_is_made(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archives note the time, and the checksum of one made a second ago was wrong."""
    today = SETS[name]().files
    moment = time.time() + 40 * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: moment)
    monkeypatch.setattr(time, "asctime", lambda *_: "Thu Jan  1 00:00:00 1970")
    assert SETS[name]().files == today
