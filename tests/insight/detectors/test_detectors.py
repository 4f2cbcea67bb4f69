"""Each detector on series whose answer is known, and all of them on any rows."""

import re
from dataclasses import replace
from typing import Any

import pytest
from example_record import BROKEN, CUSTOM, HEALTHY_LOG, STEPS, names, only, record
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.insight.charts import FIGURES
from counterfeit.insight.detectors import DETECTORS, Record, examine
from counterfeit.insight.diagnose import read
from counterfeit.run import Run


def test_a_healthy_run_has_no_findings() -> None:
    assert examine(record()) == []


def test_a_run_that_has_just_begun_has_no_findings() -> None:
    spec = recipe.load("sgd")
    assert examine(Record(spec, [])) == []
    assert examine(Record(spec, [{"step": 100, "epoch": 0.2, **HEALTHY_LOG}])) == []


@pytest.mark.parametrize("name", DETECTORS)
def test_each_failure_is_found_and_explained(name: str) -> None:
    log, signs = BROKEN[name]
    (finding,) = (f for f in examine(record(log=log, signs=signs)) if f.name == name)
    assert finding.severity in ("critical", "warning")
    assert 0 <= finding.first_step <= finding.last_step == 10 * STEPS
    assert finding.first_epoch <= finding.last_epoch == 10
    assert finding.evidence["figure"] in FIGURES
    assert len(finding.evidence) > 1
    assert finding.meaning.endswith(".")
    assert finding.advice
    assert finding.source


OURS = {
    *("ignored-label", "collapsed-class", "ignored-codes", "critic-overpowering"),
    *("idle-penalty", "heavy-penalty", "exhausted-augmentation"),
}
"""Findings of what a loop that is not ours does not tell: classes, codes, its loss and inputs."""


@pytest.mark.parametrize("name", sorted(DETECTORS.keys() - OURS))
def test_a_loop_that_is_not_ours_is_advised_in_words(name: str) -> None:
    log, signs = BROKEN[name]
    ours = record(log=log, signs=signs)
    (finding,) = (f for f in examine(replace(ours, recipe=CUSTOM)) if f.name == name)
    (of_ours,) = (f for f in examine(ours) if f.name == name)
    assert replace(finding, advice=of_ours.advice) == of_ours
    assert finding.advice.endswith(".")
    assert not re.search(r"--|generator\.|discriminator\.|NAME", finding.advice)


@pytest.mark.parametrize("name", DETECTORS)
def test_the_columns_that_a_detector_names_are_enough(name: str) -> None:
    """And without one that it needs it is silent: rows may come from another loop."""
    detector = DETECTORS[name]
    log, signs = BROKEN[name]
    broken = record(log=log, signs=signs)
    assert name in names(only(broken, {*detector.needs, *detector.one_of}))
    for missing in detector.needs or [detector.one_of]:
        absent = {missing} if isinstance(missing, str) else set(missing)
        assert name not in names(only(broken, broken.columns - absent))


def test_what_has_passed_is_milder() -> None:
    won = {"d_real_q05": [0.99] * 5 + [0.2] * 5, "d_fake_q95": [0.01] * 5 + [0.6] * 5}
    (finding,) = examine(record(log=won))
    assert (finding.severity, finding.last_epoch) == ("warning", 5.0)
    assert "has passed" in finding.meaning


def test_one_epoch_is_no_failure() -> None:
    won = {"d_real_q05": [0.2, 0.99] * 5, "d_fake_q95": [0.6, 0.01] * 5}
    assert examine(record(log=won)) == []


@pytest.fixture(scope="module")
def real(small_run: Run) -> Record:
    return read(small_run)


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, "low", [], [1, "x", 10**12], {}, True, -1, 10**30, -2.5e38, 1e-300]
)


@settings(max_examples=50)
@given(st.data())
def test_a_run_is_diagnosed_as_far_as_its_rows_go(real: Record, some: st.DataObject) -> None:
    broken = [record(log=log, signs=signs) for log, signs in BROKEN.values()]
    whole = some.draw(st.sampled_from([real, *broken]))
    present = sorted({*whole.columns, "classes"} - {"step", "epoch"})
    dropped = some.draw(st.sets(st.sampled_from(present)))
    rows = [
        {key: value for key, value in row.items() if key not in dropped}
        for row in (*whole.log, *whole.vitals)
    ]
    for _ in range(some.draw(st.integers(0, 5))):
        row = some.draw(st.sampled_from(rows))
        if keys := sorted(row.keys() - {"step", "epoch"}):
            row[some.draw(st.sampled_from(keys))] = some.draw(ODD)
    part = replace(whole, log=rows[: len(whole.log)], vitals=rows[len(whole.log) :])
    for finding in examine(part):
        detector = DETECTORS[finding.name]
        assert part.columns.issuperset(detector.needs)
        assert not detector.one_of or part.columns & {*detector.one_of}
        assert not dropped & finding.evidence.keys()
