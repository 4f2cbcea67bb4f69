import math
from dataclasses import replace

import pytest
from example_record import BROKEN, names, record


def test_a_record_until_an_epoch_knows_nothing_later() -> None:
    log, signs = BROKEN["mode-collapse"]
    whole = record(log=log, signs=signs)
    assert names(whole.until(1)) == set()
    assert "mode-collapse" in names(whole.until(2))
    assert whole.until(4).kept_epochs == [1, 2]


def test_an_epochs_row_weighs_its_rows_by_their_updates() -> None:
    rows = [
        {"step": 100, "epoch": 100 / 120, "d_loss": 1.0, "g_loss": 5.0},
        {"step": 120, "epoch": 1.0, "d_loss": 4.0, "g_loss": None},
        {"step": 180, "epoch": 1.5, "d_loss": 7.0},
    ]
    first, second = replace(record(), log=rows).epochs
    assert first["d_loss"] == pytest.approx((100 * 1 + 20 * 4) / 120)
    assert math.isnan(first["g_loss"])
    assert (first["step"], first["epoch"]) == (120, 1.0)
    assert second == {"step": 180, "epoch": 1.5, "d_loss": 7.0}
    assert replace(record(), log=[]).epochs == []
