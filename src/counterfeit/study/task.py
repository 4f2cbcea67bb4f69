"""What a worker does with a task: train, resume or neither; measure; and say how it ended."""

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from counterfeit import data
from counterfeit.environment import keep_freed_memory
from counterfeit.errors import CounterfeitError, Interrupted
from counterfeit.files import Row
from counterfeit.insight.diagnose import Watch, examined, news
from counterfeit.measure.evaluate import BRIEF_SAMPLES, Evaluator, evaluate
from counterfeit.measure.images import measure_real
from counterfeit.measure.names import MetricName, named
from counterfeit.measure.reference import Reference, classes_in, reference_for
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.recipe import Data
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurements
from counterfeit.study.budget import Clock, Spent, epochs_for
from counterfeit.study.claim import Claim, Displaced, claimed
from counterfeit.study.outcome import Outcome
from counterfeit.study.plan import Task
from counterfeit.training import loop, signals


@dataclass(frozen=True)
class Terms:
    """What all tasks of a study have in common."""

    images: int | None = None
    seconds: float | None = None
    evaluate_every: int = 1
    samples: int = 10_000
    stop_on: Literal["critical"] | None = None
    device: str = "auto"
    data_dir: Path | None = None
    session: str = ""
    """Names the command that hands the tasks out, which alone may halt them."""


@dataclass(frozen=True)
class Answer:
    """What a worker answers."""

    state: Literal["finished", "failed", "stopped"]
    """`stopped`: it has not ended, and can go on."""
    why: str | None = None


class Halted(Exception):
    """The command that handed a task out takes it back; nothing is lost."""


_halted: set[str] = set()
"""Sessions that are over."""
_at_work: set[str] = set()
"""Sessions that this process trains for."""


def halt(session: str | None = None) -> None:
    """Let this process save and stop what it trains for that session, or for any; no more of it is
    begun. Returns at once."""
    _halted.update([session] if session is not None else _at_work)
    if session is None or session in _at_work:
        signals.interrupt()


def perform(task: Task, terms: Terms) -> Answer:
    """Bring a task to its end, from wherever it stands."""
    if not task.lock.parent.is_dir():
        why = (
            f"a worker sees no {task.folder}: the file system that it lies on must be all workers'."
        )
        return Answer("stopped", why)
    torch.set_num_threads(1)  # of this thread, where a worker's environment says nothing
    keep_freed_memory()
    _at_work.add(terms.session)
    try:
        with claimed(task.lock, partial(_go_on, terms)) as claim:
            outcome = task.outcome
            if outcome is None:
                started = time.monotonic()
                outcome = _ended(task, terms, claim)
                claim.check()
                task.end(replace(outcome, seconds=time.monotonic() - started))
    except (Halted, Interrupted, Displaced):
        return Answer("stopped")
    except CounterfeitError as error:
        return Answer("stopped", str(error))
    finally:
        _at_work.discard(terms.session)
    return Answer(outcome.state, outcome.why)


def _go_on(terms: Terms, *_: object) -> None:
    """Raise Halted when the session is over."""
    if terms.session in _halted:
        raise Halted


def _ended(task: Task, terms: Terms, claim: Claim) -> Outcome:
    """Train a task to its end, and measure what came of it.

    Raises:
        Halted, Interrupted, Displaced: it did not get there; all is saved.
        CounterfeitError: something kept it from that.
    """
    if not _failure(task, terms):
        try:
            _train(task, terms, claim)
        except Spent:
            pass
        except CounterfeitError:
            if not _failure(task, terms):
                raise
    run = Run.open(task.run)
    log, steps = run.log, run.checkpoint_steps
    epoch, step = log[-1]["epoch"] if log else 0.0, steps[-1] if steps else None
    if why := _failure(task, terms):
        return Outcome("failed", why, epoch, step)
    return Outcome("finished", None, epoch, step, _measure(run, terms))


def _failure(task: Task, terms: Terms) -> str | None:
    """What makes a run a failure, in a sentence; None where nothing does, or there is no run."""
    found = Run.open(task.run).findings if task.run.exists() else []
    for finding in map(Finding.from_row, found):
        diverged = finding.name == "non-finite" and "rolled_back_to" not in finding.evidence
        if diverged or (terms.stop_on is not None and finding.severity == terms.stop_on):
            return f"{finding.name} {finding.span}. {finding.meaning}"
    return None


def _train(task: Task, terms: Terms, claim: Claim) -> None:
    """Train from nothing or from the newest checkpoint; at an end already, tell the epoch again."""

    def on_stage(stage: str) -> None:
        _go_on(terms)
        claim.check()

    def on_row(row: object) -> None:
        claim.check()
        if terms.session in _halted:  # while nobody listened yet
            signals.interrupt()

    on_epoch: list[loop.OnEpoch] = [
        claim.check,
        Evaluator(terms.evaluate_every, samples=min(terms.samples, BRIEF_SAMPLES)),
        Watch(stop_on_critical=terms.stop_on == "critical"),
    ]
    if terms.seconds is not None:
        on_epoch.append(Clock(terms.seconds))
    if task.run.exists():
        run = Run.open(task.run)
        run.find_data(data_dir=terms.data_dir)
        loop.resume(
            run, device=terms.device, on_stage=[on_stage], on_row=[on_row], on_epoch=on_epoch
        )
        return
    spec, epochs = task.spec, None
    if terms.images is not None:
        epochs = epochs_for(spec, terms.images, data.load_for(spec.data, "train", terms.data_dir))
    loop.train(
        spec,
        epochs=epochs,
        seed=task.seed,
        device=terms.device,
        out=task.run.parent,
        name=task.run.name,
        data_dir=terms.data_dir,
        on_stage=[on_stage],
        on_row=[on_row],
        on_epoch=on_epoch,
    )


def _measure(run: Run, terms: Terms) -> int:
    """Measure the last checkpoint and the chosen one on the test images; the chosen one's step."""
    chosen = chosen_step(run)
    reference, real = _reference(run, terms.samples)
    for step in dict.fromkeys([run.checkpoint_steps[-1], chosen]):
        _go_on(terms)
        if not any(row["step"] == step and _split(row) == "test" for row in run.metrics):
            evaluate(run, samples=terms.samples, step=step, reference=reference)
    if not real.keys() <= run.real_scores.keys():
        run.add_real_scores(real)
    for finding in news(run, examined(run)):
        last = run.log[-1]
        run.append_finding(finding.as_row(last["step"], last["epoch"]))
    return chosen


def chosen_step(run: Run) -> int:
    """The checkpoint with the lowest FID on the validation images, of those that are kept.

    The last one where FID cannot be measured.
    """
    kept = set(run.checkpoint_steps)
    scores = {
        row["step"]: row["metrics"][name].value
        for row in run.metrics
        if row["step"] in kept
        and _split(row) == "validation"
        and (name := named("fid", row["metrics"]))
    }
    finite = {step: score for step, score in scores.items() if score == score}
    return min(finite, key=lambda step: (finite[step], -step)) if finite else max(kept)


def _split(row: Row) -> str | None:
    """The images that a row of metrics was measured against."""
    return next((split for name in row["metrics"] if (split := MetricName.parse(name).split)), None)


_kept: dict[tuple[object, ...], tuple[Reference, Measurements]] = {}
"""The newest reference, for the next task: most have the same data."""


def _reference(run: Run, samples: int) -> tuple[Reference, Measurements]:
    """The test images, and what real images score beside them."""
    key = (run.recipe.data, bool(run.classes), run.data_dir, samples)
    if key not in _kept:
        _kept.clear()
        reference = reference_for(run, "test")
        _kept[key] = reference, measure_real(reference, samples).metrics
    return _kept[key]


def prepare(section: Data, data_dir: Path | None) -> None:
    """Bring a data set, and the classifier that measures it, to where tasks find them.

    One worker does it before tasks start, which would all fetch and train the same.

    Raises:
        CounterfeitError: the data cannot be had.
    """
    everything = data.load_for(section, "train", data_dir)
    data.load_for(section, "test", data_dir)
    if classes_in(everything) >= 2:
        classifier_for(everything, data.data_folder(data_dir) / "classifiers")
