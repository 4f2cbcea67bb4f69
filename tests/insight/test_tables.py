"""Metrics as text: names, values with their errors, and the classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from counterfeit.insight.tables import (
    bar,
    class_bars,
    evaluation_text,
    metrics_table,
    protocol,
    scores_line,
)
from counterfeit.language import speaking
from counterfeit.measure.images import Measured
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.names import MetricName
from counterfeit.run.rows import LeftOut

FEATURES = "mnist-v1-77eed34d"


def measured(count: int, **values: float) -> dict[str, Measurement]:
    """Metrics of the classifier's features, by their short parts."""
    compared = ("fid", "kid", "precision", "recall", "density", "coverage")
    return {
        str(MetricName(metric, FEATURES, "test" if metric in compared else None, count)): (
            Measurement(value, value / 50)
        )
        for metric, value in values.items()
    }


SAMPLES = (
    measured(
        10_000, fid=12.34, kid=0.0123, classes_found=2, class_tv=0.4, share_0=0.75, share_1=0.25
    )
    | measured(5_000, precision=0.84, recall=0.0, density=0.9, coverage=0.757)
    | {
        "nearest_p_test_1k": Measurement(1.2e-7, None),
        "d_accuracy_held_out_test_5k": Measurement(0.6, 0.01),
        "parzen_test_10k": Measurement(157.52, 1.41),
        "my_own_metric": Measurement(1.0, None),
    }
)
REAL = measured(10_000, fid=0.14, classes_found=2, share_0=0.5, share_1=0.5)


def test_what_tells_most_stands_on_top_and_all_the_rest_below() -> None:
    lines = metrics_table(SAMPLES, REAL).splitlines()
    assert lines[0].split() == ["samples", "real", "images", "good", "is"]
    assert [line.split()[0] for line in lines[1:5]] == ["FID", "coverage", "recall", "classes"]
    assert lines[1].split()[1:] == [
        "12.34", "±", "0.25", "0.1400", "±", "0.0028", "lower", "is", "better",
    ]  # fmt: skip
    assert lines[3].split() == ["recall", "0", "higher", "is", "better"]
    assert "2.000 ± 0.040 of 2" in lines[4]
    names = {MetricName.parse(name).short for name in SAMPLES if "share" not in name}
    assert names == {
        line[2:].split("  ")[0] for line in lines if line.startswith("  ") and line[2] != " "
    }


def test_korean_columns_stand_under_their_heads() -> None:
    with speaking("ko"):
        head, fid, *_ = metrics_table(SAMPLES, REAL, 120).splitlines()
        share, *_, last = class_bars(SAMPLES, REAL).splitlines()
    for title, value in (("샘플", "± 0.25"), ("진짜 이미지", "± 0.0028")):
        ends = [
            cell_len(line[: line.index(at) + len(at)]) for line, at in ((head, title), (fid, value))
        ]
        assert ends[0] == ends[1], (title, head, fid)
    starts = [
        cell_len(line[: line.index(at)]) for line, at in ((head, "좋은 값"), (fid, "낮을수록"))
    ]
    assert starts[0] == starts[1]
    assert cell_len(share[: share.index("진짜 이미지") + 6]) == cell_len(
        last[: last.rindex("%") + 1]
    )


@pytest.mark.parametrize("width", [50, 60, 80, 120, 200])
def test_an_evaluation_is_as_wide_as_the_terminal_and_no_wider(width: int) -> None:
    samples = Measured(SAMPLES, (LeftOut(("fid",), "no labels " * 30),))
    lines = evaluation_text(samples, Measured(REAL, ()), width).splitlines()
    assert max(map(len, lines)) <= width
    assert any(line.endswith("█") and len(line) == width for line in lines)  # the longest bar
    assert ("good is" in lines[0]) == (width >= 80)
    assert any(f"fid_{FEATURES}_test_10k" in line for line in lines) == (width >= 120)


def test_the_protocol_is_said_once_and_its_exceptions() -> None:
    (said,) = protocol(SAMPLES, {})
    assert said == (
        "10,000 samples, compared with the test images, by the features of mnist-v1-77eed34d;"
        " 5,000 for precision, recall, density, coverage, D right on held-out;"
        " 1,000 for nearest p-value."
    )
    _, fewer = protocol(SAMPLES, measured(1198, fid=0.2) | measured(360, coverage=0.9))
    assert fewer == "Real images are fewer: 1,198 for FID; 360 for coverage."
    table = metrics_table(SAMPLES, measured(1198, fid=0.2))
    assert "0.2000 ± 0.0040" in table


def test_other_features_have_a_group_of_their_own() -> None:
    other = {"fid_inception-v3-6726825d_test_10k": Measurement(30.0, 1.0)}
    lines = metrics_table(SAMPLES | other, {}).splitlines()
    at = lines.index("by the features of inception-v3-6726825d")
    assert lines[at + 1].split()[:2] == ["FID", "30.0"]


def test_classes_are_bars_and_of_many_only_the_ends() -> None:
    lines = class_bars(SAMPLES, REAL, 60).splitlines()
    assert lines[1].split()[:3] == ["0", "75.0%", "50.0%"]
    longer, shorter = (line.count("█") for line in lines[1:3])
    assert abs(longer - 3 * shorter) <= 3
    assert shorter > 3
    assert class_bars({}, REAL) == ""
    many = {f"share_{i}_{FEATURES}_10k": Measurement(i / 10_000, None) for i in range(100)}
    lines = class_bars(many, {}).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["99", "98"]
    assert lines[11] == "  … 80 others in between"
    assert lines[-1].split() == ["0", "0.0%"]  # and no bar


@given(st.floats(0, 1), st.integers(1, 100))
def test_a_bar_is_as_long_as_its_share(share: float, width: int) -> None:
    drawn = bar(share, width)
    assert len(drawn) <= width
    assert abs(len(drawn) - share * width) <= 1
    assert bool(drawn) == (share > 0)


NO_LABELS = LeftOut(("fid",), "no labels")


def test_what_was_not_measured_is_said_once() -> None:
    samples = Measured({"parzen_test_40": Measurement(1.0, None)}, (NO_LABELS,))
    too_few = LeftOut(("copies", "nearest_p"), "too few")
    text = evaluation_text(samples, Measured({}, (NO_LABELS, too_few)))
    assert text.splitlines()[-3:] == [
        "",
        "not measured: FID: no labels",
        "not measured: real images: copies, nearest p-value: too few",
    ]


def test_an_evaluation_in_training_is_one_line() -> None:
    row = {"epoch": 3.0, "metrics": SAMPLES}
    assert scores_line(row) == (
        "epoch 3: FID 12.34 ± 0.25, coverage 0.757 ± 0.015, recall 0, 2 of 2 classes"
    )
    unlabelled = {"parzen_validation_40": Measurement(-12.34, 1.23)}
    assert scores_line({"epoch": 3.0, "metrics": unlabelled}) == (
        "epoch 3: Parzen in nats -12.3 ± 1.2"
    )
    assert scores_line({"epoch": 3.0, "metrics": {}}) == "epoch 3: nothing could be measured"
