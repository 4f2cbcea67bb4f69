from example_record import BROKEN, names, record


def test_a_record_until_an_epoch_knows_nothing_later() -> None:
    log, signs = BROKEN["mode-collapse"]
    whole = record(log=log, signs=signs)
    assert names(whole.until(1)) == set()
    assert "mode-collapse" in names(whole.until(2))
    assert whole.until(4).kept_epochs == [1, 2]
