import itertools

import pytest
from example_finding import finding
from example_log import log_row, loss_curves
from matplotlib.text import Text

from counterfeit.insight.charts.axes import common_scale, rescale


def test_labels_at_the_right_edge_do_not_overlap() -> None:
    figure = loss_curves([log_row(n, n, d_loss=0.69, g_loss=0.7) for n in range(1, 40)])
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = sorted(
            (Text.get_window_extent(text) for text in axes.texts), key=lambda box: box.y0
        )
        assert len(boxes) == 3
        assert all(low.y1 <= high.y0 + 1 for low, high in itertools.pairwise(boxes))


def test_findings_are_named_above_a_chart_and_tinted_in_it() -> None:
    rows = [log_row(n, n) for n in range(1, 11)]
    late = finding("dead_units", severity="note", first_epoch=8, last_epoch=99)
    figure = loss_curves(rows, [finding(first_epoch=2, last_epoch=5), late])
    ribbon, *charts = figure.axes
    assert [text.get_text() for text in ribbon.texts] == ["mode collapse", "dead units"]
    assert len(charts) == 2
    for axes in charts:
        spans = [patch.get_extents() for patch in axes.patches]
        assert len(spans) == 2
        left, right = axes.transData.transform([[2, 0], [5, 0]])[:, 0]
        assert (spans[0].x0, spans[0].x1) == pytest.approx((left, right))
    figure.draw_without_rendering()
    assert charts[0].get_xlim()[1] < 11  # a finding reaches no further than the log


def test_charts_beside_each_other_share_their_scale_and_labels_move_with_it() -> None:
    low, high = (
        loss_curves([log_row(n, n, d_loss=d, g_loss=1.2 * d) for n in range(1, 9)], marks)
        for d, marks in ((0.5, []), (5.0, [finding()]))
    )
    before = low.axes[-1].texts[0].get_position()[1]
    scale = common_scale([low, high])
    for figure in (low, high):
        rescale(figure, scale)
    assert [axes.get_ylim() for axes in low.axes] == [axes.get_ylim() for axes in high.axes[1:]]
    axes = low.axes[-1]
    ends = [axes.transLimits.transform((0, y))[1] for y in (axes.lines[0].get_ydata()[-1],)]
    assert any(label.xy[1] == pytest.approx(ends[0]) for label in axes.texts)
    assert axes.texts[0].get_position()[1] < before


def test_a_label_that_was_moved_has_a_line_to_its_end() -> None:
    figure = loss_curves([log_row(n, n, d_loss=0.69, g_loss=0.7) for n in range(1, 40)])
    labels = figure.axes[0].texts
    assert any(abs(label.xy[1] - label.get_position()[1]) > 0.05 for label in labels)
    assert all(label.arrow_patch is not None and label.arrowprops for label in labels)


def test_overlapping_findings_tint_an_epoch_once() -> None:
    rows = [log_row(n, n) for n in range(1, 11)]
    marks = [finding(first_epoch=3, last_epoch=6), finding("slow", first_epoch=2, last_epoch=8)]
    _, axes, _ = loss_curves(rows, marks).axes
    spans = sorted((patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches)
    assert spans == [(2, 3), (3, 6), (6, 8)]
