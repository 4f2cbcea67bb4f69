"""Numbers as people read them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from counterfeit.insight.numbers import number, real_number, sample_number
from counterfeit.insight.sets import comparison_text
from counterfeit.insight.tables import metrics_table
from counterfeit.language import speaking
from counterfeit.measure.images import Measured
from counterfeit.measure.measurement import Measurement


def test_numbers_show_what_is_known_of_them() -> None:
    assert number(Measurement(62.4321, 1.234)) == "62.4 ± 1.2"
    assert number(Measurement(0.84123, 0.00561)) == "0.8412 ± 0.0056"
    assert number(Measurement(-1234.5, 99.6)) == "-1,234 ± 100"
    assert number(Measurement(124875, 80216)) == "125,000 ± 80,000"
    assert number(Measurement(3.14e-8, 1.23e-9)) == "3.1e-08 ± 1.2e-09"
    assert number(Measurement(0.1668, None)) == "0.1668"
    assert number(Measurement(0.0, 0.0)) == "0"
    assert number(Measurement(96.3, 1e-12)) == "96.3"
    assert number(Measurement(float("nan"), 1.0)) == "none"


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e5))
def test_values_and_errors_are_rounded_alike(value: float, spread: float) -> None:
    shown, _, error = number(Measurement(value, spread)).replace(",", "").partition(" ± ")
    assume(error and "e" not in error)
    assert len(shown.partition(".")[2]) == len(error.partition(".")[2])
    assert abs(float(shown) - value) <= 0.06 * spread
    assert float(error) == pytest.approx(spread, rel=0.06)


def test_fewer_real_images_are_shown_and_counted() -> None:
    real = {
        f"fid_x-v1_{protocol}": Measurement(value, None)
        for protocol, value in (("test_200", 0.9), ("test_1k", 0.5), ("validation_10k", 0.1))
    }
    assert real_number("fid_x-v1_test_10k", real) == "0.5 (of 1,000)"
    assert real_number("fid_x-v1_test_200", real) == "0.9"
    assert real_number("fid_y-v1_test_10k", real) == ""


SUPPORT = "support_size_test_1k"
REAL = Measurement(993.0, 80.0)


@pytest.mark.parametrize(
    ("value", "said"),
    [(33_300.0, "as many as real ones"), (993.0, "as many as real ones"), (52.0, "52.0 ± 1.5")],
)
def test_more_different_images_than_real_ones_are_as_many(value: float, said: str) -> None:
    measured = Measurement(value, 1.5)
    assert sample_number(SUPPORT, measured, REAL) == said
    assert sample_number(SUPPORT, measured, None) == number(measured)
    assert sample_number("fid_x-v1_test_1k", measured, REAL) == number(measured)
    table = metrics_table({SUPPORT: measured}, {SUPPORT: REAL})
    sets = comparison_text({"a": Measured({SUPPORT: measured}, ())}, Measured({SUPPORT: REAL}, ()))
    for text in (table, sets):
        assert said in text
        assert "993 ± 80" in text
        assert "33,300" not in text
    with speaking("ko"):
        korean = sample_number(SUPPORT, measured, REAL)
    assert (korean == "진짜만큼") == (said == "as many as real ones")
