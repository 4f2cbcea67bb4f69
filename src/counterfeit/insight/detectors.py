"""From a run's rows to findings: each detector is one small function with its own thresholds.

A detector looks at a `Record` and says what it found, if anything. It names the columns that it
needs, and says nothing of a run whose rows lack them. Thresholds were set on one half of a zoo of
labelled runs and tested on the other: benchmarks/zoo.py, docs/diagnosis.md.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from counterfeit.files import Row
from counterfeit.insight.columns import Column, column, is_number, not_finite
from counterfeit.measure.names import MetricName
from counterfeit.recipe import Recipe
from counterfeit.run.findings import SEVERITIES, Finding, Severity

GAN = "Goodfellow et al. 2014 (arXiv 1406.2661)"
GANHACKS = "ganhacks (Chintala et al. 2016)"


@dataclass(frozen=True)
class Record:
    """What is known of a run, up to some step. Rows have `step` and `epoch`; all else may lack."""

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
    def columns(self) -> frozenset[str]:
        """What some row of the log or of the vital signs has a number under, finite or not; and
        `fid` where one was measured."""
        rows = [*self.log, *self.vitals]
        columns = {key for row in rows for key, value in row.items() if is_number(value)}
        return frozenset(columns | {"fid"} if self.fids else columns)

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

    def images_with(self, *keys: str) -> list[Row]:
        """Rows of vital signs that have a number under one of these keys or more."""
        return [row for row in self.images if any(is_number(row.get(key, "")) for key in keys)]

    @cached_property
    def fids(self) -> dict[str, list[Row]]:
        """Each FID's series under its full name: rows of step, epoch and its value, by epoch."""
        series: dict[str, dict[float, Row]] = {}
        for row in self.metrics:
            for name, (value, _) in row["metrics"].items():
                if MetricName.parse(name).metric == "fid" and math.isfinite(value):
                    measured = {"step": row["step"], "epoch": row["epoch"], name: value}
                    series.setdefault(name, {})[row["epoch"]] = measured
        return {name: [rows[at] for at in sorted(rows)] for name, rows in series.items()}


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


@dataclass(frozen=True)
class Seen:
    """The spell in which a detector saw its failure, and what it words otherwise than usual."""

    rows: Sequence[Row]
    """What the spell counts."""
    spell: Spell | None
    """None: it saw nothing."""
    evidence: Sequence[str] | None = None
    figure: str | None = None
    meaning: str | None = None
    advice: str | None = None


@dataclass(frozen=True)
class Detector:
    """A failure by name: how it is seen, and what is said of it."""

    look: Callable[[Record], Seen]
    name: str
    severity: Severity
    """While it lasts; one degree milder when it has passed."""
    needs: Sequence[str]
    """The columns without any of which it is silent (see `Record.columns`)."""
    one_of: Sequence[str]
    """Columns of which it needs one more; more of them show it in more ways."""
    evidence: Sequence[str]
    """Keys whose values in the spell's last row are shown."""
    figure: str
    meaning: str
    advice: str
    source: str

    def __call__(self, record: Record) -> Finding | None:
        there = record.columns
        if not there.issuperset(self.needs) or (self.one_of and there.isdisjoint(self.one_of)):
            return None
        seen = self.look(record)
        return None if seen.spell is None else self._finding(seen, seen.spell)

    def _finding(self, seen: Seen, spell: Spell) -> Finding:
        first, last = seen.rows[spell.first], seen.rows[spell.last]
        severity, meaning = self.severity, seen.meaning or self.meaning
        if not spell.lasts:
            severity = SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
            meaning = (
                f"It has passed after epoch {last['epoch']:.4g}: {meaning[0].lower()}{meaning[1:]}"
            )
        numbers: dict[str, float | str] = {
            key: last[key]
            for key in seen.evidence or self.evidence
            if isinstance(last.get(key), int | float)
        }
        return Finding(
            name=self.name,
            severity=severity,
            first_step=int(first["step"]),
            last_step=int(last["step"]),
            first_epoch=float(first["epoch"]),
            last_epoch=float(last["epoch"]),
            evidence=numbers | {"figure": seen.figure or self.figure},
            meaning=meaning,
            advice=seen.advice or self.advice,
            source=self.source,
        )


def detector(
    name: str,
    severity: Severity,
    *,
    needs: Sequence[str] = (),
    one_of: Sequence[str] = (),
    evidence: Sequence[str] = (),
    figure: str,
    meaning: str = "",
    advice: str = "",
    source: str,
) -> Callable[[Callable[[Record], Seen]], Detector]:
    """Make a function that looks at a record into a `Detector`, whose fields these are."""

    def of(look: Callable[[Record], Seen]) -> Detector:
        return Detector(
            look, name, severity, needs, one_of, evidence, figure, meaning, advice, source
        )

    return of


# Discriminator against generator

WON_REAL_Q05 = 0.8
WON_FAKE_Q95 = 0.05
WON_EPOCHS = 2


@detector(
    "discriminator-overpowering",
    "critical",
    needs=("d_real_q05", "d_fake_q95"),
    evidence=("d_loss", "d_real_q05", "d_fake_mean", "d_fake_q95", "g_loss", "g_grad_norm"),
    figure="outputs",
    meaning="D tells every fake from every real image, so G has nothing left to learn from.",
    advice="Slow D down or strengthen G: a lower --set discriminator.optimizer.lr, more"
    " --set discriminator.dropout, or --set generator.batch_norm=true.",
    source=f"{GAN}, section 3; Arjovsky and Bottou 2017 (arXiv 1701.04862), section 2; "
    f"{GANHACKS}, entry 10",
)
def overpowering(record: Record) -> Seen:
    """D is sure of nineteen in twenty real images and of as many fakes."""
    rows = record.epochs
    won = (column(rows, "d_real_q05") > WON_REAL_Q05) & (column(rows, "d_fake_q95") < WON_FAKE_Q95)
    seen = Seen(rows, last_spell(won, WON_EPOCHS))
    if record.recipe.loss.generator != "minimax":
        return seen
    return replace(
        seen,
        meaning="D rejects every fake, and the slope of log(1 - D(G(z))) is proportional to"
        " D(G(z)): the minimax loss gives G no gradient just when it needs one.",
        advice="--set loss.generator=non-saturating, whose gradient stays when D wins.",
    )


PASSED_GAP = 0.15
GARBAGE_DISTANCE = 0.6
PASSED_EPOCHS = 3


@detector(
    "garbage-passes",
    "critical",
    needs=("d_real_mean", "d_fake_mean", "distance", "moved"),
    evidence=("d_real_mean", "d_fake_mean", "d_loss", "distance", "spread"),
    figure="outputs",
    meaning="D cannot tell G's images from real ones although they are nothing like them, so it"
    " teaches G nothing; losses near log 2 are no sign of balance here.",
    advice="Let D learn: a higher --set discriminator.optimizer.lr, or Adam for it, as in --set"
    " discriminator.optimizer.name=adam; if D(x) is below D(G(z)), see whether its labels are"
    " swapped.",
    source=f"{GAN}, section 4.1, whose equilibrium needs D at its optimum",
)
def garbage_passes(record: Record) -> Seen:
    """D rates fakes about as high as real images, and they are nothing like them."""
    rows = record.joined
    passed = column(rows, "d_real_mean") - column(rows, "d_fake_mean") < PASSED_GAP
    far = column(rows, "distance") > GARBAGE_DISTANCE
    return Seen(rows, last_spell(passed & far & grown_up(rows), PASSED_EPOCHS))


# The images

COLLAPSED_SPREAD = 0.15
SAME_SPREAD = 0.01
COLLAPSED_EPOCHS = 2


@detector(
    "mode-collapse",
    "critical",
    needs=("spread", "moved"),
    evidence=("spread", "repeated", "distance"),
    figure="latents",
    meaning="G makes about the same image whatever its latent: what the paper calls the Helvetica"
    " scenario.",
    advice="Train D more for each step of G (--set training.discriminator_steps=2) or G less"
    " (a lower --set generator.optimizer.lr), or --set generator.batch_norm=true.",
    source=f"{GAN}, section 6; Salimans et al. 2016 (arXiv 1606.03498), section 3.2",
)
def mode_collapse(record: Record) -> Seen:
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
    return Seen(rows, spell)


NARROW_SPREAD = 0.5
REPEATED = 0.1
TOP_CLASS = 0.6
SURE_IMAGES = 20
STALLED = 0.8
STALLED_EPOCHS = 4
STALLED_UPDATES = 700
NARROW_EPOCHS = 2


@detector(
    "partial-mode-collapse",
    "warning",
    needs=("spread", "moved"),
    one_of=("repeated", "distance"),
    evidence=("spread", "repeated", "distance"),
    figure="latents",
    meaning="Different latents become the same few kinds of image, and it is not getting better.",
    advice="Train D more for each step of G (--set training.discriminator_steps=2), or lower both"
    " learning rates; check the classes with `counterfeit evaluate`.",
    source=f"{GAN}, section 6; Metz et al. 2017 (arXiv 1611.02163), section 3",
)
def partial_collapse(record: Record) -> Seen:
    """G's images are few, or of one class, and have stopped getting nearer to the data."""
    rows = record.images
    spread = column(rows, "spread")
    top = np.array([top_share(_classes(row)) for row in rows])
    narrow = (spread >= COLLAPSED_SPREAD) & ((spread < NARROW_SPREAD) | (top > TOP_CLASS))
    repeated = column(rows, "repeated") >= REPEATED
    few = (narrow & stalled(rows)) | (repeated & (spread >= COLLAPSED_SPREAD))
    return Seen(rows, last_spell(few & grown_up(rows), NARROW_EPOCHS))


HOPPED = 0.35
HOPPED_SURE = 10
MOVED = 0.65
HOPPING_WINDOW = 4
HOPPING_UPDATES = 500
HOPPED_EPOCHS = 2


@detector(
    "mode-hopping",
    "warning",
    needs=("spread", "moved"),
    evidence=("moved", "spread", "distance"),
    figure="latents",
    meaning="A fixed latent becomes another image after each epoch: G runs from what D has learned"
    " to where D has not looked, and round again.",
    advice="Lower both learning rates, --set generator.optimizer.lr=... first.",
    source="Metz et al. 2017 (arXiv 1611.02163), section 3.1; Mescheder et al. 2018 (arXiv"
    " 1801.04406)",
)
def mode_hopping(record: Record) -> Seen:
    """The images of fixed latents become others from each epoch to the next."""
    rows = record.images
    judged = (column(rows, "spread") >= COLLAPSED_SPREAD) & grown_up(rows)
    classes = [_classes(row) for row in rows]
    hopped = np.array([changed_share(a, b) for a, b in zip([[], *classes], classes, strict=False)])
    old = updates_since_move(rows) >= HOPPING_UPDATES
    moved = np.where(old, column(rows, "moved"), np.nan)
    spell = last_spell((recent_mean(hopped) > HOPPED) & judged, HOPPED_EPOCHS) or last_spell(
        (recent_mean(moved, HOPPING_WINDOW) > MOVED) & judged, 1
    )
    return Seen(rows, spell)


NO_PROGRESS_UPDATES = 500
NO_PROGRESS_EPOCHS = 5
NO_PROGRESS_SHARE = 0.7
FAR = 0.6


@detector(
    "no-progress",
    "warning",
    needs=("distance",),
    evidence=("distance", "spread"),
    figure="history",
    meaning="G's images are about as far from the data as before training.",
    advice="See the other findings for the reason; without one, raise --set"
    " generator.optimizer.lr=... tenfold.",
    source=f"{GANHACKS}, entry 10",
)
def no_progress(record: Record) -> Seen:
    """The images are about as far from the data as those of the untrained generator."""
    rows = record.images
    untrained = column([row for row in record.vitals if row["step"] == 0], "distance")
    if not np.isfinite(untrained).any():
        return Seen(rows, None)
    as_far = column(rows, "distance") > max(FAR, NO_PROGRESS_SHARE * untrained[0])
    late = column(rows, "step") >= NO_PROGRESS_UPDATES
    return Seen(rows, last_spell(as_far & late, NO_PROGRESS_EPOCHS))


SATURATED_MORE = 0.05
SATURATED_EPOCHS = 2


@detector(
    "saturated-outputs",
    "warning",
    needs=("extreme", "real_extreme"),
    evidence=("extreme", "real_extreme"),
    figure="samples",
    meaning="G's last layer has gone to the ends of its range, where the slope is 0 and no gradient"
    " comes through.",
    advice="Lower --set generator.optimizer.lr, and start again: saturated units seldom return.",
    source="Glorot and Bengio 2010, section 3",
)
def saturated_outputs(record: Record) -> Seen:
    """More of G's pixels are at an end of the range than of real images'."""
    rows = record.images
    more = column(rows, "extreme") > column(rows, "real_extreme") + SATURATED_MORE
    return Seen(rows, last_spell(more, SATURATED_EPOCHS))


BEST_WORSE = 1.5
FID_WORSE = 1.3
BEST_MARGIN = 0.05
BEST_AGO_EPOCHS = 3
BEST_AGO_SHARE = 0.2
LEAST_FIDS = 3


@detector(
    "best-long-ago",
    "warning",
    one_of=("distance", "fid"),
    figure="history",
    source=f'{GANHACKS}, entry 10; Prechelt 1998, "Early Stopping - But When?"',
)
def best_long_ago(record: Record) -> Seen:
    """The images were clearly nearer to the data some epochs ago: by the FID that most epochs
    have, if three or more do, else by the energy distance."""
    name, rows = max(record.fids.items(), key=lambda fid: len(fid[1]), default=("", []))
    worse = FID_WORSE
    if len(rows) < LEAST_FIDS:
        name, worse = "distance", BEST_WORSE
        rows = [row for row in record.images if np.isfinite(column([row], name)).all()]
    nothing = Seen(rows, None)
    if len(rows) < 3:
        return nothing
    smooth = running_median(column(rows, name))
    best = int(np.argmin(smooth))
    epochs, updates = (rows[-1][key] - rows[best][key] for key in ("epoch", "step"))
    if epochs < max(BEST_AGO_EPOCHS, BEST_AGO_SHARE * rows[-1]["epoch"]):
        return nothing
    if updates < GROWN_UP:
        return nothing
    if not smooth[-1] > worse * smooth[best] + BEST_MARGIN:
        return nothing
    kept = [row for row in rows if row["epoch"] in record.kept_epochs]
    back = min(kept, key=lambda row: row[name])["epoch"] if kept else rows[best]["epoch"]
    return Seen(
        [*rows[:-1], rows[-1] | {"best": smooth[best], "best_epoch": rows[best]["epoch"]}],
        Spell(best, len(rows) - 1, lasts=True),
        evidence=(name, "best", "best_epoch"),
        meaning=f"Its images were best about epoch {rows[best]['epoch']:.4g} and are clearly worse"
        " now.",
        advice=f"Go back to it: `counterfeit sample RUN --epoch {back:.4g}` draws from the best"
        " checkpoint that is kept; train fewer epochs, or lower the learning rates.",
    )


# The networks

EXPLODED_NORM = 100.0
EXPLODED_ROWS = 2


@detector(
    "gradient-explosion",
    "critical",
    one_of=("d_grad_norm", "g_grad_norm"),
    evidence=("d_grad_norm", "g_grad_norm", "d_loss", "g_loss"),
    figure="gradients",
    meaning="Gradients have exploded: updates jump across the loss instead of following it.",
    advice="Lower both learning rates tenfold: --set discriminator.optimizer.lr=... and --set"
    " generator.optimizer.lr=...",
    source=f"{GANHACKS}, entry 10; Pascanu et al. 2013 (arXiv 1211.5063)",
)
def gradient_explosion(record: Record) -> Seen:
    """Gradients are huge, or no longer finite."""
    rows = list(record.log)
    lost = not_finite(rows, "d_grad_norm") | not_finite(rows, "g_grad_norm")
    huge = np.fmax(column(rows, "d_grad_norm"), column(rows, "g_grad_norm")) > EXPLODED_NORM
    return Seen(rows, last_spell(lost, 1) or last_spell(huge, EXPLODED_ROWS))


DEAD_SHARE = 0.5
ONE_PIECE = 0.99
DEAD_EXAMINATIONS = 2


@detector(
    "dead-units",
    "warning",
    one_of=("g_dead", "d_dead", "d_idle_pieces"),
    evidence=("g_dead", "d_dead", "d_idle_pieces"),
    figure="gradients",
    meaning="Most units of a layer are off for every input (or most maxout pieces are never"
    " chosen): they get no gradient, and the network is smaller than it looks.",
    advice="Lower the learning rate, or --set generator.activation=leaky-relu and --set"
    " discriminator.activation=leaky-relu, whose units cannot die.",
    source=f"Maas et al. 2013, section 2; {GANHACKS}, entry 5; Goodfellow et al. 2013 (arXiv"
    " 1302.4389), section 5",
)
def dead_units(record: Record) -> Seen:
    """A layer of rectifiers that are mostly off, or of maxout units that are linear."""
    rows = record.images_with("g_dead", "d_dead", "d_idle_pieces")
    dead = np.fmax(column(rows, "g_dead"), column(rows, "d_dead")) > DEAD_SHARE
    pieces = record.recipe.discriminator.pieces
    idle = column(rows, "d_idle_pieces") > ONE_PIECE * (pieces - 1) / pieces
    figure = "maxout" if idle.any() else None
    return Seen(rows, last_spell(dead | idle, DEAD_EXAMINATIONS), figure=figure)


KNOWS = 0.65
KNOWS_EXAMINATIONS = 3


@detector(
    "discriminator-overfitting",
    "warning",
    needs=("d_knows",),
    evidence=("d_knows", "d_training", "d_held_out", "d_generated"),
    figure="outputs",
    meaning="D recognises its training images instead of what real images have in common, so what"
    " it teaches G is to copy them.",
    advice="More training images, more --set discriminator.dropout, a smaller --set"
    " discriminator.hidden, or stop earlier.",
    source="Brock et al. 2019 (arXiv 1809.11096), section 4.2; Karras et al. 2020 (arXiv"
    " 2006.06676)",
)
def discriminator_overfitting(record: Record) -> Seen:
    """D rates the images it trains on above others of their kind."""
    rows = record.images_with("d_knows")
    knows = running_median(column(rows, "d_knows"))
    return Seen(rows, last_spell(knows > KNOWS, KNOWS_EXAMINATIONS))


COPIED = 0.5
COPIED_EXAMINATIONS = 1


@detector(
    "memorisation",
    "warning",
    needs=("copied", "spread"),
    evidence=("copied",),
    figure="nearest",
    meaning="G's images are copies of training images.",
    advice="More training images; a smaller --set generator.hidden.",
    source="Meehan et al. 2020 (arXiv 2004.05675)",
)
def memorisation(record: Record) -> Seen:
    """Samples are much nearer to training images than unseen real images are."""
    rows = record.images_with("copied")
    near = (column(rows, "copied") < COPIED) & (column(rows, "spread") >= COLLAPSED_SPREAD)
    return Seen(rows, last_spell(near, COPIED_EXAMINATIONS))


GAP = 0.35
GAP_UPDATES = 100
GAP_EXAMINATIONS = 2


@detector(
    "batchnorm-gap",
    "warning",
    needs=("batchnorm_gap",),
    evidence=("batchnorm_gap",),
    figure="samples",
    meaning="BatchNorm's running statistics are not those of its batches, so samples are not what D"
    " was shown in training.",
    advice="Larger batches (--set training.batch_size=...), or --set generator.batch_norm=false.",
    source="Ioffe 2017 (arXiv 1702.03275), section 1",
)
def batchnorm_gap(record: Record) -> Seen:
    """G makes other images when it is sampled than it was trained with."""
    rows = record.images_with("batchnorm_gap")
    settled = column(rows, "step") >= GAP_UPDATES  # running statistics start anywhere
    gap = column(rows, "batchnorm_gap") > GAP
    return Seen(rows, last_spell(gap & settled, GAP_EXAMINATIONS))


# The data

BROKEN_SHARE = 0.02


@detector(
    "broken-data",
    "warning",
    needs=("data_repeated",),
    evidence=("data_repeated",),
    figure="preview",
    meaning="Many training images are of one grey or equal to another one, and G will learn that.",
    advice="Look at them: `counterfeit data NAME --preview FILE.png`; fetch or export them again.",
    source='Karpathy 2019, "A Recipe for Training Neural Networks", step 1',
)
def broken_data(record: Record) -> Seen:
    """Training images that are flat, or that occur again and again."""
    rows = list(record.vitals)
    return Seen(rows, last_spell(column(rows, "data_repeated") > BROKEN_SHARE, 1))


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
    sure = [c for c in classes if c >= 0]
    return max(Counter(sure).values()) / len(sure) if len(sure) >= SURE_IMAGES else math.nan


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


DETECTORS = {
    each.name: each
    for each in (
        overpowering,
        garbage_passes,
        mode_collapse,
        partial_collapse,
        mode_hopping,
        no_progress,
        saturated_outputs,
        best_long_ago,
        gradient_explosion,
        dead_units,
        discriminator_overfitting,
        memorisation,
        batchnorm_gap,
        broken_data,
    )
}
NAMES = frozenset(DETECTORS)


def examine(record: Record) -> list[Finding]:
    """All that the detectors find, in order."""
    return in_order([finding for detect in DETECTORS.values() if (finding := detect(record))])


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, then by when they began."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.first_step))
