"""A study's tables, as text and as files."""

import csv
import sys
from pathlib import Path

import pytest
from outcomes import FID, results_of
from pyarrow import parquet

from counterfeit.study import words
from counterfeit.study.results import Result
from counterfeit.study.statistics import Estimate
from counterfeit.study.tables import cost, estimate_text, tables_of, verdict_text, write_tables
from counterfeit.study.verdict import judge

STUDY = {
    "sgd": [101.0, 95.0, 120.0, 99.0, "failed"],
    "adam": [41.0, 39.0, 44.0, 40.0, "waiting"],
}


@pytest.fixture
def results() -> list[Result]:
    return results_of(STUDY)


def test_the_text_has_a_row_for_each_recipe_and_a_sentence_for_each_difference(
    results: list[Result],
) -> None:
    verdict = judge(results)
    lines = verdict_text(verdict).splitlines()
    sgd, adam = (next(line for line in lines if line.startswith(name)) for name in STUDY)
    assert "[" in sgd
    assert "4 of 5" in sgd
    assert "600,000" in adam
    assert words.sentence(verdict.comparisons[0]) in lines
    assert all(note in lines for note in words.notes(verdict))


def test_the_text_fits_a_terminal(results: list[Result]) -> None:
    assert max(map(len, verdict_text(judge(results), 80).splitlines())) <= 80


def test_of_very_many_differences_the_clearest_are_said() -> None:
    recipes = {f"r{n}": [float(n + 2 + seed) for seed in range(5)] for n in range(10)}
    verdict = judge(results_of(recipes))
    lines = verdict_text(verdict).splitlines()
    assert words.sentence(verdict.comparisons[0]) in lines
    assert words.sentence(verdict.comparisons[-1]) not in lines
    assert any(line.startswith(f"… and {45 - words.SAID} more") for line in lines)


def test_two_data_sets_have_a_table_each(results: list[Result]) -> None:
    text = verdict_text(judge([*results, *results_of(STUDY, "/somewhere/my-cats")]))
    assert "mnist: " in text
    assert "\n\nmy-cats: " in text
    assert "somewhere" not in text


def test_files_hold_all_runs_and_differences(results: list[Result], tmp_path: Path) -> None:
    verdict = judge(results)
    written = write_tables(tmp_path, tables_of(results, verdict))
    assert {path.name for path in written} == {
        f"{name}.{kind}"
        for name in ("runs", "recipes", "differences")
        for kind in ("csv", "parquet")
    }
    rows = list(csv.DictReader((tmp_path / "runs.csv").open()))
    assert [row["state"] for row in rows] == [each.state for each in results]
    assert [float(row[FID]) for row in rows if row[FID]] == [
        value for values in STUDY.values() for value in values if isinstance(value, float)
    ]
    for name in ("runs", "recipes", "differences"):
        as_csv = list(csv.DictReader((tmp_path / f"{name}.csv").open()))
        as_parquet = parquet.read_table(tmp_path / f"{name}.parquet").to_pylist()
        assert as_csv == [
            {key: "" if value is None else str(value) for key, value in row.items()}
            for row in as_parquet
        ]
    (difference,) = parquet.read_table(tmp_path / "differences.parquet").to_pylist()
    assert difference["ratio"] == verdict.comparisons[0].difference.value
    assert difference["better"] == "adam"


def test_without_pyarrow_there_is_csv_and_a_word(
    results: list[Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    written = write_tables(tmp_path, tables_of(results, judge(results)))
    assert {path.suffix for path in written} == {".csv"}
    assert "pip install pyarrow" in caplog.text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(41.23, 35.0, 48.07), "41.2 [35, 48.1]"),
        (Estimate(1234.5, 998.0, 1600.0), "1,234 [998, 1,600]"),
        (Estimate(0.0123, float("nan"), float("nan")), "0.0123 [too few seeds]"),
        (Estimate(*[float("nan")] * 3), "–"),
    ],
)
def test_estimates_have_three_digits(estimate: Estimate, text: str) -> None:
    assert estimate_text(estimate) == text


def test_costs_are_short() -> None:
    assert (cost(56_320), cost(6e7), cost(float("nan"))) == ("56,320", "60.0M", "–")
