"""A training as its user sees it: progress, evaluations between epochs, findings as they come.

The command line and Python share it. `training.loop` is the training itself, which says nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, SupportsIndex, TypedDict

import torch
from torch import nn

from counterfeit import arguments, recipe
from counterfeit.arguments import StrPath
from counterfeit.data import ImageData, load_for
from counterfeit.insight.accounts import finding_line
from counterfeit.insight.diagnose import Watch
from counterfeit.insight.tables import scores_line
from counterfeit.measure.evaluate import Evaluator
from counterfeit.measure.reference import require_measurable
from counterfeit.progress import Bar
from counterfeit.run import Run
from counterfeit.tracking import LogTo, Tracker
from counterfeit.training import loop
from counterfeit.training.epochs import with_epochs
from counterfeit.training.loop import OnEpoch, OnNan, OnRow, OnStage

__all__ = ["attended", "resume", "train"]

StopOn = Literal["critical"] | None


class Hooks(TypedDict):
    """What `loop.train` and `loop.resume` are to call."""

    on_stage: list[OnStage]
    on_row: list[OnRow]
    on_epoch: list[OnEpoch]


@contextmanager
def attended(
    spec: recipe.Recipe,
    *,
    quiet: bool,
    measured: Callable[[], ImageData] | None,
    evaluate_every: SupportsIndex | None = None,
    stop_on: StopOn = None,
    log_to: LogTo | None = None,
) -> Iterator[Hooks]:
    """A bar on a terminal's stderr or in a notebook's cell while the block trains.

    Args:
        spec: what is trained.
        quiet: nothing is shown; findings are kept all the same.
        measured: gives the training split where that can be looked at before, so that a training of
            which nothing could be measured does not begin.
        evaluate_every: so many epochs, of which the last is measured briefly.
        stop_on: end the run, saved, at a finding of that severity.
        log_to: hand the run's rows on to that tracker.

    Raises:
        UsageError: `evaluate_every`, `stop_on` or `log_to` is impossible, or nothing could be
            measured.
    """
    if stop_on is not None:
        arguments.one_of("stop_on", stop_on, ["critical"])
    with ExitStack() as closing:
        bar = closing.enter_context(Bar(spec.training.epochs, quiet=quiet))
        hooks: Hooks = {"on_stage": [bar.on_preparing], "on_row": [bar.on_row], "on_epoch": []}
        if evaluate_every is not None:
            evaluator = Evaluator(
                arguments.whole_number("evaluate_every", evaluate_every),
                on_stage=bar.on_measuring,
                on_metrics=lambda row: bar.on_measured(scores_line(row)),
            )
            if measured is not None:
                require_measurable(measured())
            hooks["on_epoch"].append(evaluator)
        say_finding = Watch(
            lambda finding: bar.say(finding_line(finding)),
            stop_on_critical=stop_on == "critical",
        )
        hooks["on_epoch"].append(say_finding)
        if log_to is not None:
            hooks["on_epoch"].append(tracker := Tracker(log_to))
            closing.callback(tracker.close)
        yield hooks


def train(
    spec: StrPath | recipe.Recipe,
    *,
    data: Any = None,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    loss: Any = None,
    epochs: SupportsIndex | None = None,
    seed: SupportsIndex = 0,
    device: str | torch.device = "auto",
    out: StrPath = "runs",
    data_dir: StrPath | None = None,
    on_nan: OnNan = "stop",
    evaluate_every: SupportsIndex | None = None,
    stop_on: StopOn = None,
    log_to: LogTo | None = None,
    progress: bool = True,
    on_stage: Iterable[OnStage] = (),
    on_row: Iterable[OnRow] = (),
    on_epoch: Iterable[OnEpoch] = (),
) -> Run:
    """Train a recipe in a new run directory.

    Findings are said after the epoch that shows them, and kept in the run's findings.jsonl.

    Args:
        spec: a recipe, its name, or a TOML file.
        data: instead of the recipe's: a data set's name; a path; or images of your own, an array or
            a tensor, a pair of these and their labels, a Dataset or a DataLoader, of which the run
            keeps a copy.
        generator: a module of your own instead of the recipe's, from latents (N, z), with classes
            (N,) where the recipe tells some, to images (N, C, H, W), (N, C * H * W) or (N, H, W).
            It is trained in place, from the weights that it has; all else stays the recipe's.
        discriminator: likewise, from images (N, C, H, W) to logits or scores (N,) or (N, 1).
        loss: instead of the recipe's: a name, a loss of `counterfeit.game.losses`, an object with
            their methods, or a pair of functions of logits, d_loss(real, fake) and g_loss(fake).
        epochs: instead of the recipe's.
        seed: fixes all randomness; on one machine and build, the same seed gives the same bits.
        device: "auto" (CUDA where there is one, else the CPU), "cpu", "cuda" or "mps"; or torch's.
        out: the folder to make the run directory in.
        data_dir: where data sets are kept; the user's cache folder when absent.
        on_nan: "stop", or "rollback" to the newest checkpoint and go on with half the learning
            rates, up to three times.
        evaluate_every: measure 2,000 samples after every so many epochs, on the validation images.
        stop_on: "critical": end the run, saved, at such a finding.
        log_to: "tensorboard" or "trackio": hand the rows of the run's files on, after each epoch.
        progress: show a bar, where stderr is a terminal or in a notebook, and say findings.
        on_stage: called with what is done before the first log row, in a few words.
        on_row: called with each log row.
        on_epoch: called with the run, the epoch and the generator to sample from after each epoch.

    Raises:
        UsageError: an impossible recipe or argument, or a network or a loss that fails on two
            images; nothing is written.
        CounterfeitError: the data cannot be had, the run cannot be written, or a loss or a weight
            became NaN or infinite.
        Stopped: `stop_on` ended it.
        Interrupted: SIGINT or SIGTERM came; all is saved, and `resume(error.run)` goes on.
    """
    spec = with_epochs(recipe.load(spec), epochs)
    folder = None if data_dir is None else arguments.path("data_dir", data_dir)
    more = _checked(on_stage, on_row, on_epoch)
    with attended(
        spec,
        quiet=not progress,
        measured=None if data is not None else lambda: load_for(spec.data, "train", folder),
        evaluate_every=evaluate_every,
        stop_on=stop_on,
        log_to=log_to,
    ) as hooks:
        return loop.train(
            spec,
            data=data,
            generator=generator,
            discriminator=discriminator,
            loss=loss,
            seed=seed,
            device=device,
            out=out,
            data_dir=data_dir,
            on_nan=on_nan,
            **_together(hooks, more),
        )


def resume(
    run: Run | StrPath,
    *,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    loss: Any = None,
    epochs: SupportsIndex | None = None,
    device: str | torch.device = "auto",
    on_nan: OnNan = "stop",
    evaluate_every: SupportsIndex | None = None,
    stop_on: StopOn = None,
    log_to: LogTo | None = None,
    progress: bool = True,
    on_stage: Iterable[OnStage] = (),
    on_row: Iterable[OnRow] = (),
    on_epoch: Iterable[OnEpoch] = (),
) -> Run:
    """Go on with a run from its newest checkpoint to its recipe's last epoch, or to `epochs`.

    Its files end up as if it had never stopped, to the bit on one machine and build. Where its data
    were moved, `Run.find_data` tells it.

    Args:
        generator: a module of your own, where the run was begun with one; its weights become those
            of the checkpoint. `discriminator` and `loss` likewise.
        epochs: as many in all. For the others, see `train`.

    Raises:
        UsageError: there is no such run, it has more epochs already, it was begun with other
            modules than these, or an impossible argument; the run stays as it is.
        CounterfeitError: the data cannot be had or are not those that it was trained on, the run is
            damaged, it cannot be written, or another process trains it; or a loss or a weight
            became NaN or infinite.
        Stopped: `stop_on` ended it.
        Interrupted: SIGINT or SIGTERM came; all is saved, and `resume(error.run)` goes on.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    spec = with_epochs(run.recipe, epochs)
    more = _checked(on_stage, on_row, on_epoch)
    with attended(
        spec,
        quiet=not progress,
        measured=lambda: run.load_split("train"),
        evaluate_every=evaluate_every,
        stop_on=stop_on,
        log_to=log_to,
    ) as hooks:
        return loop.resume(
            run,
            generator=generator,
            discriminator=discriminator,
            loss=loss,
            epochs=epochs,
            device=device,
            on_nan=on_nan,
            **_together(hooks, more),
        )


def _checked(
    on_stage: Iterable[OnStage], on_row: Iterable[OnRow], on_epoch: Iterable[OnEpoch]
) -> Hooks:
    return {
        "on_stage": list(arguments.functions("on_stage", on_stage)),
        "on_row": list(arguments.functions("on_row", on_row)),
        "on_epoch": list(arguments.functions("on_epoch", on_epoch)),
    }


def _together(ours: Hooks, theirs: Hooks) -> Hooks:
    """The user's come after ours; where one of them diagnoses, ours leaves it to that."""
    watched = any(isinstance(each, Watch) for each in theirs["on_epoch"])
    return {
        "on_stage": ours["on_stage"] + theirs["on_stage"],
        "on_row": ours["on_row"] + theirs["on_row"],
        "on_epoch": [each for each in ours["on_epoch"] if not (watched and isinstance(each, Watch))]
        + theirs["on_epoch"],
    }
