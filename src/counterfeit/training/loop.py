"""A run, from start to end: what happens around the adversarial update."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, SupportsIndex, get_args

import torch
from torch import nn

from counterfeit import arguments, environment, recipe
from counterfeit.arguments import StrPath
from counterfeit.data import ImageData, class_sizes, doubts
from counterfeit.data.given import take
from counterfeit.data.loading import look_of
from counterfeit.errors import CannotWrite, CounterfeitError
from counterfeit.game.engines.sharing import Lost
from counterfeit.game.game import Game
from counterfeit.game.inputs import Pool
from counterfeit.game.own import Given
from counterfeit.language import english, tr, translated
from counterfeit.run import Run, generate
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.own import modules_of, resuming
from counterfeit.run.rows import LogRow
from counterfeit.run.stored import write_data
from counterfeit.training import own, processes
from counterfeit.training.epochs import (
    drop_old_checkpoints,
    rates_end_with_epochs,
    require_epochs,
    shuffled,
    steps_per_epoch,
    training_images,
    with_epochs,
)
from counterfeit.training.interval import Interval
from counterfeit.training.signals import Signals, deferred_signals
from counterfeit.training.soundness import MOST_ROLLBACKS, NonFinite, check

logger = logging.getLogger(__name__)

LOG_EVERY = 100
"""Updates in a log row; the end of an epoch closes one early."""

OnRow = Callable[[LogRow], None]
"""Is handed each log row when it is written."""

OnStage = Callable[[str], None]
"""Is handed what is done before the first row: reading data, building networks, training."""

OnEpoch = Callable[[Run, int, nn.Module], None]
"""Is handed the run, the epoch and a copy of the generator that is sampled from, in eval mode, when
an epoch's files are written; once more when a run goes on from an epoch's end, as it may have been
killed before."""

OnNan = Literal["stop", "rollback"]
"""What a NaN or an infinity leads to: an end, or a return to the newest checkpoint and half the
learning rates."""


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
    name: str | None = None,
    data_dir: StrPath | None = None,
    on_nan: OnNan = "stop",
    on_stage: Iterable[OnStage] = (),
    on_row: Iterable[OnRow] = (),
    on_epoch: Iterable[OnEpoch] = (),
) -> Run:
    """Train a recipe in a new run directory, unattended: `session.train` says what its arguments
    are and what it raises, and adds progress, evaluations and findings.

    Args:
        name: of the run directory; the time, the recipe and the seed when absent.
    """
    on_nan, on_stage, on_row, on_epoch = _checked(on_nan, on_stage, on_row, on_epoch)
    seed = arguments.whole_number("seed", seed)
    out = arguments.path("out", out)
    data_dir = None if data_dir is None else arguments.path("data_dir", data_dir)
    place = environment.pick_device(device)
    spec = with_epochs(recipe.load(spec), epochs)
    if discriminator is None:
        spec.require_trainable()
    spec, own_loss = own.with_loss(spec, loss)
    modules = modules_of(generator, discriminator)
    _tell(english("reading the data"), on_stage)
    real = take(data, spec.data, data_dir)
    spec = spec.with_values({"data.name": real.section.name})
    train_split = real.train
    for doubt in doubts(train_split, look_of(spec.data)):
        logger.warning(doubt)
    images = training_images(spec, train_split)
    _tell(english("building the networks"), on_stage)
    spec, networks = own.with_networks(spec, modules, images.shape, place)
    given = Given(networks, own_loss)
    own.require_all(spec, given)
    sizes = class_sizes(train_split, images)
    mean = images.mean_image()
    game = processes.game(spec, mean, len(sizes), seed=seed, device=place, given=given)
    own.begin(game, spec, images, given)
    facts = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "history_seed": seed,
        "image_shape": images.shape,
        "classes": sizes,
        "data": real.identities(data_dir),
        "data_kept": real.kept,
        "data_dir": str(data_dir.resolve()) if data_dir else None,
        "processes": processes.count(),
    }
    with Run.creating(out, spec, facts | environment.describe(place), name) as run:
        if real.kept:
            write_data(run.path, real.splits)
    run.adopt(given.networks)
    _tell(english("training"), on_stage)
    with run.locked(), run.holding(train_split):
        return _train_soundly(run, game, images, given, on_nan, on_row, on_epoch)


def resume(
    run: Run | StrPath,
    *,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    loss: Any = None,
    epochs: SupportsIndex | None = None,
    device: str | torch.device = "auto",
    on_nan: OnNan = "stop",
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
        Interrupted: SIGINT or SIGTERM came; all is saved, and `resume(error.run)` goes on.
    """
    on_nan, on_stage, on_row, on_epoch = _checked(on_nan, on_stage, on_row, on_epoch)
    run = run if isinstance(run, Run) else Run.open(run)
    place = environment.pick_device(device)
    given = own.for_run(run, modules_of(generator, discriminator), loss)
    with run.locked():
        _tell(english("reading the data"), on_stage)
        train_split = run.load_split("train")
        images = training_images(run.recipe, train_split)
        spec = with_epochs(run.recipe, epochs)
        saved = run.recover() if spec != run.recipe else None
        require_epochs(run, saved.epoch if saved else 0, spec)
        _tell(english("building the networks"), on_stage)
        _say_what_is_another(run)
        game = _game(run, spec, images, place, given)
        own.begin(game, spec, images, given)
        run.adopt(given.networks)
        if spec != run.recipe:
            if saved and rates_end_with_epochs(spec):
                logger.warning(
                    tr(
                        "Learning rates fall to 0 at the last epoch: from epoch {epoch} on they are"
                        " those of {now} epochs, not of {before}.",
                        epoch=f"{saved.epoch:.4g}",
                        now=str(spec.training.epochs),
                        before=str(run.recipe.training.epochs),
                    )
                )
            run.change_recipe(spec)
        _tell(english("training"), on_stage)
        with run.holding(train_split):
            return _train_soundly(run, game, images, given, on_nan, on_row, on_epoch)


def _checked(
    on_nan: OnNan,
    on_stage: Iterable[OnStage],
    on_row: Iterable[OnRow],
    on_epoch: Iterable[OnEpoch],
) -> tuple[OnNan, Sequence[OnStage], Sequence[OnRow], Sequence[OnEpoch]]:
    """The arguments that `train` and `resume` share.

    Raises:
        UsageError: one is impossible.
    """
    return (
        arguments.one_of("on_nan", on_nan, get_args(OnNan)),
        arguments.functions("on_stage", on_stage),
        arguments.functions("on_row", on_row),
        arguments.functions("on_epoch", on_epoch),
    )


def _tell(stage: str, on_stage: Sequence[OnStage]) -> None:
    for hear in on_stage:
        hear(stage)


def _say_what_is_another(run: Run) -> None:
    began, now = run.environment.get("processes", 1), processes.count()
    if began != now:
        logger.warning(
            tr(
                "Another number of processes trains the run now, {now} instead of {began}: from"
                " here on its numbers are what they would have been to within rounding, not to the"
                " bit.",
                began=str(began),
                now=str(now),
            )
        )


def _game(
    run: Run, spec: recipe.Recipe, images: ImageData, device: torch.device, given: Given
) -> Game:
    return processes.game(
        spec,
        images.mean_image(),
        len(run.classes),
        seed=run.seed,
        device=device,
        halvings=run.rollbacks,
        given=given,
    )


def _train_soundly(
    run: Run,
    game: Game,
    images: ImageData,
    given: Given,
    on_nan: OnNan,
    on_row: Sequence[OnRow],
    on_epoch: Sequence[OnEpoch],
) -> Run:
    """Train to the end, from the newest checkpoint again where numbers go wrong and may."""
    with deferred_signals(run) as signals:
        while True:
            try:
                return _train(run, game, images, on_row, on_epoch, signals)
            except NonFinite as wrong:
                if on_nan == "stop" or len(run.rollbacks) == MOST_ROLLBACKS:
                    run.append_finding(wrong.row)
                    raise CounterfeitError(f"{wrong} {_kept(run)}. {wrong.advice}") from None
                saved = run.recover()
                back = saved.step if saved else 0
                run.append_finding(wrong.rolled_back(back))
                logger.warning(
                    tr(
                        "{error} Going back to step {step} with half the learning rates.",
                        error=translated(str(wrong)),
                        step=str(back),
                    )
                )
                game = _game(run, run.recipe, images, game.device, given)
            except (CannotWrite, Lost) as error:
                if not run.path.exists():
                    raise CounterfeitError(f"{error} The run's folder is gone.") from None
                raise CounterfeitError(f"{error} {_kept(run)}; {resuming(run)} goes on.") from None


def _kept(run: Run) -> str:
    steps = run.checkpoint_steps
    return f"The checkpoint of step {steps[-1]} is kept" if steps else "There is no checkpoint yet"


def _train(
    run: Run,
    game: Game,
    images: ImageData,
    on_row: Sequence[OnRow],
    on_epoch: Sequence[OnEpoch],
    signals: Signals,
) -> Run:
    spec, seed, device = run.recipe, run.seed, game.device
    k, batch_size = spec.training.discriminator_steps, spec.training.batch_size
    per_epoch = steps_per_epoch(spec, len(images))
    last = spec.training.epochs * per_epoch

    # The game starts as the recipe and the seed say, or goes on from the newest sound checkpoint.
    interval = Interval(LOG_EVERY, batch_size, device)
    history, classes = run.history().to(device), run.history_classes  # (100, z), (100,)
    step = 0
    if (saved := run.recover()) is not None:
        try:
            game.load(saved.tensors)
            interval.load(saved.tensors)
        except (RuntimeError, KeyError, ValueError):
            raise CounterfeitError(
                f"the checkpoint of step {saved.step} in {run.path} does not fit its recipe."
            ) from None
        step = saved.step
    epoch, position = divmod(step, per_epoch)
    run.rewind(step, epoch)
    drop_old_checkpoints(run, per_epoch)

    # What is written, and who is told, again and again.
    def snapshot(epoch: int) -> None:
        run.write_snapshot(epoch, generate(game.sampler, history, spec.value_range, classes))

    def require_sound() -> None:
        check(game.tensors(), interval.losses[: interval.updates], step, per_epoch)

    def save() -> None:
        if run.recipe.generator.name == "custom" and (
            signals.received or step == last or own.samples_due(run, step, k * batch_size)
        ):
            own.keep_samples(run, game, step, step / per_epoch)
        tensors = game.tensors() | interval.tensors()
        run.write_checkpoint(Checkpoint(step, step / per_epoch, tensors))
        drop_old_checkpoints(run, per_epoch)

    def tell_epoch(epoch: int) -> None:
        with signals.at_once():  # all is saved, and evaluations take long
            for see in on_epoch:
                see(run, epoch, game.sampler_to_show())

    # The data, and what a killed process may have left undone at an epoch's end.
    pool = Pool.of(images, spec.value_range, device)
    order = shuffled(len(images), seed, epoch).to(device)
    if saved is None and not game.is_ours:  # nothing else knows the weights that it starts with
        save()
    if position == 0 and epoch not in run.snapshot_epochs:
        snapshot(epoch)
    if position == 0 and epoch > 0:
        tell_epoch(epoch)
    timed_from, started = step, time.perf_counter()

    while step < last:
        # One update: k batches, and the players' moves.
        epoch, position = divmod(step, per_epoch)
        chosen = order[position * k * batch_size :][: k * batch_size]
        outcome = game.update(step, step / per_epoch, pool.batches(chosen, k))
        interval.add(outcome)
        step += 1

        # A row of the log.
        epoch_ended = step % per_epoch == 0
        if interval.full or epoch_ended:
            require_sound()
            images_timed = (step - timed_from) * k * batch_size
            row: LogRow = {
                "step": step,
                "epoch": step / per_epoch,
                **interval.row(outcome, probabilistic=game.rules.loss.probabilistic),
                "images_per_second": images_timed / (time.perf_counter() - started),
            }
            if game.augmented is not None:
                row["augmented"] = game.augmented
            run.append_log(row)
            interval.clear()
            for hear in on_row:
                hear(row)
            timed_from, started = step, time.perf_counter()

        # An epoch's files.
        if epoch_ended:
            epoch = step // per_epoch
            snapshot(epoch)
            save()
            tell_epoch(epoch)
            order = shuffled(len(images), seed, epoch).to(device)
            timed_from, started = step, time.perf_counter()

        # A signal that came in this update.
        if signals.received:
            if not epoch_ended:
                try:
                    require_sound()
                except NonFinite as wrong:
                    state = f"stopped, and not saved: {wrong} {_kept(run)}"
                    raise signals.interrupted(state, "--on-nan", "rollback") from None
                save()
            raise signals.interrupted()
    return run
