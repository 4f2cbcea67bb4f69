import itertools

import pytest
from example_finding import finding
from example_log import log_row, loss_curves


def test_labels_at_the_right_edge_do_not_overlap() -> None:
    figure = loss_curves([log_row(n, n, d_loss=0.69, g_loss=0.7) for n in range(1, 40)])
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
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
