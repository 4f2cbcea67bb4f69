"""A study's verdict as text for a terminal, and as files for other programs."""

import csv
import io
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from counterfeit.files import write_whole
from counterfeit.language import tr, translated
from counterfeit.measure.names import MetricName
from counterfeit.study import words
from counterfeit.study.results import Result
from counterfeit.study.statistics import Estimate
from counterfeit.study.verdict import Standing, Verdict
from counterfeit.terminal import aligned, fill

logger = logging.getLogger(__name__)

Rows = Sequence[Mapping[str, Any]]


def verdict_text(verdict: Verdict, width: int | None = None) -> str:
    """A table of recipes for each data set, then which differences are real, in words.

    Args:
        width: of the terminal; None for one line a sentence.
    """
    blocks = []
    for data in dict.fromkeys(each.data for each in verdict.standings):
        own = [each for each in verdict.standings if each.data == data]
        compared = [each for each in verdict.comparisons if each.data == data]
        head = f"{words.data_name(data)}: {words.summary(verdict, data)}"
        lines = [fill(head, width), "", *aligned([_head(verdict), *map(_row, own)])]
        if compared:
            lines += ["", *(fill(each, width, rest="  ") for each in words.sentences(compared))]
        blocks.append("\n".join(lines))
    notes = "\n".join(fill(each, width, rest="  ") for each in words.notes(verdict))
    return "\n\n".join([*blocks, notes])


def _head(verdict: Verdict) -> list[str]:
    metric = translated(MetricName(verdict.metric).short)
    return [
        tr("recipe"),
        tr("{metric} [95 %]", metric=metric),
        tr("runs"),
        tr("failed"),
        tr("seconds"),
        tr("images"),
    ]


def _row(standing: Standing) -> list[str]:
    return [
        standing.label,
        estimate_text(standing.mean),
        words.count_of(standing.measured, standing.planned),
        f"{standing.failed}" if standing.failed else "–",
        cost(standing.seconds),
        cost(standing.images),
    ]


def estimate_text(estimate: Estimate) -> str:
    """`41.2 [35.0, 48.1]`, or why there is no interval."""
    value, low, high = estimate
    if not math.isfinite(value):
        return "–"
    interval = f"{_digits(low)}, {_digits(high)}" if math.isfinite(low) else tr("too few seeds")
    return f"{_digits(value)} [{interval}]"


def _digits(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def cost(value: float) -> str:
    """Of a run, in the mean: `1,234`, `56.3M`."""
    if not math.isfinite(value):
        return "–"
    return f"{value / 1e6:,.1f}M" if value >= 1e6 else f"{value:,.0f}"


# Files.


def run_rows(results: Sequence[Result]) -> list[dict[str, Any]]:
    """A row for each task: what it is, where it stands, what it cost, and its scores by their full
    names."""
    return [
        {
            "recipe": each.label,
            "data": each.task.data,
            "seed": each.task.seed,
            "state": each.state,
            "why": each.why,
            "epoch": each.epoch,
            "trained_epochs": each.trained,
            "images": each.images,
            "seconds": each.seconds,
            "run": f"runs/{each.task.id}",
            **{name: score.value for name, score in each.scores.items()},
        }
        for each in results
    ]


def recipe_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """A row for each recipe and data set, of the metric that decides."""
    return [
        {
            "recipe": each.label,
            "data": each.data,
            "metric": verdict.names.get(each.data, verdict.metric),
            "runs": each.planned,
            "measured": each.measured,
            "failed": each.failed,
            **_flat("failed_share", each.failed_share),
            **_flat("mean", each.mean),
            **_flat("interquartile_mean", each.middle),
            "epochs": each.epochs,
            "images": each.images,
            "seconds": each.seconds,
        }
        for each in verdict.standings
    ]


def difference_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """A row for each comparison."""
    return [
        {
            "data": each.data,
            "metric": verdict.names[each.data],
            "first": each.first,
            "second": each.second,
            "better": each.better or "",
            **_flat("ratio" if each.scale.log else "difference", each.difference),
            "p_holm": each.p,
            "comparisons": each.comparisons,
            "seeds": each.seeds,
            "seeds_needed": each.needed,
            "detectable": each.detectable,
        }
        for each in verdict.comparisons
    ]


def _flat(name: str, estimate: Estimate) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(float, estimate), strict=True))


def tables_of(results: Sequence[Result], verdict: Verdict) -> dict[str, Rows]:
    """A study's tables by their names."""
    return {
        "runs": run_rows(results),
        "recipes": recipe_rows(verdict),
        "differences": difference_rows(verdict),
    }


def write_tables(folder: Path, tables: Mapping[str, Rows]) -> list[Path]:
    """Write tables into the folder, each as CSV and as Parquet.

    Without pyarrow there is no Parquet, which is said. Numbers that there are none of are empty.

    Returns: what was written.

    Raises:
        CannotWrite: the folder cannot be written.
    """
    written = []
    for name, rows in tables.items():
        written.append(folder / f"{name}.csv")
        write_whole(written[-1], as_csv(rows))
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        logger.warning(tr("No Parquet files: `pip install pyarrow` adds them."))
        return written
    for name, rows in tables.items():
        buffer = io.BytesIO()
        columns = {key: [_plain(row.get(key)) for row in rows] for key in _keys(rows)}
        parquet.write_table(arrow.table(columns), buffer)
        written.append(folder / f"{name}.parquet")
        write_whole(written[-1], buffer.getvalue())
    return written


def as_csv(rows: Rows) -> bytes:
    """Rows as a CSV file, with a column for each key that one of them has; NaN is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _keys(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _keys(rows: Rows) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
