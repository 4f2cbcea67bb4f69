"""How a run stands, in one sentence: from its findings, its measurements and how far it is.

`train`, `diagnose`, `evaluate`, `--stop-on` and the page all say this sentence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from counterfeit.files import Row
from counterfeit.insight.columns import newest_metrics
from counterfeit.measure.modes import FOUND
from counterfeit.measure.names import MetricName, class_shares, like, named
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurements

HEALTHY_COVERAGE = 0.5
"""Half of the real images have a sample near them; real images themselves cover about .95."""

HEALTHY_RECALL = 0.2
"""The 1s of MNIST alone, which are one class of ten, have a recall of .11."""

POOR = 0.05
"""Coverage or recall below this is next to none, and so are less than half of the classes."""

EARLY_UPDATES = 5_000
"""Runs that become healthy may have next to no coverage for so long (docs/reproduction.md,
docs/paper.md)."""

EARLY_SHARE = 0.1
"""Or for this share of the planned epochs."""

RECENT = 0.9
"""A finding that held after this share of the run may be back tomorrow: it counts as lasting."""

Standing = Literal["failing", "doubtful", "healthy", "open"]
Quality = Literal["good", "middling", "poor", "unknown"]

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Verdict:
    """One sentence, and what kind of news it is."""

    standing: Standing
    """`failing`: a critical finding lasts, or there is next to no variety when it is no longer
    early. `doubtful`: a warning lasts. `healthy`: neither, and the images were measured and are
    varied. `open`: anything else; the sentence says why."""
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on beside the findings."""

    step: int
    """Updates of G so far."""
    epoch: float
    epochs: int
    """As many are planned."""
    metrics: Measurements = field(default_factory=dict)
    """The newest evaluation; none where nothing was measured."""
    measured_epoch: float = 0.0
    is_newest: bool = False
    """Whether that evaluation is of the newest checkpoint."""
    real: Measurements = field(default_factory=dict)
    """What real images score."""
    latents_classes: Sequence[int] | None = None
    """The class of each fixed latent's image, -1 where the classifier is unsure; None where no
    classifier looked."""
    latents_epoch: float = 0.0
    data_classes: int | None = None
    """Classes in the data, as far as the vital signs know."""
    has_answers: bool = True
    """Whether D's answers are in the log as probabilities."""


def judge(
    run: Run,
    findings: Sequence[Finding],
    *,
    metrics: Sequence[Row] | None = None,
    real: Measurements | None = None,
) -> Verdict:
    """The verdict on a run, finished or not.

    Args:
        findings: of the run, most severe first.
        metrics: instead of the run's rows, and `real` likewise, where these could not be kept.
    """
    rows = run.log
    if not rows and not findings:
        return Verdict("open", "Nothing to judge yet: this run has not trained.")
    # A training whose numbers go wrong in its first interval leaves a finding and no row.
    step, epoch = max(
        [(int(row["step"]), float(row["epoch"])) for row in rows[-1:]]
        or [(finding.last_step, finding.last_epoch) for finding in findings]
    )
    newest = newest_metrics(run.metrics if metrics is None else metrics)
    reach = (run.checkpoint_steps or [step])[-1]
    looked = next((row for row in reversed(run.vitals) if isinstance(row.get("classes"), list)), {})
    classes = looked.get("data_classes")
    return verdict(
        findings,
        Evidence(
            step=step,
            epoch=epoch,
            epochs=run.recipe.training.epochs,
            metrics=newest["metrics"] if newest else {},
            measured_epoch=float(newest["epoch"]) if newest else 0.0,
            is_newest=newest is not None and newest["step"] >= reach,
            real=run.real_scores if real is None else real,
            latents_classes=looked.get("classes"),
            latents_epoch=float(looked.get("epoch", 0)),
            data_classes=classes if type(classes) is int and classes > 0 else None,
            has_answers=not rows or any("d_real_q05" in row for row in rows),
        ),
    )


def verdict(findings: Sequence[Finding], evidence: Evidence) -> Verdict:
    """The verdict on a run that has trained.

    Args:
        findings: most severe first.
    """
    serious = [finding for finding in findings if finding.severity != "note"]
    recent = RECENT * evidence.epoch
    lasting = [each for each in serious if each.lasts or each.last_epoch >= recent]
    past = [each for each in serious if each not in lasting]
    early = evidence.step < EARLY_UPDATES or evidence.epoch < EARLY_SHARE * evidence.epochs
    quality = _quality(evidence)
    failed = quality == "poor" and not early

    standing: Standing = "open"
    if failed or any(finding.severity == "critical" for finding in lasting):
        standing, opening = "failing", "Failing"
    elif lasting:
        standing, opening = "doubtful", "Take care"
    elif quality == "good":
        standing, opening = "healthy", "Recovered" if past else "Healthy"
    elif early:
        opening = "Too early to judge"
    else:
        opening = "Not there yet" if quality == "middling" else "Not judged"

    epochs = f"{evidence.epoch:.4g}"
    unfinished = evidence.epoch < evidence.epochs
    done = f"{epochs} epoch{'' if epochs == '1' else 's'}"
    reached = f"{epochs} of {evidence.epochs} epochs" if unfinished else done
    if opening == "Too early to judge":
        opening += f", after {reached} and {evidence.step:,} updates"
    elif unfinished:
        opening += f", after {reached}"

    clauses = [_named(lasting)] if lasting else []
    clauses.append(_seen(evidence, so_far=early and standing != "healthy"))
    if past:
        clauses.append(f"earlier, {_named(past)}")
    if failed and not lasting:
        clauses.append("no finding says why")
    if opening.startswith("Not there yet"):
        clauses.append(f"healthy takes {_wanted(evidence)}")
    if opening.startswith("Not judged") and not past:
        clauses.append("no failure shows in its losses and fixed latents")
    if standing == "healthy" and not past:
        clauses.append(f"nothing amiss was found in {done}")
    if not lasting and not evidence.has_answers:
        clauses.append("whether D overpowers G is unknown, as its answers are not in the log")
    return Verdict(standing, f"{opening}: {'; '.join(clauses)}.")


def _quality(evidence: Evidence) -> Quality:
    """Of the images now, by the newest checkpoint's evaluation; without one, the fixed latents'
    classes can still show that it is poor."""
    found, classes, coverage, recall = _variety(evidence)
    if found is not None and classes and found < classes / 2:
        return "poor"
    if any(share is not None and share < POOR for share in (coverage, recall)):
        return "poor"
    if coverage is None or (found is not None and not classes):
        return "unknown"
    return "middling" if _wanted(evidence) else "good"


def _variety(
    evidence: Evidence,
) -> tuple[float | None, int | None, float | None, float | None]:
    """Classes found, classes in the data, coverage and recall now, as far as they are known."""
    if evidence.is_newest:
        metrics = evidence.metrics
        found, classes = _value(metrics, "classes_found"), len(class_shares(metrics))
        return found, classes or None, _value(metrics, "coverage"), _value(metrics, "recall")
    if evidence.latents_classes is not None and evidence.latents_epoch >= RECENT * evidence.epoch:
        return _sure(evidence.latents_classes), evidence.data_classes, None, None
    return None, None, None, None


def _wanted(evidence: Evidence) -> str:
    """What it takes to be healthy, of all that it was seen to lack."""
    found, classes, coverage, recall = _variety(evidence)
    wanted = []
    if found is not None and classes and found < classes:
        wanted.append(f"all {_count(classes)} classes")
    if coverage is not None and coverage < HEALTHY_COVERAGE:
        wanted.append(f"coverage of {HEALTHY_COVERAGE:g}")
    if recall is not None and recall < HEALTHY_RECALL:
        wanted.append(f"recall of {HEALTHY_RECALL:g}")
    return _listed(wanted)


def _named(findings: Sequence[Finding]) -> str:
    names = [f"{finding.title} {finding.span}" for finding in findings[:2]]
    if len(findings) > 2:
        names.append(f"{_count(len(findings) - 2)} more")
    return _listed(names)


def _seen(evidence: Evidence, *, so_far: bool) -> str:
    """What the newest measurements say, beside what real images score, and what is missing."""
    so = "so far " if so_far else ""
    measured = _scores(evidence)
    if evidence.is_newest:
        parts = [so + ", ".join(measured)] if measured else []
        if evidence.measured_epoch < evidence.epoch and measured:
            parts[0] += f" at epoch {evidence.measured_epoch:.4g}, its newest checkpoint"
        missing = [
            text
            for metric, text in (("classes_found", "classes"), ("coverage", "coverage"))
            if _value(evidence.metrics, metric) is None
        ]
        if missing:
            what = missing[0] if len(missing) == 1 else "neither classes nor coverage"
            cannot = f"{what} could {'not ' if len(missing) == 1 else ''}be measured"
            parts.append(f"{cannot} (`counterfeit evaluate` says why)")
        return "; ".join(parts)
    parts = []
    if evidence.latents_classes is not None:
        found, of = _sure(evidence.latents_classes), evidence.data_classes
        parts.append(
            f"{so}{_classes(found, of)} among the {len(evidence.latents_classes)} fixed latents"
        )
        if evidence.latents_epoch < evidence.epoch:
            parts[0] += f" at epoch {evidence.latents_epoch:.4g}"
    if measured:
        at = f"at epoch {evidence.measured_epoch:.4g} and not measured since"
        parts.append(f"{', '.join(measured)} {at} (`counterfeit evaluate` does)")
    else:
        what = "coverage" if parts else "how good the images are"
        parts.append(f"{what} was not measured (`counterfeit evaluate` does)")
    return "; ".join(parts)


def _scores(evidence: Evidence) -> list[str]:
    """The newest evaluation's main numbers."""
    metrics = evidence.metrics
    parts = []
    found, shares = _value(metrics, "classes_found"), class_shares(metrics)
    if found is not None:
        parts.append(_classes(found, len(shares) or None))
        none = [
            str(name.of_class)
            for name, share in shares.items()
            if share.value < FOUND / len(shares)
        ]
        if 0 < len(none) == len(shares) - found <= 3:
            parts[0] += f" (no {', no '.join(none)})"
    scores = [("fid", "FID", ".3g"), ("coverage", "coverage", ".2f"), ("recall", "recall", ".2f")]
    if _value(metrics, "coverage") is None and found is None:
        scores.append(("parzen", "Parzen", ".0f"))
    compared = False
    for metric, name, digits in scores:
        key = named(metric, metrics)
        if key is None or math.isnan(metrics[key].value):
            continue
        if metric == "fid":
            of_inception = (MetricName.parse(key).features or "").startswith("inception")
            name = f"{'Inception' if of_inception else 'classifier'} FID"
        parts.append(f"{name} {metrics[key].value:{digits}}")
        if known := like(key, evidence.real):
            ceiling = evidence.real[known].value
            parts[-1] += f" against {ceiling:{digits}}" + ("" if compared else " for real images")
            compared = True
    return parts


def _classes(found: float, of: int | None) -> str:
    if of is None:
        return f"{found:.0f} class{'' if found == 1 else 'es'}"
    return f"all {_count(of)} classes" if found == of else f"{found:.0f} of {of} classes"


def _sure(classes: Sequence[int]) -> int:
    """How many classes some image surely is of."""
    return len({label for label in classes if type(label) is int and label >= 0})


def _value(metrics: Measurements, metric: str) -> float | None:
    """Of the metric of that name, whatever its protocol; None where it was not measured."""
    name = named(metric, metrics)
    return None if name is None or math.isnan(metrics[name].value) else metrics[name].value


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _count(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else str(number)
