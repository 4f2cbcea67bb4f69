"""How a run stands, in one sentence: from its findings, its measurements and how far it is.

`train`, `diagnose`, `evaluate`, `--stop-on` and the page all say this sentence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from counterfeit.files import Row
from counterfeit.insight.columns import newest_metrics
from counterfeit.language import current, english, tr, translated
from counterfeit.measure.modes import FOUND
from counterfeit.measure.names import MetricName, class_shares, like, named
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurements

HEALTHY_COVERAGE = 0.5
"""Half of the real images have a sample near them; real images themselves cover about .95."""

HEALTHY_ACCURACY = 0.9
"""Of classes that were asked for, where they were: real images of MNIST have .99."""

HEALTHY_RECALL = 0.2
"""The 1s of MNIST alone, which are one class of ten, have a recall of .11."""

FEW_IMAGES = 50
"""Real images score about 1,000 (`measure.support`)."""

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

TOO_EARLY = english("Too early to judge")
NOT_THERE = english("Not there yet")
NOT_JUDGED = english("Not judged")

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
    latents_support: float | None = None
    """About how many different images those are, where the vital signs say so."""
    data_classes: int | None = None
    """Classes in the data, as far as the vital signs know."""
    has_answers: bool = True
    """Whether D's answers are in the log: as probabilities, or as a critic's scores, of which none
    can overpower G."""


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
        return Verdict("open", tr("Nothing to judge yet: this run has not trained."))
    # A training whose numbers go wrong in its first interval leaves a finding and no row.
    step, epoch = max(
        [(int(row["step"]), float(row["epoch"])) for row in rows[-1:]]
        or [(finding.last_step, finding.last_epoch) for finding in findings]
    )
    newest = newest_metrics(run.metrics if metrics is None else metrics)
    reach = (run.sampled_steps or [step])[-1]
    looked = next((row for row in reversed(run.vitals) if isinstance(row.get("classes"), list)), {})
    classes = looked.get("data_classes")
    signs = next((row for row in reversed(run.vitals) if row["epoch"] >= RECENT * epoch), {})
    support = signs.get("support")
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
            latents_support=float(support) if isinstance(support, int | float) else None,
            data_classes=classes if type(classes) is int and classes > 0 else None,
            has_answers=not rows
            or any(key in row for row in rows for key in ("d_real_q05", "score_real_mean")),
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
        standing, opening = "failing", english("Failing")
    elif lasting:
        standing, opening = "doubtful", english("Take care")
    elif quality == "good":
        standing, opening = "healthy", english("Recovered") if past else english("Healthy")
    elif early:
        opening = TOO_EARLY
    else:
        opening = NOT_THERE if quality == "middling" else NOT_JUDGED

    clauses = [_named(lasting)] if lasting else []
    clauses += _seen(evidence, so_far=early and standing != "healthy")
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
    return Verdict(standing, f"{_head(opening, evidence)}: {tr('; ').join(clauses)}.")


def _head(opening: str, evidence: Evidence) -> str:
    """What a sentence opens with, and how far the run is where that matters."""
    reached = _epochs(evidence.epoch)
    if evidence.epoch < evidence.epochs:
        epoch, epochs = f"{evidence.epoch:.4g}", str(evidence.epochs)
        reached = tr("{epoch} of {epochs} epochs", epoch=epoch, epochs=epochs)
    if opening == TOO_EARLY:
        return tr(
            "Too early to judge, after {reached} and {updates} updates",
            reached=reached,
            updates=f"{evidence.step:,}",
        )
    said = translated(opening)
    if evidence.epoch < evidence.epochs:
        return tr("{opening}, after {reached}", opening=said, reached=reached)
    return said


def _epochs(number: float) -> str:
    epochs = f"{number:.4g}"
    return tr("1 epoch") if epochs == "1" else tr("{epochs} epochs", epochs=epochs)


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


def _wanted(evidence: Evidence) -> list[str]:
    """What it takes to be healthy, of all that it was seen to lack."""
    found, classes, coverage, recall = _variety(evidence)
    wanted = []
    if found is not None and classes and found < classes:
        wanted.append(tr("all {count} classes", count=_count(classes)))
    if coverage is not None and coverage < HEALTHY_COVERAGE:
        wanted.append(tr("coverage of {least}", least=f"{HEALTHY_COVERAGE:g}"))
    if recall is not None and recall < HEALTHY_RECALL:
        wanted.append(tr("recall of {least}", least=f"{HEALTHY_RECALL:g}"))
    accuracy = _value(evidence.metrics, "class_accuracy") if evidence.is_newest else None
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
    more = _count(len(findings) - 2)
    return tr("{findings} and {count} more", findings=", ".join(names), count=more)


def _seen(evidence: Evidence, *, so_far: bool) -> list[str]:
    """What the newest measurements say, beside what real images score, and what is missing."""
    measured = ", ".join(_scores(evidence))
    measured_epoch = f"{evidence.measured_epoch:.4g}"
    clauses = []
    if evidence.is_newest:
        if measured:
            clauses.append(tr("{scores}", scores=measured))
            if evidence.measured_epoch < evidence.epoch:
                clauses[0] = tr(
                    "{what} at epoch {epoch}, its newest checkpoint",
                    what=clauses[0],
                    epoch=measured_epoch,
                )
        missing = {
            metric
            for metric in ("classes_found", "coverage")
            if _value(evidence.metrics, metric) is None
        }
        if len(missing) == 2:
            clauses.append(
                tr(
                    "neither classes nor coverage could be measured"
                    " (`counterfeit evaluate` says why)"
                )
            )
        elif "coverage" in missing:
            clauses.append(tr("coverage could not be measured (`counterfeit evaluate` says why)"))
        elif missing:
            clauses.append(tr("classes could not be measured (`counterfeit evaluate` says why)"))
        if so_far and measured:
            clauses[0] = tr("so far {what}", what=clauses[0])
        return clauses
    if evidence.latents_classes is not None:
        found, of = _sure(evidence.latents_classes), evidence.data_classes
        among = tr(
            "{classes} among the {count} fixed latents",
            classes=_classes(found, of),
            count=str(len(evidence.latents_classes)),
        )
        if evidence.latents_epoch < evidence.epoch:
            epoch = f"{evidence.latents_epoch:.4g}"
            among = tr("{what} at epoch {epoch}", what=among, epoch=epoch)
        clauses.append(tr("so far {what}", what=among) if so_far else among)
    elif evidence.latents_support is not None and evidence.latents_support < FEW_IMAGES:
        few = tr(
            "about {count} different images among the fixed latents",
            count=f"{evidence.latents_support:.0f}",
        )
        clauses.append(tr("so far {what}", what=few) if so_far else few)
    if measured:
        clauses.append(
            tr(
                "{scores} at epoch {epoch} and not measured since (`counterfeit evaluate` does)",
                scores=measured,
                epoch=measured_epoch,
            )
        )
    elif clauses:
        clauses.append(tr("coverage was not measured (`counterfeit evaluate` does)"))
    else:
        clauses.append(tr("how good the images are was not measured (`counterfeit evaluate` does)"))
    return clauses


def _scores(evidence: Evidence) -> list[str]:
    """The newest evaluation's main numbers."""
    metrics = evidence.metrics
    parts = []
    found, shares = _value(metrics, "classes_found"), class_shares(metrics)
    if found is not None:
        parts.append(_classes(found, len(shares) or None))
        none = [
            tr("no {label}", label=str(name.of_class))
            for name, share in shares.items()
            if share.value < FOUND / len(shares)
        ]
        if 0 < len(none) == len(shares) - found <= 3:
            parts = [tr("{classes} ({missing})", classes=parts[0], missing=", ".join(none))]
    scores = [
        ("fid", tr("classifier FID"), ".3g"),
        ("coverage", tr("coverage"), ".2f"),
        ("recall", tr("recall"), ".2f"),
        ("class_accuracy", tr("class accuracy"), ".3f"),
    ]
    if _value(metrics, "coverage") is None and found is None:
        scores.append(("support_size", tr("number of different images"), ",.0f"))
        scores.append(("parzen", tr("Parzen"), ".0f"))
    compared = False
    for metric, name, digits in scores:
        key = named(metric, metrics)
        if key is None or math.isnan(metrics[key].value):
            continue
        if (MetricName.parse(key).features or "").startswith("inception") and metric == "fid":
            name = tr("Inception FID")
        score = f"{name} {metrics[key].value:{digits}}"
        if known := like(key, evidence.real):
            real = f"{evidence.real[known].value:{digits}}"
            if compared:
                score = tr("{score} against {real}", score=score, real=real)
            else:
                score = tr("{score} against {real} for real images", score=score, real=real)
            compared = True
        parts.append(score)
    return parts


def _classes(found: float, of: int | None) -> str:
    if of is None:
        return tr("1 class") if found == 1 else tr("{found} classes", found=f"{found:.0f}")
    if found == of:
        return tr("all {count} classes", count=_count(of))
    return tr("{found} of {of} classes", found=f"{found:.0f}", of=str(of))


def _sure(classes: Sequence[int]) -> int:
    """How many classes some image surely is of."""
    return len({label for label in classes if type(label) is int and label >= 0})


def _value(metrics: Measurements, metric: str) -> float | None:
    """Of the metric of that name, whatever its protocol; None where it was not measured."""
    name = named(metric, metrics)
    return None if name is None or math.isnan(metrics[name].value) else metrics[name].value


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(words) == 1:
        return words[0]
    return tr("{words} and {last}", words=", ".join(words[:-1]), last=words[-1])


def _count(number: int) -> str:
    return NUMBERS[number] if current() == "en" and number < len(NUMBERS) else str(number)
