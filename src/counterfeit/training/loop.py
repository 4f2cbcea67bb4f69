"""A run, from start to end: what happens around the adversarial update."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from counterfeit import data, environment, latents, recipe
from counterfeit.checkpoint import Checkpoint
from counterfeit.errors import Interrupted, UsageError
from counterfeit.files import Row
from counterfeit.run import SNAPSHOT_IMAGES, Run, generate
from counterfeit.seeds import stream
from counterfeit.training.game import Game
from counterfeit.training.interval import Interval

LOG_EVERY = 100
"""Updates in a log row; the end of an epoch closes one early."""

KEPT_CHECKPOINTS = 2
"""The newest checkpoints stay, and those of `is_milestone` epochs."""

OnRow = Callable[[Row], None]
"""Is handed each log row when it is written."""

OnEpoch = Callable[[Run, int, nn.Module], None]
"""Is handed the run, the epoch and the generator when an epoch's files are written."""


def train(
    spec: str | Path | recipe.Recipe,
    *,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    out: str | Path = "runs",
    data_dir: Path | None = None,
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
        on_row: called with each log row.
        on_epoch: called with the run, the epoch and the generator after each epoch.

    Raises:
        UsageError: an impossible recipe, number of epochs or device.
        CounterfeitError: the data cannot be had, or the run cannot be written.
        Interrupted: SIGINT or SIGTERM came.
    """
    if not isinstance(spec, recipe.Recipe):
        spec = recipe.load(spec)
    if epochs is not None:
        spec = spec.with_overrides([f"training.epochs={epochs}"])
    place = environment.pick_device(device)
    images = data.load(spec.data.name, "train", data_dir=data_dir).first(spec.data.train_images)
    steps_per_epoch(spec, len(images))
    facts = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "image_shape": images.shape,
        "data_dir": str(data_dir) if data_dir else None,
    }
    run = Run.create(Path(out), spec, facts | environment.describe(place))
    return _train(run, images, place, on_row, on_epoch)


def resume(
    path: str | Path,
    *,
    device: str = "auto",
    on_row: Sequence[OnRow] = (),
    on_epoch: Sequence[OnEpoch] = (),
) -> Run:
    """Go on with a run from its newest checkpoint to its recipe's last epoch."""
    run = Run.open(path)
    place = environment.pick_device(device)
    return _train(run, run.load_data("train"), place, on_row, on_epoch)


def _train(
    run: Run,
    images: data.ImageData,
    device: torch.device,
    on_row: Sequence[OnRow],
    on_epoch: Sequence[OnEpoch],
) -> Run:
    spec, seed = run.recipe, run.seed
    k, batch_size = spec.training.discriminator_steps, spec.training.batch_size
    per_epoch = steps_per_epoch(spec, len(images))

    # Everything starts as the recipe and the seed say, or as the newest checkpoint does.
    game = Game(spec, images.mean_image(), seed=seed, device=device)
    interval = Interval(LOG_EVERY, batch_size, device)
    history = latents.draw(spec.latent, SNAPSHOT_IMAGES, stream(seed, "history", device=device))
    step = 0
    if run.checkpoint_steps:
        saved = run.checkpoint()
        game.load(saved.tensors)
        interval.load(saved.tensors)
        step = saved.step
    run.rewind(step, step // per_epoch)
    if step == 0:
        run.write_snapshot(0, generate(game.G, history, spec.value_range))

    def save() -> None:
        run.write_checkpoint(
            Checkpoint(step, step / per_epoch, game.tensors() | interval.tensors())
        )
        for old in run.checkpoint_steps[:-KEPT_CHECKPOINTS]:
            if not is_milestone(old, per_epoch):
                run.remove_checkpoint(old)

    pool = images.images.to(device)  # (N, C, H, W) uint8
    order = shuffled(len(pool), seed, step // per_epoch).to(device)
    started = time.perf_counter()

    with deferred_signals() as signals:
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
                row = interval.row(outcome, seconds=time.perf_counter() - started)
                row = {"step": step, "epoch": step / per_epoch, **row}
                run.append_log(row)
                interval.clear()
                for hear in on_row:
                    hear(row)
                started = time.perf_counter()

            # An epoch's files.
            if epoch_ended:
                epoch = step // per_epoch
                run.write_snapshot(epoch, generate(game.G, history, spec.value_range))
                save()
                for see in on_epoch:
                    see(run, epoch, game.G)
                order = shuffled(len(pool), seed, epoch).to(device)
                started = time.perf_counter()

            if signals:
                if not epoch_ended:
                    save()
                raise Interrupted(
                    f"stopped and saved; `counterfeit train --resume {run.path}` goes on.",
                    signals[0],
                )
    return run


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


@contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of acting on them; a second SIGINT acts at once."""
    received: list[int] = []

    def note(signum: int, frame: object) -> None:
        received.append(signum)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
