"""Findings: what a run's files say is wrong with it, on which evidence, and what to try."""

from dataclasses import dataclass, fields
from typing import Literal

from counterfeit.files import read_rows
from counterfeit.run import Run

Severity = Literal["critical", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    name: str
    severity: Severity
    first_step: int
    last_step: int
    first_epoch: float
    last_epoch: float
    evidence: dict[str, float | str]
    """Numbers by name; `figure` names the one of `figures.FIGURES` to look at."""
    meaning: str
    advice: str
    source: str


def diagnose(run: Run) -> list[Finding]:
    """The findings that the run keeps in findings.jsonl, most severe first."""
    names = [field.name for field in fields(Finding)]
    rows = read_rows(run.path / "findings.jsonl")
    newest = {row["name"]: Finding(**{name: row[name] for name in names}) for row in rows}
    return sorted(newest.values(), key=lambda finding: SEVERITIES.index(finding.severity))
