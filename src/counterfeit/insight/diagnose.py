"""Diagnosis: from a run directory to findings, after the fact or while it is trained."""

from collections.abc import Callable

from torch import nn

from counterfeit.errors import CounterfeitError, Stopped, command
from counterfeit.files import Row
from counterfeit.insight import detectors
from counterfeit.insight.detectors import Record
from counterfeit.insight.verdict import judge
from counterfeit.insight.vitals import Gauge, take, untrained, vitals
from counterfeit.language import tr
from counterfeit.run import Run
from counterfeit.run.findings import SEVERITIES, Finding, Severity
from counterfeit.run.own import resuming

__all__ = ["SEVERITIES", "Finding", "Severity", "Watch", "diagnose"]


def diagnose(run: Run, *, looking: bool = True) -> list[Finding]:
    """What is wrong with a run, finished or not, the worst first.

    Rows of findings.jsonl that no detector makes, such as what training itself says when its
    numbers are no longer finite, are handed on as they are.

    Args:
        looking: at epochs of which no vital signs are kept, for which the data are read; else the
            rows that there are must do.

    Raises:
        CounterfeitError: a file is damaged.
    """
    said = [Finding.from_row(row) for row in run.findings if row["name"] not in detectors.NAMES]
    found = detectors.examine(read(run)) if looking else examined(run)
    return detectors.in_order([*said, *found])


def read(run: Run) -> Record:
    """All that diagnosis knows of a run.

    Raises:
        CounterfeitError: a file is damaged.
    """
    try:
        signs = vitals(run)
    except CounterfeitError:  # the data are gone: what was kept still counts
        signs = run.vitals
    return _record(run, run.log, signs)


class Watch:
    """Diagnoses a run while it is trained: hand it to `train` as `on_epoch`, after an `Evaluator`.

    New findings are added to findings.jsonl and told to `say`; none is said twice, not even after
    the run was stopped and resumed. The vital signs go into vitals.jsonl.

    Args:
        say: told each new finding.
        stop_on_critical: end the run at a new critical finding, everything saved.

    Raises:
        Stopped: it did.
    """

    def __init__(
        self, say: Callable[[Finding], None] = lambda finding: None, *, stop_on_critical: bool
    ) -> None:
        self.say = say
        self.stop_on_critical = stop_on_critical
        self._gauge: Gauge | None = None

    def __call__(self, run: Run, epoch: int, generator: nn.Module) -> None:
        self._gauge = self._gauge or Gauge(run)
        if not run.vitals:
            run.append_vitals(untrained(self._gauge, run))
        if run.vitals[-1]["epoch"] < epoch:  # not so after a resume at this epoch's end
            last = epoch == run.recipe.training.epochs
            run.append_vitals(take(self._gauge, run, epoch, generator, full=last))
        new = news(run, examined(run))
        for finding in new:
            run.append_finding(finding.as_row(run.log[-1]["step"], epoch))
            self.say(finding)
        worst = [finding for finding in new if finding.severity == "critical"]
        if worst and self.stop_on_critical:
            raise Stopped(
                tr(
                    "stopped at epoch {epoch} and saved. {verdict} {explain} explains it; {resume}"
                    " goes on all the same.",
                    epoch=str(epoch),
                    verdict=judge(run, diagnose(run)).sentence,
                    explain=command("counterfeit", "diagnose", run.path),
                    resume=resuming(run),
                )
            )


def examined(run: Run) -> list[Finding]:
    """What the detectors find in the rows that a run has, the worst first."""
    return detectors.examine(_record(run, run.log, run.vitals))


def news(run: Run, found: list[Finding]) -> list[Finding]:
    """Those of these findings that were not said yet, or not as critical."""
    said = {(old.name, old.severity) for old in map(Finding.from_row, run.findings)}
    names = {name for name, _ in said}
    return [
        finding
        for finding in found
        if finding.name not in names
        or (finding.severity == "critical" and (finding.name, "critical") not in said)
    ]


def _record(run: Run, log: list[Row], signs: list[Row]) -> Record:
    epochs = {row["step"]: row["epoch"] for row in log}
    kept = [int(epochs[step]) for step in run.checkpoint_steps if epochs.get(step, 0.5) % 1 == 0]
    return Record(run.recipe, log, signs, run.metrics, kept)
