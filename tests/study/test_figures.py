"""Places of a study's figures."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import FID, results_of

from counterfeit.run.rows import Measurement
from counterfeit.study import figures
from counterfeit.study.figures import Axis
from counterfeit.study.results import Point, board
from counterfeit.study.verdict import SCALES, judge

STUDY = {"sgd": [100.0, 400.0, "failed", "failed"], "adam": [50.0, 60.0, 70.0, "waiting"]}

POSITIVE = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=6)


@given(POSITIVE, st.booleans())
def test_an_axis_shows_all_values_in_order(values: list[float], log: bool) -> None:
    axis = Axis.around(values, log=log)
    places = [axis.at(each) for each in sorted(values)]
    assert places == sorted(places)
    assert all(0 < place < 100 for place in places)


@given(POSITIVE, st.booleans())
def test_ticks_are_round_numbers_on_the_axis(values: list[float], log: bool) -> None:
    axis = Axis.around(values, log=log)
    assert len(axis.ticks) >= 2
    for place, text in axis.ticks:
        number = float(text.replace("k", "e3").replace("M", "e6"))
        assert axis.at(number) == pytest.approx(place, abs=0.5 if number else 100)


def test_equal_distances_on_a_logarithmic_axis_are_equal_ratios() -> None:
    axis = Axis(1, 100, log=True)
    assert [axis.at(each) for each in (1, 10, 100, 1000, 0)] == [0, 50, 100, 100, 0]


def test_every_run_is_a_dot_and_failed_ones_stand_at_the_bad_end() -> None:
    results = results_of(STUDY)
    rows = figures.dots(judge(results), results).rows
    assert [row.name for row in rows] == ["sgd", "adam"]
    sgd, adam = rows
    assert [mark.failed for mark in sgd.marks] == [False, False, True, True]
    assert [mark.at for mark in sgd.marks][2:] == [100, 97.5]
    assert sgd.marks[0].title == "seed 0: 100"
    assert len(adam.marks) == 3
    assert adam.low < adam.at < adam.high
    assert sgd.colour != adam.colour


def test_a_difference_lies_on_the_side_of_the_better_one() -> None:
    values = {"sgd": [101.0, 95.0, 120.0, 99.0, 90.0], "adam": [41.0, 39.0, 44.0, 40.0, 42.5]}
    forest = figures.forest(judge(results_of(values)).comparisons)
    (row,) = forest.rows
    assert row.colour == "good"
    assert row.name == "adam against sgd"
    assert row.low < row.at < row.high < forest.line


def points_of(line: figures.Line) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, _, y in (p.partition(",") for p in line.points.split())]


def test_a_profile_counts_the_runs_that_are_as_good() -> None:
    found = board(results_of(STUDY), "fid")
    assert found is not None
    plot = figures.profiles(found, SCALES["fid"])
    sgd, adam = map(points_of, plot.lines)
    assert sgd[-1] == (100, 50)  # half of its runs failed
    assert adam[-1] == (100, 0)  # from the top: all
    at_55 = [y for x, y in adam if x <= plot.x.at(55)][-1]
    assert at_55 == pytest.approx(100 - 100 / 3, abs=0.01)


def test_a_profile_of_more_is_better_falls() -> None:
    name = FID.replace("fid", "coverage")
    found = board(results_of({"adam": [0.2, 0.4]}, name=name), "coverage")
    assert found is not None
    plot = figures.profiles(found, SCALES["coverage"])
    heights = [100 - y for _, y in points_of(plot.lines[0])]
    assert heights[0] == 100
    assert heights[-1] == 0
    assert [100 - y for x, y in points_of(plot.lines[0]) if x == plot.x.at(0.3)] == []
    middle = [100 - y for x, y in points_of(plot.lines[0]) if x == plot.x.at(0.4)]
    assert middle == [50, 0]


def evaluated(epochs: list[int], values: list[float], seconds: float = 1.0) -> list[Point]:
    name = FID.replace("test", "validation")
    return [
        Point(epoch, 1000.0 * epoch, seconds * epoch, {name: Measurement(value, None)})
        for epoch, value in zip(epochs, values, strict=True)
    ]


def test_budget_curves_are_each_run_and_the_mean_where_all_were_evaluated() -> None:
    one, other = results_of({"adam": [10.0, 40.0]})
    results = [
        replace(one, curve=evaluated([1, 2, 4], [100.0, 50.0, 10.0])),
        replace(other, curve=evaluated([2, 4], [200.0, 40.0], seconds=3.0)),
    ]
    images, seconds = figures.budgets(results, "fid")
    *runs, mean = images.lines
    assert [line.faint for line in images.lines] == [True, True, False]
    assert [len(points_of(line)) for line in runs] == [3, 2]
    expected = [
        (images.x.at(1000 * epoch), 100 - images.y.at(math.sqrt(a * b)))
        for epoch, a, b in ((2, 50, 200), (4, 10, 40))
    ]
    assert points_of(mean) == [pytest.approx(each, abs=0.01) for each in expected]
    assert [x for x, _ in points_of(seconds.lines[-1])] == [
        pytest.approx(seconds.x.at(each), abs=0.01) for each in (4, 8)
    ]


def test_without_evaluations_there_are_no_budget_curves() -> None:
    assert figures.budgets(results_of(STUDY), "fid") == []
