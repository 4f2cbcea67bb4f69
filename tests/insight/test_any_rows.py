"""Any run can be looked at as far as its rows go: columns may lack, values may be of odd types."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row, read_rows, write_rows
from counterfeit.insight import charts
from counterfeit.insight.accounts import findings_text
from counterfeit.insight.charts.classes import class_bars, count_classes
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.report import write_report
from counterfeit.insight.verdict import judge
from counterfeit.insight.vitals import vitals
from counterfeit.run import Run

FILES = ("log.jsonl", "vitals.jsonl", "metrics.jsonl", "findings.jsonl")

ODD: list[Any] = [None, "low", [], [1, "x", 10**12], {}, True, -1, 10**30, -2.5e38, 1e-300]


@pytest.fixture(scope="module")
def copy(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose rows are all kept, to be spoiled."""
    path = tmp_path_factory.mktemp("rows") / "run"
    shutil.copytree(small_run.path, path)
    run = Run(path)
    write_rows(path / "vitals.jsonl", vitals(run))
    shares = {f"share_{c}_digits-v1-ab_10k": [0.1, 0.01] for c in range(10)}
    run.append_metrics(
        {"step": 33, "epoch": 3, "metrics": shares | {"classes_found_digits-v1-ab_10k": [10, 0]}}
    )
    run.append_finding({"step": 11, "epoch": 1, "name": "odd"})
    return run


@pytest.fixture(scope="module")
def whole(copy: Run) -> dict[str, list[Row]]:
    return {name: read_rows(copy.path / name) for name in FILES}


def write(run: Run, rows: dict[str, list[Row]]) -> None:
    for name in FILES:
        write_rows(run.path / name, rows[name])


def look(run: Run) -> None:
    """All that is made of rows, but for the pictures' pixels: an error is one line that says why
    there is none."""
    found = diagnose(run)
    findings_text(run, found)
    assert judge(run, found).sentence.endswith(".")
    for draw in charts.TIMELINES.values():
        with suppress(CounterfeitError):
            draw(run, found)


@settings(max_examples=10)
@given(st.data())
def test_rows_may_lack_columns_and_hold_odd_values(
    copy: Run, whole: dict[str, list[Row]], some: st.DataObject
) -> None:
    keys = {key for rows in whole.values() for row in rows for key in row}
    keys -= {"step", "epoch", "name", "metrics"}  # without which a row of its file is damage
    dropped = some.draw(st.sets(st.sampled_from(sorted(keys))))
    rows = {
        name: [{key: row[key] for key in row if key not in dropped} for row in each]
        for name, each in whole.items()
    }
    for _ in range(some.draw(st.integers(0, 4))):
        name = some.draw(st.sampled_from(FILES))
        row = some.draw(st.sampled_from(rows[name]))
        if there := sorted(row.keys() & keys):
            row[some.draw(st.sampled_from(there))] = some.draw(st.sampled_from(ODD))
    write(copy, rows)
    look(copy)


@settings(max_examples=10)
@given(st.data())
def test_metrics_may_have_any_names(
    copy: Run, whole: dict[str, list[Row]], some: st.DataObject
) -> None:
    odd = [
        "fid",
        "fid_",
        "share_3",
        "share_99_x-v1_10k",
        "share_x_y",
        "classes_found",
        "",
        "_",
        "é",
    ]
    names = [*odd, *(name for row in whole["metrics.jsonl"] for name in row["metrics"])]
    pairs = st.sampled_from([[0.5, 0.1], [None, None], [1e30, 0], [-1, None]])
    metrics = st.dictionaries(st.sampled_from(names), pairs, max_size=6)
    measured = [row | {"metrics": some.draw(metrics)} for row in whole["metrics.jsonl"]]
    write(copy, whole | {"metrics.jsonl": measured})
    look(copy)
    with suppress(CounterfeitError):  # nothing has counted the classes
        shares = count_classes(copy)
        assert len(shares.generated) == len(shares.real) == len(shares.classes)
        class_bars(shares)


def bare(rows: Sequence[Row]) -> list[Row]:
    return [{key: row[key] for key in ("step", "epoch", "name") if key in row} for row in rows]


def test_a_report_is_written_of_rows_that_say_nothing(
    copy: Run, whole: dict[str, list[Row]], tmp_path: Path
) -> None:
    rows = {name: bare(each) for name, each in whole.items()}
    write(copy, rows | {"metrics.jsonl": [row | {"metrics": {}} for row in rows["metrics.jsonl"]]})
    page = write_report([copy], tmp_path / "report.html").read_text()
    for column in ("d_loss", "d_real_q05", "d_grad_norm"):
        assert f"the log has no {column} and no" in page
