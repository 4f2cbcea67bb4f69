import pytest
from example_record import CUSTOM, names, only, record

from counterfeit import recipe


def test_nan_is_an_explosion() -> None:
    assert "gradient-explosion" in names(record(log={"d_grad_norm": [1.0] * 8 + [None] * 2}))


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "group", "spectral"])
def test_ds_gradients_may_be_longer_where_the_length_of_weights_means_nothing(norm: str) -> None:
    ours = recipe.load("dcgan").with_values({"discriminator.norm": norm})
    theirs = CUSTOM.with_values({"discriminator.has_norm": norm != "none"})
    for spec in (ours, theirs):
        for length, explodes in ((300.0, norm == "none"), (3000.0, True)):
            found = names(record(log={"d_grad_norm": length}, spec=spec))
            assert ("gradient-explosion" in found) == explodes
        assert "gradient-explosion" in names(record(log={"g_grad_norm": 300.0}, spec=spec))


def test_a_norm_that_nobody_logged_is_no_explosion() -> None:
    healthy = record()
    assert names(only(healthy, healthy.columns - {"d_grad_norm"})) == set()
    exploded = record(log={"g_grad_norm": 500.0})
    assert names(only(exploded, {"g_grad_norm"})) == {"gradient-explosion"}
