"""From a run's rows to findings: each detector is one small function with its own thresholds.

A detector looks at a `Record` and says what it found, if anything. Thresholds were set on one half
of a zoo of labelled runs and tested on the other: benchmarks/zoo.py, docs/diagnosis.md.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from counterfeit.files import Row
from counterfeit.measure.names import MetricName
from counterfeit.recipe import Recipe
from counterfeit.run.findings import SEVERITIES, Finding, Severity

Column = Float[np.ndarray, " rows"]

GAN = "Goodfellow et al. 2014 (arXiv 1406.2661)"
GANHACKS = "ganhacks (Chintala et al. 2016)"


@dataclass(frozen=True)
class Record:
    """What is known of a run, up to some step."""

    recipe: Recipe
    log: Sequence[Row]
    vitals: Sequence[Row] = ()
    metrics: Sequence[Row] = ()
    kept_epochs: Sequence[int] = ()
    """Epochs whose checkpoints are kept."""

    def until(self, epoch: float) -> "Record":
        """What was known at the end of that epoch."""
        log, vitals, metrics = (
            [row for row in rows if row["epoch"] <= epoch]
            for rows in (self.log, self.vitals, self.metrics)
        )
        kept = [each for each in self.kept_epochs if each <= epoch]
        return replace(self, log=log, vitals=vitals, metrics=metrics, kept_epochs=kept)

    @cached_property
    def epochs(self) -> list[Row]:
        """The log's rows, averaged within each epoch, the last of which may be going on."""
        groups: dict[int, list[Row]] = {}
        for row in self.log:
            groups.setdefault(math.ceil(row["epoch"] - 1e-9), []).append(row)
        return [
            {key: float(column(rows, key).mean()) for key in rows[-1]}
            | {key: rows[-1][key] for key in ("step", "epoch")}
            for rows in groups.values()
        ]

    @cached_property
    def images(self) -> list[Row]:
        """Rows of vital signs, but that of the untrained networks."""
        return [row for row in self.vitals if row["step"] > 0]

    @cached_property
    def joined(self) -> list[Row]:
        """Rows of vital signs, each with its epoch's row of the log."""
        logged = {row["step"]: row for row in self.epochs}
        return [logged[row["step"]] | row for row in self.images if row["step"] in logged]

    @cached_property
    def examined(self) -> list[Row]:
        """Those with the networks' numbers."""
        return [row for row in self.images if "d_generated" in row]


def column(rows: Sequence[Row], key: str) -> Column:
    """A number of each row, NaN where it is absent or was not finite."""
    values = (row.get(key) for row in rows)
    return np.array([v if isinstance(v, int | float) else np.nan for v in values], np.float64)


def _classes(row: Row) -> list[int]:
    """The class of each fixed latent's image, -1 where unsure; none where nothing said so."""
    classes = row.get("classes")
    return [c for c in classes if type(c) is int] if isinstance(classes, list) else []


@dataclass(frozen=True)
class Spell:
    """The rows, from `first` to `last`, in which something held without a break."""

    first: int
    last: int
    lasts: bool
    """Whether it still holds at the last row."""


def last_spell(holds: Bool[np.ndarray, " rows"], least: int) -> Spell | None:
    """The last time that something held for `least` rows or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(int)))
    spells = [
        Spell(int(start), int(end) - 1, int(end) == len(holds))
        for start, end in edges.reshape(-1, 2)
        if end - start >= least
    ]
    return spells[-1] if spells else None


def _found(
    name: str,
    severity: Severity,
    rows: Sequence[Row],
    spell: Spell | None,
    evidence: Sequence[str],
    figure: str,
    meaning: str,
    advice: str,
    source: str,
) -> list[Finding]:
    """The finding that a spell makes, one degree milder when it has passed.

    Args:
        rows: what the spell counts.
        evidence: keys whose values in the spell's last row are shown.
    """
    if spell is None:
        return []
    first, last = rows[spell.first], rows[spell.last]
    if not spell.lasts:
        severity = SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
        meaning = (
            f"It has passed after epoch {last['epoch']:.4g}: {meaning[0].lower()}{meaning[1:]}"
        )
    numbers: dict[str, float | str] = {
        key: last[key] for key in evidence if isinstance(last.get(key), int | float)
    }
    return [
        Finding(
            name=name,
            severity=severity,
            first_step=int(first["step"]),
            last_step=int(last["step"]),
            first_epoch=float(first["epoch"]),
            last_epoch=float(last["epoch"]),
            evidence=numbers | {"figure": figure},
            meaning=meaning,
            advice=advice,
            source=source,
        )
    ]


# Discriminator against generator

WON_REAL_Q05 = 0.8
WON_FAKE_Q95 = 0.05
WON_EPOCHS = 2


def overpowering(record: Record) -> list[Finding]:
    """D is sure of nineteen in twenty real images and of as many fakes."""
    rows = record.epochs
    won = (column(rows, "d_real_q05") > WON_REAL_Q05) & (column(rows, "d_fake_q95") < WON_FAKE_Q95)
    minimax = record.recipe.loss.generator == "minimax"
    meaning = "D tells every fake from every real image, so G has nothing left to learn from."
    advice = (
        "Slow D down or strengthen G: a lower --set discriminator.optimizer.lr, more"
        " --set discriminator.dropout, or --set generator.batch_norm=true."
    )
    if minimax:
        meaning = (
            "D rejects every fake, and the slope of log(1 - D(G(z))) is proportional to D(G(z)):"
            " the minimax loss gives G no gradient just when it needs one."
        )
        advice = "--set loss.generator=non-saturating, whose gradient stays when D wins."
    return _found(
        "discriminator-overpowering",
        "critical",
        rows,
        last_spell(won, WON_EPOCHS),
        ["d_loss", "d_real_q05", "d_fake_mean", "d_fake_q95", "g_loss", "g_grad_norm"],
        "outputs",
        meaning,
        advice,
        f"{GAN}, section 3; Arjovsky and Bottou 2017 (arXiv 1701.04862), section 2; "
        f"{GANHACKS}, entry 10",
    )


PASSED_GAP = 0.15
GARBAGE_DISTANCE = 0.6
PASSED_EPOCHS = 3


def garbage_passes(record: Record) -> list[Finding]:
    """D rates fakes about as high as real images, and they are nothing like them."""
    rows = record.joined
    passed = column(rows, "d_real_mean") - column(rows, "d_fake_mean") < PASSED_GAP
    far = column(rows, "distance") > GARBAGE_DISTANCE
    return _found(
        "garbage-passes",
        "critical",
        rows,
        last_spell(passed & far & grown_up(rows), PASSED_EPOCHS),
        ["d_real_mean", "d_fake_mean", "d_loss", "distance", "spread"],
        "outputs",
        "D cannot tell G's images from real ones although they are nothing like them, so it teaches"
        " G nothing; losses near log 2 are no sign of balance here.",
        "Let D learn: a higher --set discriminator.optimizer.lr, or Adam for it, as in --set"
        " discriminator.optimizer.name=adam; if D(x) is below D(G(z)), see whether its labels are"
        " swapped.",
        f"{GAN}, section 4.1, whose equilibrium needs D at its optimum",
    )


# The images

COLLAPSED_SPREAD = 0.15
SAME_SPREAD = 0.01
COLLAPSED_EPOCHS = 2


def mode_collapse(record: Record) -> list[Finding]:
    """All latents become about the same image, for long; or exactly the same, at once."""
    rows = record.images
    spread = column(rows, "spread")
    same = (spread < SAME_SPREAD) & (updates_since_move(rows) > 0)
    spell = last_spell(same, COLLAPSED_EPOCHS)
    if spell is None or not spell.lasts:
        alike = (spread < COLLAPSED_SPREAD) & grown_up(rows)
        if record.recipe.generator.ema_decay:  # an average of young weights lags behind them
            alike &= stalled(rows)
        spell = last_spell(alike | same, COLLAPSED_EPOCHS) or spell
    return _found(
        "mode-collapse",
        "critical",
        rows,
        spell,
        ["spread", "repeated", "distance"],
        "latents",
        "G makes about the same image whatever its latent: what the paper calls the Helvetica"
        " scenario.",
        "Train D more for each step of G (--set training.discriminator_steps=2) or G less"
        " (a lower --set generator.optimizer.lr), or --set generator.batch_norm=true.",
        f"{GAN}, section 6; Salimans et al. 2016 (arXiv 1606.03498), section 3.2",
    )


NARROW_SPREAD = 0.5
REPEATED = 0.1
TOP_CLASS = 0.6
SURE_IMAGES = 20
STALLED = 0.8
STALLED_EPOCHS = 4
STALLED_UPDATES = 700
NARROW_EPOCHS = 2


def partial_collapse(record: Record) -> list[Finding]:
    """G's images are few, or of one class, and have stopped getting nearer to the data."""
    rows = record.images
    spread = column(rows, "spread")
    top = np.array([top_share(_classes(row)) for row in rows])
    narrow = (spread >= COLLAPSED_SPREAD) & ((spread < NARROW_SPREAD) | (top > TOP_CLASS))
    repeated = column(rows, "repeated") >= REPEATED
    few = (narrow & stalled(rows)) | (repeated & (spread >= COLLAPSED_SPREAD))
    evidence = ["spread", "repeated", "distance"]
    return _found(
        "partial-mode-collapse",
        "warning",
        rows,
        last_spell(few & grown_up(rows), NARROW_EPOCHS),
        evidence,
        "latents",
        "Different latents become the same few kinds of image, and it is not getting better.",
        "Train D more for each step of G (--set training.discriminator_steps=2), or lower both"
        " learning rates; check the classes with `counterfeit evaluate`.",
        f"{GAN}, section 6; Metz et al. 2017 (arXiv 1611.02163), section 3",
    )


HOPPED = 0.35
HOPPED_SURE = 10
MOVED = 0.65
HOPPING_WINDOW = 4
HOPPING_UPDATES = 500
HOPPED_EPOCHS = 2


def mode_hopping(record: Record) -> list[Finding]:
    """The images of fixed latents become others from each epoch to the next."""
    rows = record.images
    judged = (column(rows, "spread") >= COLLAPSED_SPREAD) & grown_up(rows)
    classes = [_classes(row) for row in rows]
    hopped = np.array([changed_share(a, b) for a, b in zip([[], *classes], classes, strict=False)])
    old = updates_since_move(rows) >= HOPPING_UPDATES
    moved = np.where(old, column(rows, "moved"), np.nan)
    return _found(
        "mode-hopping",
        "warning",
        rows,
        last_spell((recent_mean(hopped) > HOPPED) & judged, HOPPED_EPOCHS)
        or last_spell((recent_mean(moved, HOPPING_WINDOW) > MOVED) & judged, 1),
        ["moved", "spread", "distance"],
        "latents",
        "A fixed latent becomes another image after each epoch: G runs from what D has learned to"
        " where D has not looked, and round again.",
        "Lower both learning rates, --set generator.optimizer.lr=... first.",
        "Metz et al. 2017 (arXiv 1611.02163), section 3.1; Mescheder et al. 2018 (arXiv"
        " 1801.04406)",
    )


NO_PROGRESS_UPDATES = 500
NO_PROGRESS_EPOCHS = 5
NO_PROGRESS_SHARE = 0.7
FAR = 0.6


def no_progress(record: Record) -> list[Finding]:
    """The images are about as far from the data as those of the untrained generator."""
    rows = record.images
    untrained = column([row for row in record.vitals if row["step"] == 0], "distance")
    if not np.isfinite(untrained).any():
        return []
    as_far = column(rows, "distance") > max(FAR, NO_PROGRESS_SHARE * untrained[0])
    late = column(rows, "step") >= NO_PROGRESS_UPDATES
    return _found(
        "no-progress",
        "warning",
        rows,
        last_spell(as_far & late, NO_PROGRESS_EPOCHS),
        ["distance", "spread"],
        "history",
        "G's images are about as far from the data as before training.",
        "See the other findings for the reason; without one, raise --set"
        " generator.optimizer.lr=... tenfold.",
        f"{GANHACKS}, entry 10",
    )


SATURATED_MORE = 0.05
SATURATED_EPOCHS = 2


def saturated_outputs(record: Record) -> list[Finding]:
    """More of G's pixels are at an end of the range than of real images'."""
    rows = record.images
    more = column(rows, "extreme") > column(rows, "real_extreme") + SATURATED_MORE
    return _found(
        "saturated-outputs",
        "warning",
        rows,
        last_spell(more, SATURATED_EPOCHS),
        ["extreme", "real_extreme"],
        "samples",
        "G's last layer has gone to the ends of its range, where the slope is 0 and no gradient"
        " comes through.",
        "Lower --set generator.optimizer.lr, and start again: saturated units seldom return.",
        "Glorot and Bengio 2010, section 3",
    )


BEST_WORSE = 1.5
BEST_MARGIN = 0.05
BEST_AGO_EPOCHS = 3
BEST_AGO_SHARE = 0.2


def best_long_ago(record: Record) -> list[Finding]:
    """The images were clearly nearer to the data some epochs ago."""
    rows, name, worse = _quality(record)
    if len(rows) < 3:
        return []
    values = column(rows, name)
    smooth = running_median(values)
    best = int(np.nanargmin(smooth)) if np.isfinite(smooth).any() else 0
    epochs, updates = (rows[-1][key] - rows[best][key] for key in ("epoch", "step"))
    if epochs < max(BEST_AGO_EPOCHS, BEST_AGO_SHARE * rows[-1]["epoch"]):
        return []
    if updates < GROWN_UP:
        return []
    if not smooth[-1] > worse * smooth[best] + BEST_MARGIN:
        return []
    kept = [row for row in rows if row["epoch"] in record.kept_epochs]
    back = min(kept, key=lambda row: row[name])["epoch"] if kept else rows[best]["epoch"]
    return _found(
        "best-long-ago",
        "warning",
        [*rows[:-1], rows[-1] | {"best": smooth[best], "best_epoch": rows[best]["epoch"]}],
        Spell(best, len(rows) - 1, lasts=True),
        [name, "best", "best_epoch"],
        "history",
        f"Its images were best about epoch {rows[best]['epoch']:.4g} and are clearly worse now.",
        f"Go back to it: `counterfeit sample RUN --epoch {back:.4g}` draws from the best checkpoint"
        " that is kept; train fewer epochs, or lower the learning rates.",
        f'{GANHACKS}, entry 10; Prechelt 1998, "Early Stopping - But When?"',
    )


FID_WORSE = 1.3


def _quality(record: Record) -> tuple[list[Row], str, float]:
    """Rows with a number that is the lower the better, its name, and what ratio is clearly worse:
    the FID that most epochs have, if three or more do, else the energy distance."""
    series: dict[str, dict[float, Row]] = {}
    for row in record.metrics:
        for name, (value, _) in row["metrics"].items():
            if MetricName.parse(name).metric == "fid" and math.isfinite(value):
                measured = {"step": row["step"], "epoch": row["epoch"], name: value}
                series.setdefault(name, {})[row["epoch"]] = measured
    name = max(series, key=lambda name: len(series[name]), default="")
    if len(series.get(name, ())) < 3:
        return record.images, "distance", BEST_WORSE
    return [series[name][epoch] for epoch in sorted(series[name])], name, FID_WORSE


# The networks

EXPLODED_NORM = 100.0
EXPLODED_ROWS = 2


def gradient_explosion(record: Record) -> list[Finding]:
    """Gradients are huge, or no longer finite."""
    rows = list(record.log)
    d_norm, g_norm = column(rows, "d_grad_norm"), column(rows, "g_grad_norm")
    lost = np.isnan(d_norm) | np.isnan(g_norm)
    huge = np.fmax(d_norm, g_norm) > EXPLODED_NORM
    return _found(
        "gradient-explosion",
        "critical",
        rows,
        last_spell(lost, 1) or last_spell(huge, EXPLODED_ROWS),
        ["d_grad_norm", "g_grad_norm", "d_loss", "g_loss"],
        "gradients",
        "Gradients have exploded: updates jump across the loss instead of following it.",
        "Lower both learning rates tenfold: --set discriminator.optimizer.lr=... and --set"
        " generator.optimizer.lr=...",
        f"{GANHACKS}, entry 10; Pascanu et al. 2013 (arXiv 1211.5063)",
    )


DEAD_SHARE = 0.5
ONE_PIECE = 0.99
DEAD_EXAMINATIONS = 2


def dead_units(record: Record) -> list[Finding]:
    """A layer of rectifiers that are mostly off, or of maxout units that are linear."""
    rows = record.examined
    dead = np.fmax(column(rows, "g_dead"), column(rows, "d_dead")) > DEAD_SHARE
    pieces = record.recipe.discriminator.pieces
    idle = column(rows, "d_idle_pieces") > ONE_PIECE * (pieces - 1) / pieces
    return _found(
        "dead-units",
        "warning",
        rows,
        last_spell(dead | idle, DEAD_EXAMINATIONS),
        ["g_dead", "d_dead", "d_idle_pieces"],
        "maxout" if idle.any() else "gradients",
        "Most units of a layer are off for every input (or most maxout pieces are never chosen):"
        " they get no gradient, and the network is smaller than it looks.",
        "Lower the learning rate, or --set generator.activation=leaky-relu and --set"
        " discriminator.activation=leaky-relu, whose units cannot die.",
        f"Maas et al. 2013, section 2; {GANHACKS}, entry 5; Goodfellow et al. 2013 (arXiv"
        " 1302.4389), section 5",
    )


KNOWS = 0.65
KNOWS_EXAMINATIONS = 3


def discriminator_overfitting(record: Record) -> list[Finding]:
    """D rates the images it trains on above others of their kind."""
    rows = [row for row in record.examined if "d_knows" in row]
    return _found(
        "discriminator-overfitting",
        "warning",
        rows,
        last_spell(running_median(column(rows, "d_knows")) > KNOWS, KNOWS_EXAMINATIONS),
        ["d_knows", "d_training", "d_held_out", "d_generated"],
        "outputs",
        "D recognises its training images instead of what real images have in common, so what it"
        " teaches G is to copy them.",
        "More training images, more --set discriminator.dropout, a smaller --set"
        " discriminator.hidden, or stop earlier.",
        "Brock et al. 2019 (arXiv 1809.11096), section 4.2; Karras et al. 2020 (arXiv 2006.06676)",
    )


COPIED = 0.5
COPIED_EXAMINATIONS = 1


def memorisation(record: Record) -> list[Finding]:
    """Samples are much nearer to training images than unseen real images are."""
    rows = [row for row in record.examined if "copied" in row]
    near = (column(rows, "copied") < COPIED) & (column(rows, "spread") >= COLLAPSED_SPREAD)
    return _found(
        "memorisation",
        "warning",
        rows,
        last_spell(near, COPIED_EXAMINATIONS),
        ["copied"],
        "nearest",
        "G's images are copies of training images.",
        "More training images; a smaller --set generator.hidden.",
        "Meehan et al. 2020 (arXiv 2004.05675)",
    )


GAP = 0.35
GAP_UPDATES = 100
GAP_EXAMINATIONS = 2


def batchnorm_gap(record: Record) -> list[Finding]:
    """G makes other images when it is sampled than it was trained with."""
    rows = [row for row in record.examined if "batchnorm_gap" in row]
    settled = column(rows, "step") >= GAP_UPDATES  # running statistics start anywhere
    return _found(
        "batchnorm-gap",
        "warning",
        rows,
        last_spell((column(rows, "batchnorm_gap") > GAP) & settled, GAP_EXAMINATIONS),
        ["batchnorm_gap"],
        "samples",
        "BatchNorm's running statistics are not those of its batches, so samples are not what D"
        " was shown in training.",
        "Larger batches (--set training.batch_size=...), or --set generator.batch_norm=false.",
        "Ioffe 2017 (arXiv 1702.03275), section 1",
    )


# The data

BROKEN_SHARE = 0.02


def broken_data(record: Record) -> list[Finding]:
    """Training images that are flat, or that occur again and again."""
    rows = list(record.vitals)
    return _found(
        "broken-data",
        "warning",
        rows,
        last_spell(column(rows, "data_repeated") > BROKEN_SHARE, 1),
        ["data_repeated"],
        "preview",
        "Many training images are of one grey or equal to another one, and G will learn that.",
        "Look at them: `counterfeit data NAME --preview FILE.png`; fetch or export them again.",
        'Karpathy 2019, "A Recipe for Training Neural Networks", step 1',
    )


# Series

MOVED_AT_ALL = 0.1
GROWN_UP = 250


def updates_since_move(rows: Sequence[Row]) -> Float[np.ndarray, " rows"]:
    """Updates since the first epoch in which the images changed to speak of, 0 before.

    The paper's small initial weights stand still for hundreds of updates, and are not broken.
    """
    step = column(rows, "step")
    moved = np.flatnonzero(column(rows, "moved") > MOVED_AT_ALL)
    if not len(moved):
        return np.zeros(len(rows))
    start = step[moved[0] - 1] if moved[0] else 0.0
    since: Float[np.ndarray, " rows"] = np.where(np.arange(len(rows)) >= moved[0], step - start, 0)
    return since


def grown_up(rows: Sequence[Row]) -> Bool[np.ndarray, " rows"]:
    """Whether G has learned for long enough to be judged: healthy ones start with few images."""
    return updates_since_move(rows) >= GROWN_UP


def stalled(rows: Sequence[Row]) -> Bool[np.ndarray, " rows"]:
    """Whether the least distance so far is hardly less than it was some updates and epochs ago."""
    since = updates_since_move(rows)
    least = np.fmin.accumulate(column(rows, "distance")) if rows else np.zeros(0)
    result = np.zeros(len(rows), bool)
    for i in range(STALLED_EPOCHS, len(rows)):
        old = np.flatnonzero(since[: i - STALLED_EPOCHS + 1] <= since[i] - STALLED_UPDATES)
        result[i] = len(old) > 0 and least[i] > STALLED * least[old[-1]]
    return result


def top_share(classes: Sequence[int]) -> float:
    """The share of the commonest class among images that the classifier is sure of."""
    sure = np.array([c for c in classes if c >= 0])
    return float(np.max(np.bincount(sure)) / len(sure)) if len(sure) >= SURE_IMAGES else math.nan


def changed_share(before: Sequence[int], after: Sequence[int]) -> float:
    """The share of latents whose image is of another class, of those surely classified twice."""
    pairs = [(a, b) for a, b in zip(before, after, strict=False) if a >= 0 and b >= 0]
    if len(pairs) < HOPPED_SURE:
        return math.nan
    return sum(a != b for a, b in pairs) / len(pairs)


def recent_mean(values: Column, least: int = 2) -> Column:
    """Of the four values up to each, of which so many must be known."""
    recent = [values[max(0, i - HOPPING_WINDOW + 1) : i + 1] for i in range(len(values))]
    known = [part[np.isfinite(part)] for part in recent]
    return np.array([part.mean() if len(part) >= least else np.nan for part in known])


def running_median(values: Column) -> Column:
    """Of each value and the one or two before it."""
    return np.array([np.median(values[max(0, i - 2) : i + 1]) for i in range(len(values))])


DETECTORS: dict[str, Callable[[Record], list[Finding]]] = {
    "discriminator-overpowering": overpowering,
    "garbage-passes": garbage_passes,
    "mode-collapse": mode_collapse,
    "partial-mode-collapse": partial_collapse,
    "mode-hopping": mode_hopping,
    "no-progress": no_progress,
    "saturated-outputs": saturated_outputs,
    "best-long-ago": best_long_ago,
    "gradient-explosion": gradient_explosion,
    "dead-units": dead_units,
    "discriminator-overfitting": discriminator_overfitting,
    "memorisation": memorisation,
    "batchnorm-gap": batchnorm_gap,
    "broken-data": broken_data,
}
NAMES = frozenset(DETECTORS)


def examine(record: Record) -> list[Finding]:
    """All that the detectors find, in order."""
    return in_order([finding for detect in DETECTORS.values() for finding in detect(record)])


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, then by when they began."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.first_step))
