from example_record import names, only, record


def test_nan_is_an_explosion() -> None:
    assert "gradient-explosion" in names(record(log={"d_grad_norm": [1.0] * 8 + [None] * 2}))


def test_a_norm_that_nobody_logged_is_no_explosion() -> None:
    healthy = record()
    assert names(only(healthy, healthy.columns - {"d_grad_norm"})) == set()
    exploded = record(log={"g_grad_norm": 500.0})
    assert names(only(exploded, {"g_grad_norm"})) == {"gradient-explosion"}
