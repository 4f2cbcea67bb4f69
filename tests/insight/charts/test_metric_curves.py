import io
import math

import numpy as np

from counterfeit.files import Row
from counterfeit.insight.charts.metrics import comparable, has_metric_curves, metric_curves
from counterfeit.run import Run
from counterfeit.run.rows import Measurement


def test_metric_curves_need_two_epochs_of_one_protocol(small_run: Run, empty_run: Run) -> None:
    rows = small_run.metrics
    assert has_metric_curves(small_run)
    empty_run.append_metrics(rows[0])
    assert not has_metric_curves(empty_run)
    other = {"step": 22, "epoch": 2, "metrics": {"fid_digits-v1_test_100": [1.0, 0.1]}}
    empty_run.append_metrics(other)
    assert not has_metric_curves(empty_run)
    real = {
        f"fid_digits-v1_{split}_100": Measurement(value, 0.1)
        for split, value in (("validation", 0.5), ("test", 7.0))
    }
    upper, lower = metric_curves(comparable(rows), real).axes
    np.testing.assert_array_equal(upper.lines[0].get_xydata(), [[1, 90], [2, 80], [3, 70]])
    assert upper.lines[1].is_dashed()
    assert list(upper.lines[1].get_ydata()) == [0.5, 0.5]
    assert len(lower.lines) == 4
    fewer = {"fid_digits-v1_validation_50": Measurement(0.7, 0.1)}
    assert list(metric_curves(comparable(rows), fewer).axes[0].lines[1].get_ydata()) == [0.7, 0.7]


def test_metric_curves_survive_missing_and_undefined_metrics() -> None:
    rows: list[Row] = [
        {
            "step": 1,
            "epoch": 1,
            "metrics": {
                "fid_x-v1_10": Measurement(math.nan, None),
                "recall_x-v1_10": Measurement(0.5, 0.1),
            },
        },
        {"step": 2, "epoch": 2, "metrics": {"fid_x-v1_10": Measurement(3.0, 0.1)}},
    ]
    metric_curves(comparable(rows), {}).savefig(io.BytesIO())


def test_the_longest_protocol_is_drawn() -> None:
    measured = [
        (1, "validation", 3.0),
        (2, "validation", 2.0),
        (2, "validation", 1.0),
        (2, "test", 9.0),
    ]
    rows: list[Row] = [
        {"step": 1, "epoch": epoch, "metrics": {f"fid_x-v1_{split}_10": Measurement(value, None)}}
        for epoch, split, value in measured
    ]
    assert [row["metrics"] for row in comparable(rows)] == [
        {"fid_x-v1_validation_10": Measurement(3.0, None)},
        {"fid_x-v1_validation_10": Measurement(1.0, None)},
    ]
    assert comparable([]) == []
