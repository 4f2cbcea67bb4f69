"""A run's rows: the .jsonl files that training, measuring and diagnosis add to.

`LogRow`, `VitalsRow`, `MetricsRow` and `findings.Finding` are what is written. What is read is a
`Row`: of another version, or of another program, it may lack columns or have more; None stands for
a number that was not finite.
"""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, NotRequired, Required, TypedDict

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row, read_rows, sync, write_rows, write_whole

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


class LeftOut(NamedTuple):
    """Metrics that could not be measured; `[metrics, why]` in files."""

    metrics: tuple[str, ...]
    """What their names begin with: `fid`, `share`, …"""
    why: str


class ProbabilityColumns(TypedDict, total=False):
    """What D says over an interval, where the loss makes its logits probabilities, in [0, 1]."""

    d_real_mean: float
    """Of D(x), over the interval's real images."""
    d_real_q05: float
    """5 % quantile of D(x); the others likewise."""
    d_real_q25: float
    d_real_q50: float
    d_real_q75: float
    d_real_q95: float
    d_fake_mean: float
    """Of D(G(z)), over the interval's generated images; the quantiles likewise."""
    d_fake_q05: float
    d_fake_q25: float
    d_fake_q50: float
    d_fake_q75: float
    d_fake_q95: float


class ScoreColumns(TypedDict, total=False):
    """What D says over an interval, where its answers are scores without a unit (critics)."""

    score_real_mean: float
    """Of f(x), over the interval's real images; quantiles and `score_fake_mean` as in
    `ProbabilityColumns`."""
    score_real_q05: float
    score_real_q25: float
    score_real_q50: float
    score_real_q75: float
    score_real_q95: float
    score_fake_mean: float
    score_fake_q05: float
    score_fake_q25: float
    score_fake_q50: float
    score_fake_q75: float
    score_fake_q95: float
    score_gap: float
    """`score_real_mean` less `score_fake_mean`: a Wasserstein critic's estimate of the distance of
    p_g from p_data, as a multiple of its Lipschitz constant."""


class PenaltyColumns(TypedDict, total=False):
    """What was added to D's loss, its weight included: the mean over the interval's updates in
    which it was due."""

    penalty_gradient: float
    penalty_r1: float
    penalty_r2: float
    penalty_consistency: float


class HeadColumns(TypedDict, total=False):
    """What D's other heads add to its loss, their weights included: means over the interval."""

    penalty_classes: float
    """The cross entropies of D's head for classes, of real images and of fakes, in nats."""
    penalty_codes: float
    """The same of its head for codes, of fakes."""


class IntervalColumns(ProbabilityColumns, ScoreColumns, PenaltyColumns, HeadColumns, total=False):
    """What an interval of updates is remembered by."""

    d_loss: float
    """Mean over the interval's updates, without penalties; in nats where the loss is of
    probabilities. `g_loss` likewise."""
    g_loss: float
    d_loss_last: float
    """Of the interval's last update; `g_loss_last` likewise."""
    g_loss_last: float
    d_grad_norm: float
    """Euclidean norm of D's gradient in the last update; `g_grad_norm` likewise."""
    g_grad_norm: float
    augmented: float
    """Probability with which an image is augmented before D sees it, where that adapts."""


class LogRow(IntervalColumns, total=False):
    """A row of log.jsonl: an interval of updates that ends with `step`."""

    step: Required[int]
    """Updates of G so far."""
    epoch: Required[float]
    """Passes over the data so far."""
    images_per_second: float
    """Real images that D saw, over the time since the row before."""


class ForeignColumns(TypedDict, total=False):
    """What is seen of a loop that is not ours, in the epoch that ends."""

    sampled_in_train_mode: float
    """Calls of G in train mode that no loss came of; where it does otherwise in eval mode."""
    trained_in_eval_mode: float
    """Share of G's other calls that were made in eval mode."""
    latents_repeated: float
    """Share of the batches of latents looked at, one an interval, that had been seen before."""
    shown_mean: float
    """Mean pixel of a batch of real images as D was shown it, 0 and 1 being the ends of G's range;
    `shown_std` likewise, and `real_mean` and `real_std` those of the data in that range."""
    shown_std: float
    real_mean: float
    real_std: float


class VitalsRow(ForeignColumns, total=False):
    """A row of vitals.jsonl: what an epoch's images and networks tell (see `insight.vitals`).

    Distances are Euclidean between images with pixels in [0, 1], as multiples of the mean distance
    between two training images.
    """

    step: Required[int]
    epoch: Required[float]
    data_repeated: float
    """Share of training images that are flat or equal to another one."""

    real_distance: float
    """The unit of all distances: the mean one between two training images, or an image's length
    where all are alike."""

    # Of the 100 fixed latents' images:
    spread: float
    """Mean distance between two of them: 1 for training images, 0 when all are alike."""
    distance: float
    """Energy distance to the training images: 0 for the same distribution."""
    nearest_real: float
    """Median distance to the nearest of 1,000 training images, as a multiple of what it is for
    these themselves."""
    moved: float
    """Mean distance from the same latents' images one epoch before."""
    extreme: float
    """Share of pixels that are 0 or 255."""
    real_extreme: float
    """The same of the training images."""
    repeated: float
    """Share of the commonest image."""
    support: float
    """About how many different images they are, by the pairs that are near-copies: one over these
    pairs' share (`measure.support`)."""
    real_support: float
    """The same of the training images, which say how near that is: 1,000 where none is repeated."""
    unlike: float
    """Share that is rougher or smoother, of more or less contrast, brighter or darker, of more
    or less colour than nearly all training images, or has what nearly none has in its place
    (`measure.likeness`)."""
    real_unlike: float
    """The same of held-out images."""
    class_spread: list[float | None]
    """Of each class, where they were asked for classes: the mean distance between two of its
    images, as a multiple of what it is for training images of the class."""
    least_class_spread: float | None
    """The least of these."""

    # When the networks are examined too, where they apply:
    classes: list[int]
    """The class of each of the 100 images, -1 where the classifier is unsure."""
    data_classes: int
    """How many classes there are in the data."""
    asked: list[int]
    """The class that each of the 100 images was asked for, where they were."""
    class_agreement: float
    """The share of these that are of that class, of those that the classifier is sure of."""
    g_dead: float
    """G's rectifiers that are never on over 128 latents, as a share of the worst layer."""
    batchnorm_gap: float
    """Mean distance between what one latent becomes in train mode and in eval mode."""
    copied: float
    """Median distance of 50 images to their nearest training image, as a multiple of what it is
    for held-out images."""
    d_dead: float
    """As `g_dead`, over 64 training images and as many fakes."""
    d_idle_pieces: float
    """Maxout pieces that are never the largest, as a share of the worst layer."""
    d_training: float
    """Mean of D(x) of training images, without dropout; of others, `d_held_out`, `d_generated`.
    Of critics, `score_training` and so on: the means of f(x)."""
    d_held_out: float
    d_generated: float
    score_training: float
    score_held_out: float
    score_generated: float
    d_knows: float
    """Probability that D rates a training image above a held-out one; 1/2 by chance."""


class MetricsRow(TypedDict):
    """A row of metrics.jsonl: an evaluation of the checkpoint of `step`."""

    step: int
    epoch: float
    metrics: Measurements
    left_out: NotRequired[Sequence[LeftOut]]
    """What could not be measured then; rows of earlier versions do not say."""


def read_log(folder: Path) -> list[Row]:
    path = folder / LOG
    rows = read_rows(path)
    for before, after in pairwise(rows):
        if before["step"] >= after["step"]:
            raise CounterfeitError(f"{path} is damaged: its steps do not rise.")
    return rows


def read_metrics(folder: Path) -> list[Row]:
    """Rows of `step`, `epoch`, `metrics`, which are `Measurements`, and perhaps `left_out`."""
    path = folder / METRICS
    rows = read_rows(path)
    if not all(_is_measured(row.get("metrics")) for row in rows):
        raise CounterfeitError(f"{path} is damaged: a row holds no [value, spread] by name.")
    return [
        row
        | {"metrics": {name: _measurement(*pair) for name, pair in row["metrics"].items()}}
        | ({"left_out": _left_out(row["left_out"])} if "left_out" in row else {})
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


def flush(folder: Path) -> None:
    """See the rows of training safe from a power cut."""
    for name in (LOG, FINDINGS):
        sync(folder / name)


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


def _left_out(lines: object) -> list[LeftOut]:
    """As far as they are [metrics, why]; they explain, and nothing rests on them."""
    return [
        LeftOut(tuple(map(str, line[0])), str(line[1]))
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, list) and len(line) == 2 and isinstance(line[0], list)
    ]


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
