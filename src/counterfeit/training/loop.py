"""A run, from start to end: what happens around the adversarial update."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from counterfeit import data, environment, recipe
from counterfeit.errors import CannotWrite, CounterfeitError, Interrupted, UsageError
from counterfeit.files import Row
from counterfeit.game.game import Game
from counterfeit.game.inputs import draw_latents
from counterfeit.run import SNAPSHOT_IMAGES, Run, generate
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.seeds import stream
from counterfeit.training.interval import Interval
from counterfeit.training.soundness import MOST_ROLLBACKS, NonFinite, check, non_finite

logger = logging.getLogger(__name__)

LOG_EVERY = 100
"""Updates in a log row; the end of an epoch closes one early."""

KEPT_CHECKPOINTS = 2
"""The newest checkpoints stay, and those of `is_milestone` epochs."""

OnRow = Callable[[Row], None]
"""Is handed each log row when it is written."""

OnEpoch = Callable[[Run, int, nn.Module], None]
"""Is handed the run, the epoch and a copy of the generator that is sampled from, in eval mode, when
an epoch's files are written; once more when a run goes on from an epoch's end, as it may have been
killed before."""

OnNan = Literal["stop", "rollback"]
"""What a NaN or an infinity leads to: an end, or a return to the newest checkpoint and half the
learning rates."""


def train(
    spec: str | Path | recipe.Recipe,
    *,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    out: str | Path = "runs",
    data_dir: Path | None = None,
    on_nan: OnNan = "stop",
    on_row: Sequence[OnRow] = (),
    on_epoch: Sequence[OnEpoch] = (),
) -> Run:
    """Train a recipe in a new run directory.

    Args:
        spec: a recipe, its name, or a TOML file.
        epochs: instead of the recipe's.
        seed: fixes all randomness; on one machine and build, the same seed gives the same bits.
        device: "auto" (CUDA where there is one, else the CPU), "cpu", "cuda" or "mps".
        out: the folder to make the run directory in.
        data_dir: where data sets are kept; the user's cache folder when absent.
        on_nan: "stop", or "rollback" to the newest checkpoint and go on with half the learning
            rates, up to three times.
        on_row: called with each log row.
        on_epoch: called with the run, the epoch and the generator to sample from after each epoch.

    Raises:
        UsageError: an impossible recipe, number of epochs or device.
        CounterfeitError: the data cannot be had, the run cannot be written, or a loss or a weight
            became NaN or infinite.
        Interrupted: SIGINT or SIGTERM came; all is saved. `except Exception` does not catch it.
    """
    if not isinstance(spec, recipe.Recipe):
        spec = recipe.load(spec)
    if epochs is not None:
        spec = spec.with_values({"training.epochs": epochs})
    place = environment.pick_device(device)
    images = training_images(spec, data_dir)
    spec = spec.with_values({"data.name": data.anchored(spec.data.name)})
    game = Game(spec, images.mean_image(), seed=seed, device=place)
    facts = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "image_shape": images.shape,
        "data_dir": str(data_dir.resolve()) if data_dir else None,
    }
    run = Run.create(Path(out), spec, facts | environment.describe(place))
    with run.locked():
        return _train_soundly(run, game, images, on_nan, on_row, on_epoch)


def resume(
    path: str | Path,
    *,
    epochs: int | None = None,
    device: str = "auto",
    on_nan: OnNan = "stop",
    on_row: Sequence[OnRow] = (),
    on_epoch: Sequence[OnEpoch] = (),
) -> Run:
    """Go on with a run from its newest checkpoint to its recipe's last epoch, or to `epochs`.

    Its files end up as if it had never stopped, to the bit on one machine and build.

    Raises:
        UsageError: there is no such run, or an impossible number of epochs.
        CounterfeitError: the data cannot be had, the run is damaged, it cannot be written, or
            another process trains it; or a loss or a weight became NaN or infinite.
        Interrupted: SIGINT or SIGTERM came; all is saved. `except Exception` does not catch it.
    """
    run = Run.open(path)
    place = environment.pick_device(device)
    with run.locked():
        if epochs not in (None, run.recipe.training.epochs):
            run.change_recipe(run.recipe.with_values({"training.epochs": epochs}))
        images = training_images(run.recipe, run.data_dir)
        game = _game(run, images, place)
        return _train_soundly(run, game, images, on_nan, on_row, on_epoch)


def _game(run: Run, images: data.ImageData, device: torch.device) -> Game:
    return Game(
        run.recipe, images.mean_image(), seed=run.seed, device=device, halvings=run.rollbacks
    )


def training_images(spec: recipe.Recipe, data_dir: Path | None) -> data.ImageData:
    """The images that the recipe trains on.

    Raises:
        UsageError: there are fewer than it needs.
        CounterfeitError: the data cannot be had.
    """
    images = data.load(spec.data.name, "train", data_dir=data_dir)
    wanted = spec.data.train_images
    if wanted is not None and wanted > len(images):
        raise UsageError(
            f"data.train_images is {wanted:,}, and {spec.data.name} has {len(images):,}."
        )
    steps_per_epoch(spec, len(images.first(wanted)))
    return images.first(wanted)


def _train_soundly(
    run: Run,
    game: Game,
    images: data.ImageData,
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
                    "%s Going back to step %d with half the learning rates.", wrong, back
                )
                game = _game(run, images, game.device)
            except CannotWrite as error:
                if not run.path.exists():
                    raise CounterfeitError(f"{error} The run's folder is gone.") from None
                raise CounterfeitError(
                    f"{error} {_kept(run)}; `counterfeit train --resume {run.path}` goes on."
                ) from None


def _kept(run: Run) -> str:
    steps = run.checkpoint_steps
    return f"The checkpoint of step {steps[-1]} is kept" if steps else "There is no checkpoint yet"


def _train(
    run: Run,
    game: Game,
    images: data.ImageData,
    on_row: Sequence[OnRow],
    on_epoch: Sequence[OnEpoch],
    signals: "Signals",
) -> Run:
    spec, seed, device = run.recipe, run.seed, game.device
    k, batch_size = spec.training.discriminator_steps, spec.training.batch_size
    per_epoch = steps_per_epoch(spec, len(images))

    # The game starts as the recipe and the seed say, or goes on from the newest sound checkpoint.
    interval = Interval(LOG_EVERY, batch_size, device)
    history = draw_latents(spec.latent, SNAPSHOT_IMAGES, stream(seed, "history", device=device))
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
    run.rewind(step, step // per_epoch)
    _drop_old_checkpoints(run, per_epoch)
    if step == 0:
        run.write_snapshot(0, generate(game.sampler, history, spec.value_range))

    def tell_epoch(epoch: int) -> None:
        with signals.at_once():  # all is saved, and evaluations take long
            for see in on_epoch:
                see(run, epoch, game.sampler_to_show())

    def save() -> None:
        run.write_checkpoint(
            Checkpoint(step, step / per_epoch, game.tensors() | interval.tensors())
        )
        _drop_old_checkpoints(run, per_epoch)

    pool = images.images.to(device)  # (N, C, H, W) uint8
    order = shuffled(len(pool), seed, step // per_epoch).to(device)
    if step and step % per_epoch == 0:
        tell_epoch(step // per_epoch)
    started = time.perf_counter()

    while step < spec.training.epochs * per_epoch:
        # One update: an index, a cast, and the players' moves.
        epoch, position = divmod(step, per_epoch)
        chosen = order[position * k * batch_size :][: k * batch_size]
        reals = data.as_float(pool.index_select(0, chosen), *spec.value_range)
        outcome = game.update(step, epoch, reals.view(k, batch_size, *images.shape))
        interval.add(outcome)
        step += 1

        # A row of the log.
        epoch_ended = step % per_epoch == 0
        if interval.full or epoch_ended:
            check(game.tensors(), interval.losses[: interval.updates], step, per_epoch)
            images_seen = interval.updates * k * batch_size
            row = {
                "step": step,
                "epoch": step / per_epoch,
                **interval.row(outcome),
                "images_per_second": images_seen / (time.perf_counter() - started),
            }
            run.append_log(row)
            interval.clear()
            for hear in on_row:
                hear(row)
            started = time.perf_counter()

        # An epoch's files.
        if epoch_ended:
            epoch = step // per_epoch
            run.write_snapshot(epoch, generate(game.sampler, history, spec.value_range))
            save()
            tell_epoch(epoch)
            order = shuffled(len(pool), seed, epoch).to(device)
            started = time.perf_counter()

        if signals.received:
            if not epoch_ended and not non_finite(game.tensors()):
                save()
            raise signals.interrupted(signals.received[0])
    return run


def _drop_old_checkpoints(run: Run, per_epoch: int) -> None:
    for old in run.checkpoint_steps[:-KEPT_CHECKPOINTS]:
        if not is_milestone(old, per_epoch):
            run.remove_checkpoint(old)


def steps_per_epoch(spec: recipe.Recipe, images: int) -> int:
    """Updates of G in one pass over the data; a last short batch is left out.

    Raises:
        UsageError: there are fewer images than one update needs.
    """
    needed = spec.training.batch_size * spec.training.discriminator_steps
    if images < needed:
        raise UsageError(
            f"{spec.data.name} has {images} images and one update needs {needed};"
            " lower training.batch_size."
        )
    return images // needed


def shuffled(count: int, seed: int, epoch: int) -> Int64[Tensor, " count"]:
    """The order in which an epoch sees the images."""
    return torch.randperm(count, generator=stream(seed, "order", epoch))


def is_milestone(step: int, per_epoch: int) -> bool:
    """Whether a step ends epoch 1, 2, 5, 10, 20, 50, 100 and so on, whose checkpoints stay."""
    epoch, rest = divmod(step, per_epoch)
    return rest == 0 and str(epoch).rstrip("0") in ("1", "2", "5")


@dataclass
class Signals:
    """SIGINT and SIGTERM that came, and whether one may act at once."""

    run: Run
    received: list[int] = field(default_factory=list)
    act: bool = False

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While the block runs, a signal raises `Interrupted`, as one does that came before.

        So does whatever a library makes of it on the way.
        """
        self.act = True
        try:
            if self.received:
                raise self.interrupted(self.received[0])
            yield
        except Exception as error:
            if self.received:
                raise self.interrupted(self.received[0]) from error
            raise
        finally:
            self.act = False

    def interrupted(self, signum: int) -> Interrupted:
        return Interrupted(
            f"stopped and saved; `counterfeit train --resume {self.run.path}` goes on.", signum
        )

    def note(self, signum: int, frame: object) -> None:
        self.received.append(signum)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.act:
            raise self.interrupted(signum)


@contextmanager
def deferred_signals(run: Run) -> Iterator[Signals]:
    """Collect SIGINT and SIGTERM instead of acting on them; a second SIGINT acts at once."""
    signals = Signals(run)
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    previous = {
        number: signal.signal(number, signals.note) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield signals
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
