"""Metrics as text: names, values with their errors, and the classes."""

from counterfeit.insight.tables import evaluation_text, metrics_table, number, real_number
from counterfeit.measure.images import Measured
from counterfeit.measure.measurement import Measurement


def test_numbers_show_what_is_known_of_them() -> None:
    assert number(Measurement(62.4321, 1.234)) == "62.43 ± 1.2"
    assert number(Measurement(0.84123, 0.00561)) == "0.8412 ± 0.0056"
    assert number(Measurement(0.1668, None)) == "0.1668"
    assert number(Measurement(-0.00012, 0.0)) == "-0.00012 ± 0"


def test_each_metric_has_a_line_and_classes_share_one() -> None:
    samples = {
        "fid_test_10k": Measurement(4.2, 0.1),
        "share_0_10k": Measurement(0.25, 0.01),
        "share_1_10k": Measurement(0.75, 0.01),
    }
    lines = metrics_table("run", samples, {"fid_test_10k": Measurement(0.7, 0.01)}).splitlines()
    assert lines[0].split() == ["metric", "run", "real", "images"]
    assert lines[2].split() == ["fid_test_10k", "4.20", "±", "0.1", "0.7", "±", "0.01"]
    assert lines[-1] == "share of each class: 0 25.0%, 1 75.0%"
    assert sum("share" in line for line in lines) == 1


def test_fewer_real_images_are_shown_and_counted() -> None:
    real = {
        f"fid_x-v1_{protocol}": Measurement(value, None)
        for protocol, value in (("test_200", 0.9), ("test_1k", 0.5), ("validation_10k", 0.1))
    }
    assert real_number("fid_x-v1_test_10k", real) == "0.5 (of 1,000)"
    assert real_number("fid_x-v1_test_200", real) == "0.9"
    assert real_number("fid_y-v1_test_10k", real) == ""


def test_what_was_not_measured_is_said_once() -> None:
    samples = Measured({"parzen_test_40": Measurement(1.0, None)}, ("fid: no labels",))
    text = evaluation_text("run", samples, Measured({}, ("fid: no labels", "copies: too few")))
    assert text.splitlines()[-3:] == [
        "",
        "not measured: fid: no labels",
        "not measured: real images: copies: too few",
    ]
