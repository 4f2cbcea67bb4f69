"""A run's rows: the .jsonl files that training, measuring and diagnosis add to."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row, read_rows, write_rows, write_whole

LOG = "log.jsonl"
METRICS = "metrics.jsonl"
VITALS = "vitals.jsonl"
FINDINGS = "findings.jsonl"
REAL_IMAGES = "real_images.json"


class Measurement(NamedTuple):
    """A value and its standard error; `[value, spread]` in files."""

    value: float
    """NaN, null in files, where it could not be computed."""
    spread: float | None
    """Over what the protocol leaves to chance: the samples, or the test images for Parzen.

    None where it would mean nothing, as for a p-value.
    """


Measurements = dict[str, Measurement]
"""By the metrics' names."""


def read_log(folder: Path) -> list[Row]:
    path = folder / LOG
    rows = read_rows(path)
    for before, after in pairwise(rows):
        if before["step"] >= after["step"]:
            raise CounterfeitError(f"{path} is damaged: its steps do not rise.")
    return rows


def read_metrics(folder: Path) -> list[Row]:
    """Rows of `step`, `epoch` and `metrics`, which are `Measurements`."""
    path = folder / METRICS
    rows = read_rows(path)
    if not all(_is_measured(row.get("metrics")) for row in rows):
        raise CounterfeitError(f"{path} is damaged: a row holds no [value, spread] by name.")
    return [
        row | {"metrics": {name: _measurement(*pair) for name, pair in row["metrics"].items()}}
        for row in rows
    ]


def read_vitals(folder: Path) -> list[Row]:
    return read_rows(folder / VITALS)


def read_findings(folder: Path) -> list[Row]:
    """Rows of `step`, `epoch` and `name`, and the other fields of a `Finding`."""
    path = folder / FINDINGS
    rows = read_rows(path)
    if not all(type(row.get("name")) is str for row in rows):
        raise CounterfeitError(f"{path} is damaged: a row has no name.")
    for row in rows:
        evidence = row.get("evidence", {})
        back = evidence.get("rolled_back_to", 0) if isinstance(evidence, dict) else None
        if type(back) is not int or back < 0:
            raise CounterfeitError(f"{path} is damaged: a row's evidence is none.")
    return rows


def rollbacks(findings: list[Row]) -> list[int]:
    """The steps that training went back to after a number went wrong, in order."""
    return [row["evidence"]["rolled_back_to"] for row in findings if _went_back(row)]


def read_real_scores(folder: Path) -> Measurements:
    """What real training images score, if measured.

    Raises:
        CounterfeitError: the file is damaged.
    """
    path = folder / REAL_IMAGES
    if not path.exists():
        return {}
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        return {name: _measurement(*pair) for name, pair in scores.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        raise CounterfeitError(
            f"{path} is damaged; remove it, and `counterfeit evaluate` measures it again."
        ) from None


def write_real_scores(folder: Path, scores: Measurements) -> None:
    write_whole(folder / REAL_IMAGES, json.dumps(scores, indent=2).encode())


def rewind(folder: Path, step: int) -> None:
    """Forget the rows after `step`.

    Findings that training went back for stay: they say where learning rates change.
    """
    for name in (LOG, METRICS, VITALS, FINDINGS):
        path = folder / name
        write_rows(path, [row for row in read_rows(path) if row["step"] <= step or _went_back(row)])


def _measurement(value: float | None, spread: float | None) -> Measurement:
    return Measurement(
        math.nan if value is None else float(value), None if spread is None else float(spread)
    )


def _went_back(row: Row) -> bool:
    evidence = row.get("evidence")
    return isinstance(evidence, dict) and "rolled_back_to" in evidence


def _is_measured(metrics: object) -> bool:
    """Whether these are a row's metrics: [value, spread] by name, each a number or None."""
    return isinstance(metrics, dict) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(number is None or type(number) in (int, float) for number in pair)
        for pair in metrics.values()
    )
