"""How a run stands, in one sentence: from its findings and its newest measurements."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from counterfeit.files import Row
from counterfeit.insight.columns import newest_metrics
from counterfeit.measure.names import class_shares, named
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurement

HEALTHY_COVERAGE = 0.5
"""Half of the real images have a sample near them; real images themselves cover about .95."""

Standing = Literal["failing", "doubtful", "healthy", "open"]

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Verdict:
    """One sentence, and what kind of news it is."""

    standing: Standing
    """`failing` and `doubtful`: a critical finding or a warning that lasts to the end. `healthy`:
    none, and the images were measured and are varied. `open`: none, and that was not shown."""
    sentence: str


def judge(run: Run, findings: Sequence[Finding]) -> Verdict:
    """The verdict on a run, finished or not; it says what was not measured.

    Args:
        findings: of the run, most severe first.
    """
    rows = run.log
    if not rows:
        return Verdict("open", "Nothing to judge yet: this run has not trained.")
    done, planned = float(rows[-1]["epoch"]), run.recipe.training.epochs
    serious = [finding for finding in findings if finding.severity != "note"]
    lasting = [finding for finding in serious if finding.last_epoch >= 0.9 * done]
    past = [finding for finding in serious if finding not in lasting]
    newest = newest_metrics(run.metrics)
    measured = newest is not None and newest["epoch"] == done
    seen = _seen(newest, run.real_scores, done)

    standing: Standing = "open"
    if lasting:
        standing = "failing" if lasting[0].severity == "critical" else "doubtful"
    elif newest is not None and measured and _varied(newest["metrics"]):
        standing = "doubtful" if past else "healthy"
    opening = {
        "failing": "Failing",
        "doubtful": "Take care",
        "healthy": "Healthy",
        "open": "Not there yet" if measured else "Not judged",
    }[standing]
    if done < planned:
        opening += f", after {done:.3g} of {planned} epochs"
    clauses = [_named(lasting)] if lasting else []
    if past:
        clauses.append(f"earlier, {_named(past)}")
    if not serious:
        clauses.append(f"nothing amiss was found in {done:.3g} epochs")
    return Verdict(standing, f"{opening}: {'; '.join([*clauses, seen])}.")


def _named(findings: Sequence[Finding]) -> str:
    names = [f"{finding.title} {finding.span}" for finding in findings[:2]]
    if len(findings) > 2:
        names.append(f"{_count(len(findings) - 2)} more")
    return " and ".join(names) if len(names) < 3 else f"{names[0]}, {names[1]} and {names[2]}"


def _seen(newest: Row | None, real: Mapping[str, Measurement], done: float) -> str:
    """What the metrics say, beside what real images score."""
    if newest is None:
        return "how good the images are was not measured (counterfeit evaluate does)"
    metrics = newest["metrics"]
    parts = []
    found, classes = _value(metrics, "classes_found"), len(class_shares(metrics))
    if found is not None:
        whole = found == classes
        parts.append(
            f"all {_count(classes)} classes" if whole else f"{found:.0f} of {classes} classes"
        )
    scores = [("fid", "classifier FID", ".3g"), ("coverage", "coverage", ".2f")]
    compared = False
    for metric, name, digits in scores if found is not None else [("parzen", "Parzen", ".0f")]:
        key = named(metric, metrics)
        if key is None or math.isnan(metrics[key].value):
            continue
        parts.append(f"{name} {metrics[key].value:{digits}}")
        if key in real:
            ceiling = real[key].value
            parts[-1] += f" against {ceiling:{digits}}" + ("" if compared else " for real images")
            compared = True
    if newest["epoch"] != done:
        parts.append(f"measured at epoch {newest['epoch']:.3g} and not since")
    return ", ".join(parts)


def _varied(metrics: Mapping[str, Measurement]) -> bool:
    coverage, found = _value(metrics, "coverage"), _value(metrics, "classes_found")
    if coverage is None or found is None:
        return False
    return found == len(class_shares(metrics)) and coverage >= HEALTHY_COVERAGE


def _value(metrics: Mapping[str, Measurement], metric: str) -> float | None:
    """Of the metric of that name, whatever its protocol; None where it was not measured."""
    name = named(metric, metrics)
    return None if name is None or math.isnan(metrics[name].value) else metrics[name].value


def _count(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else str(number)
