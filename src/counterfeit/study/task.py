"""A task from start to end: train, resume or neither; measure; say how it ended."""

from pathlib import Path

from counterfeit import data
from counterfeit.errors import CounterfeitError, UsageError, is_memory
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
from counterfeit.study.budget import Clock, Rung, Spent, epochs_for
from counterfeit.study.claim import Claim
from counterfeit.study.folder import Task
from counterfeit.study.outcome import Outcome
from counterfeit.study.worker import Terms
from counterfeit.training import loop, signals


def ended(task: Task, terms: Terms, claim: Claim) -> Outcome:
    """Train a task to its end, from wherever it stands, and measure what came of it.

    One that may go on later, of a search, is measured on the validation images alone.

    Raises:
        Halted, Interrupted, Displaced: it did not get there; all is saved.
        CounterfeitError: something kept it from that.
    """
    if not _failure(task, terms):
        try:
            _train(task, terms, claim)
        except Spent:
            pass
        except (CounterfeitError, MemoryError, RuntimeError) as error:
            if not _failure(task, terms):
                if task.until is None or not _is_impossible(error):
                    raise
                return Outcome("failed", _FULL if is_memory(error) else str(error))
    run = Run.open(task.run)
    log, steps = run.log, run.checkpoint_steps
    epoch, step = log[-1]["epoch"] if log else 0.0, steps[-1] if steps else None
    if why := _failure(task, terms):
        return Outcome("failed", why, epoch, step)
    chosen = _measure(run, terms) if task.until is None else None
    return Outcome("finished", None, epoch, step, chosen)


_FULL = "Out of memory."


def _is_impossible(error: Exception) -> bool:
    """Whether an error is the fault of a trial's values: not all that can be asked for fits."""
    return is_memory(error) or isinstance(error, UsageError)


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
        terms.go_on()
        claim.check()

    def on_row(row: object) -> None:
        claim.check()
        if terms.halted:  # while nobody listened yet
            signals.interrupt()

    on_epoch: list[loop.OnEpoch] = [
        claim.check,
        Evaluator(task.until or terms.evaluate_every, samples=min(terms.samples, BRIEF_SAMPLES)),
        Watch(stop_on_critical=terms.stop_on == "critical"),
    ]
    if task.until is not None:
        on_epoch.append(Rung(task.until))
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
        terms.go_on()
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


def bring(section: Data, data_dir: Path | None) -> None:
    """See `worker.prepare`."""
    everything = data.load_for(section, "train", data_dir)
    data.load_for(section, "test", data_dir)
    if classes_in(everything) >= 2:
        classifier_for(everything, data.data_folder(data_dir) / "classifiers")
