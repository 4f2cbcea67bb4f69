"""What a verdict rests on beside the findings, and how that is said."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from counterfeit.files import Row
from counterfeit.insight.columns import newest_metrics
from counterfeit.insight.numbers import counted
from counterfeit.language import tr
from counterfeit.measure.modes import FOUND
from counterfeit.measure.names import MetricName, class_shares, like, named
from counterfeit.measure.support import as_many
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurements

RECENT = 0.9
"""What was seen after this share of the run, or held until then, counts as what is so now."""

FEW_IMAGES = 50
"""Real images score about 1,000 (`measure.support`)."""


class Variety(NamedTuple):
    """How varied the images are now, as far as it is known."""

    found: float | None = None
    """Classes."""
    classes: int | None = None
    """In the data."""
    coverage: float | None = None
    recall: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What a run has come to, and what is known of its images."""

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

    @classmethod
    def of(
        cls,
        run: Run,
        findings: Sequence[Finding],
        metrics: Sequence[Row] | None,
        real: Measurements | None,
    ) -> "Evidence":
        """That of a run with a row of the log or a finding; see `verdict.judge`."""
        rows, vitals = run.log, run.vitals
        # A training whose numbers go wrong in its first interval leaves a finding and no row.
        step, epoch = max(
            [(int(row["step"]), float(row["epoch"])) for row in rows[-1:]]
            or [(finding.last_step, finding.last_epoch) for finding in findings]
        )
        newest = newest_metrics(run.metrics if metrics is None else metrics)
        reach = (run.sampled_steps or [step])[-1]
        looked = next((row for row in reversed(vitals) if isinstance(row.get("classes"), list)), {})
        classes = looked.get("data_classes")
        signs = next((row for row in reversed(vitals) if row["epoch"] >= RECENT * epoch), {})
        support = signs.get("support")
        return cls(
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
        )

    def value(self, metric: str) -> float | None:
        """Of the metric of that name, whatever its protocol; None where it was not measured."""
        name = named(metric, self.metrics)
        value = math.nan if name is None else self.metrics[name].value
        return None if math.isnan(value) else value

    @property
    def variety(self) -> Variety:
        """By the newest checkpoint's evaluation; without one, by the fixed latents' classes."""
        if self.is_newest:
            classes = len(class_shares(self.metrics)) or None
            found, coverage, recall = map(self.value, ("classes_found", "coverage", "recall"))
            return Variety(found, classes, coverage, recall)
        if self.latents_classes is not None and self.latents_epoch >= RECENT * self.epoch:
            return Variety(_sure(self.latents_classes), self.data_classes)
        return Variety()


def seen(evidence: Evidence, *, so_far: bool) -> list[str]:
    """What the newest measurements say, beside what real images score, and what is missing.

    Args:
        so_far: whether it may still become otherwise.
    """
    said, missing = (_measured_now if evidence.is_newest else _measured_before)(evidence)
    if said and so_far:
        said = tr("so far {what}", what=said)
    return [each for each in (said, missing) if each]


def _measured_now(evidence: Evidence) -> tuple[str, str]:
    scores = ", ".join(_scores(evidence))
    said = scores and tr("{scores}", scores=scores)  # a clause, which takes a verb in Korean
    if said and evidence.measured_epoch < evidence.epoch:
        said = tr(
            "{what} at epoch {epoch}, its newest checkpoint",
            what=said,
            epoch=f"{evidence.measured_epoch:.4g}",
        )
    has_classes, has_coverage = (
        evidence.value(metric) is not None for metric in ("classes_found", "coverage")
    )
    if has_classes and has_coverage:
        return said, ""
    if has_classes:
        return said, tr("coverage could not be measured (`counterfeit evaluate` says why)")
    if has_coverage:
        return said, tr("classes could not be measured (`counterfeit evaluate` says why)")
    return said, tr(
        "neither classes nor coverage could be measured (`counterfeit evaluate` says why)"
    )


def _measured_before(evidence: Evidence) -> tuple[str, str]:
    said = ""
    if evidence.latents_classes is not None:
        said = tr(
            "{classes} among the {count} fixed latents",
            classes=_classes(_sure(evidence.latents_classes), evidence.data_classes),
            count=str(len(evidence.latents_classes)),
        )
        if evidence.latents_epoch < evidence.epoch:
            epoch = f"{evidence.latents_epoch:.4g}"
            said = tr("{what} at epoch {epoch}", what=said, epoch=epoch)
    elif evidence.latents_support is not None and evidence.latents_support < FEW_IMAGES:
        said = tr(
            "about {count} different images among the fixed latents",
            count=f"{evidence.latents_support:.0f}",
        )
    if measured := ", ".join(_scores(evidence)):
        return said, tr(
            "{scores} at epoch {epoch} and not measured since (`counterfeit evaluate` does)",
            scores=measured,
            epoch=f"{evidence.measured_epoch:.4g}",
        )
    if said:
        return said, tr("coverage was not measured (`counterfeit evaluate` does)")
    return said, tr("how good the images are was not measured (`counterfeit evaluate` does)")


def _scores(evidence: Evidence) -> list[str]:
    """The newest evaluation's main numbers."""
    metrics = evidence.metrics
    parts = []
    found, shares = evidence.value("classes_found"), class_shares(metrics)
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
        ("fid", _fid(metrics), ".3g"),
        ("coverage", tr("coverage"), ".2f"),
        ("recall", tr("recall"), ".2f"),
        ("class_accuracy", tr("class accuracy"), ".3f"),
    ]
    if evidence.value("coverage") is None and found is None:
        scores.append(("support_size", tr("number of different images"), ",.0f"))
        scores.append(("parzen", tr("Parzen"), ".0f"))
    compared = False
    for metric, name, digits in scores:
        key = named(metric, metrics)
        if key is None or math.isnan(metrics[key].value):
            continue
        known = like(key, evidence.real)
        if known and metric == "support_size" and as_many(metrics[key], evidence.real[known]):
            parts.append(tr("as many different images as real ones"))
            continue
        score = f"{name} {metrics[key].value:{digits}}"
        if known:
            real = f"{evidence.real[known].value:{digits}}"
            if compared:
                score = tr("{score} against {real}", score=score, real=real)
            else:
                score = tr("{score} against {real} for real images", score=score, real=real)
            compared = True
        parts.append(score)
    return parts


def _fid(metrics: Iterable[str]) -> str:
    """What FID is called, by whose features it is of."""
    kind = MetricName.parse(named("fid", metrics) or "").kind
    if kind == "inception":
        return tr("Inception FID")
    return tr("RotNet FID") if kind == "rotnet" else tr("classifier FID")


def _classes(found: float, of: int | None) -> str:
    if of is None:
        return tr("1 class") if found == 1 else tr("{found} classes", found=f"{found:.0f}")
    if found == of:
        return tr("all {count} classes", count=counted(of))
    return tr("{found} of {of} classes", found=f"{found:.0f}", of=str(of))


def _sure(classes: Sequence[int]) -> int:
    """How many classes some image surely is of."""
    return len({label for label in classes if type(label) is int and label >= 0})
