"""How a run stands, in one sentence: from its findings, its measurements and how far it is.

`train`, `diagnose`, `evaluate`, `--stop-on` and the page all say this sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from counterfeit.files import Row
from counterfeit.insight.detectors.series import GROWN_UP, STALLED_UPDATES
from counterfeit.insight.evidence import RECENT, Evidence, seen
from counterfeit.insight.numbers import counted, listed
from counterfeit.language import english, tr, translated
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurements

HEALTHY_COVERAGE = 0.5
"""Half of the real images have a sample near them; real images themselves cover about .95."""

HEALTHY_ACCURACY = 0.9
"""Of classes that were asked for, where they were: real images of MNIST have .99."""

HEALTHY_RECALL = 0.2
"""The 1s of MNIST alone, which are one class of ten, have a recall of .11."""

POOR = 0.05
"""Coverage or recall below this is next to none, and so are less than half of the classes."""

EARLY_UPDATES = 5_000
"""Runs that become healthy may have next to no coverage for so long (docs/reproduction.md,
docs/paper.md)."""

EARLY_SHARE = 0.1
"""Or for this share of the planned epochs."""

LEAST_UPDATES = GROWN_UP + STALLED_UPDATES
"""A training that ends as planned is judged from here on, if not to fail: so many updates it takes
until every detector may speak."""

Standing = Literal["failing", "doubtful", "healthy", "open"]
Quality = Literal["good", "middling", "poor", "unknown"]

TOO_EARLY = english("Too early to judge")
NOT_THERE = english("Not there yet")
NOT_JUDGED = english("Not judged")


@dataclass(frozen=True)
class Verdict:
    """One sentence, and what kind of news it is."""

    standing: Standing
    """`failing`: a critical finding lasts, or there is next to no variety when it is no longer
    early. `doubtful`: a warning lasts. `healthy`: neither, and the images were measured and are
    varied. `open`: anything else; the sentence says why."""
    sentence: str


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
    if not run.log and not findings:
        return Verdict("open", tr("Nothing to judge yet: this run has not trained."))
    return verdict(findings, Evidence.of(run, findings, metrics, real))


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
    complete = evidence.epoch >= evidence.epochs and evidence.step >= LEAST_UPDATES
    quality = _quality(evidence)
    failed = quality == "poor" and not early

    standing: Standing = "open"
    if failed or any(finding.severity == "critical" for finding in lasting):
        standing, opening = "failing", english("Failing")
    elif lasting:
        standing, opening = "doubtful", english("Take care")
    elif quality == "good":
        standing, opening = "healthy", english("Recovered") if past else english("Healthy")
    elif early and not complete:
        opening = TOO_EARLY
    else:
        opening = NOT_JUDGED if quality == "unknown" else NOT_THERE

    clauses = [_named(lasting)] if lasting else []
    clauses += seen(evidence, so_far=early and standing != "healthy")
    if past:
        clauses.append(tr("earlier, {findings}", findings=_named(past)))
    if failed and not lasting:
        clauses.append(tr("no finding says why"))
    if opening == NOT_THERE:
        clauses.append(tr("healthy takes {what}", what=listed(_wanted(evidence))))
    if opening == NOT_JUDGED and not past:
        clauses.append(tr("no failure shows in its losses and fixed latents"))
    if standing == "healthy" and not past:
        clauses.append(tr("nothing amiss was found in {epochs}", epochs=_epochs(evidence.epoch)))
    if not lasting and not evidence.has_answers:
        clauses.append(tr("whether D overpowers G is unknown, as its answers are not in the log"))
    head = _head(opening, evidence, young=early and standing == "open")
    return Verdict(standing, f"{head}: {tr('; ').join(clauses)}.")


def _head(opening: str, evidence: Evidence, *, young: bool) -> str:
    """What a sentence opens with, and how far the run is where that matters.

    Args:
        young: whether it matters how many updates there were.
    """
    reached = _epochs(evidence.epoch)
    if evidence.epoch < evidence.epochs:
        epoch, epochs = f"{evidence.epoch:.4g}", str(evidence.epochs)
        reached = tr("{epoch} of {epochs} epochs", epoch=epoch, epochs=epochs)
    said = translated(opening)
    if young:
        updates = f"{evidence.step:,}"
        return tr(
            "{opening}, after {reached} and {updates} updates",
            opening=said,
            reached=reached,
            updates=updates,
        )
    if evidence.epoch < evidence.epochs:
        return tr("{opening}, after {reached}", opening=said, reached=reached)
    return said


def _epochs(number: float) -> str:
    epochs = f"{number:.4g}"
    return tr("1 epoch") if epochs == "1" else tr("{epochs} epochs", epochs=epochs)


def _quality(evidence: Evidence) -> Quality:
    """Of the images now, by the newest checkpoint's evaluation; without one, the fixed latents'
    classes can still show that it is poor."""
    found, classes, coverage, recall = evidence.variety
    if found is not None and classes and found < classes / 2:
        return "poor"
    if any(share is not None and share < POOR for share in (coverage, recall)):
        return "poor"
    if coverage is None or (found is not None and not classes):
        return "unknown"
    return "middling" if _wanted(evidence) else "good"


def _wanted(evidence: Evidence) -> list[str]:
    """What it takes to be healthy, of all that it was seen to lack."""
    found, classes, coverage, recall = evidence.variety
    wanted = []
    if found is not None and classes and found < classes:
        wanted.append(tr("all {count} classes", count=counted(classes)))
    if coverage is not None and coverage < HEALTHY_COVERAGE:
        wanted.append(tr("coverage of {least}", least=f"{HEALTHY_COVERAGE:g}"))
    if recall is not None and recall < HEALTHY_RECALL:
        wanted.append(tr("recall of {least}", least=f"{HEALTHY_RECALL:g}"))
    accuracy = evidence.value("class_accuracy") if evidence.is_newest else None
    if accuracy is not None and accuracy < HEALTHY_ACCURACY:
        wanted.append(tr("class accuracy of {least}", least=f"{HEALTHY_ACCURACY:g}"))
    return wanted


def _named(findings: Sequence[Finding]) -> str:
    names = [
        tr("{title} {span}", title=translated(each.title), span=translated(each.span))
        for each in findings[:2]
    ]
    if len(findings) <= 2:
        return listed(names)
    more = counted(len(findings) - 2)
    return tr("{findings} and {count} more", findings=", ".join(names), count=more)
