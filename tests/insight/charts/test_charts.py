"""All figures of a run, and what all charts have to bear."""

import io
import math
import os
import subprocess
import sys

import pytest
from example_log import log_row, loss_curves, output_bands, score_bands
from PIL import Image

from counterfeit.errors import CounterfeitError
from counterfeit.insight import charts
from counterfeit.insight.charts.axes import rescale
from counterfeit.insight.charts.gradients import gradient_norms
from counterfeit.insight.charts.heads import head_curves
from counterfeit.insight.charts.penalties import penalty_curves
from counterfeit.run import Run


def test_every_figure_of_a_run_is_a_picture(small_run: Run) -> None:
    for name in charts.FIGURES:
        if name in (
            "animation",
            "classes",
            "maxout-history",
            "scores",
            "penalties",
            "heads",
        ):  # tested on their own
            continue
        with Image.open(charts.write(small_run, name)) as picture:
            picture.load()
            assert picture.width > 100


def test_a_figure_that_cannot_be_drawn_says_why(empty_run: Run) -> None:
    for name in ("samples", "history", "animation", "losses", "maxout", "nearest"):
        with pytest.raises(CounterfeitError, match=r"\.$"):
            charts.write(empty_run, name)


@pytest.mark.parametrize(
    "chart", [loss_curves, output_bands, score_bands, gradient_norms, penalty_curves]
)
@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf])
def test_charts_survive_what_a_broken_run_logs(chart, bad: float) -> None:
    keys = [key for key in log_row(1, 1) if key not in ("step", "epoch")]
    broken = dict.fromkeys(keys, bad)
    for rows in ([log_row(1, 1.0, **broken)], [log_row(1, 1.0), log_row(2, 2.0, **broken)]):
        chart(rows).savefig(io.BytesIO(), format="png", dpi=30)


DRAWN = """
import sys
from example_log import log_row, loss_curves
from matplotlib.figure import Figure
print(type(loss_curves([log_row(1, 1.0)])) is Figure, "matplotlib.pyplot" in sys.modules)
"""


def test_charts_leave_matplotlibs_global_state_alone() -> None:
    """In a process of their own: other libraries may have imported pyplot in this one."""
    done = subprocess.run(
        [sys.executable, "-c", DRAWN],
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["True", "False"]


def test_a_log_of_words_is_named() -> None:
    with pytest.raises(CounterfeitError, match="not every d_loss is a number"):
        loss_curves([log_row(1, 0.5), log_row(2, 1.0) | {"d_loss": "low"}])


def test_a_penalty_that_is_not_always_due_is_one_line() -> None:
    rows = [log_row(n, n, penalty_r1=0.1 * n) for n in range(1, 6)]
    rows = [{k: v for k, v in row.items() if k != "penalty_r2"} for row in rows]
    del rows[2]["penalty_r1"]
    (line,) = (line for line in penalty_curves(rows).axes[0].lines if line.get_label() == "r1")
    assert line.get_xdata().tolist() == [1, 2, 4, 5]
    with pytest.raises(CounterfeitError, match="no penalties"):
        penalty_curves([{"step": 1, "epoch": 1.0}])


def test_heads_are_drawn_beside_what_guessing_costs() -> None:
    rows = [log_row(n, n, penalty_codes=2.5 / n) for n in range(1, 6)]
    axes = head_curves(rows, {"penalty_codes": 2.4}).axes[0]
    codes, level = axes.lines
    assert codes.get_ydata().tolist() == [2.5 / n for n in range(1, 6)]
    assert level.get_ydata()[0] == 2.4
    assert [text.get_text() for text in axes.texts] == ["codes", "guessing"]
    low, high = axes.get_ylim()
    assert low < 0 < 2.5 < high
    with pytest.raises(CounterfeitError, match="no heads"):
        head_curves([log_row(1, 1.0)], {})
    head_curves([log_row(1, 1.0, penalty_classes=math.nan)], {}).draw_without_rendering()


def test_gradients_on_a_wider_scale_have_fewer_ticks() -> None:
    figure = gradient_norms([log_row(1, 1.0), log_row(2, 2.0, d_grad_norm=3.0)])
    assert len(figure.axes[0].get_yticks()) > 4
    rescale(figure, [(1e-6, 1e3)])
    figure.draw_without_rendering()
    low, high = figure.axes[0].get_ylim()
    assert sum(low <= tick <= high for tick in figure.axes[0].get_yticks()) <= 10
