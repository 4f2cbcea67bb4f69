"""`Directory`: what a run is on disk. The package says which files it holds."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from counterfeit import arguments, recipe
from counterfeit.arguments import StrPath
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.files import (
    Row,
    append_row,
    locked,
    rename_to_free,
    sync_folder,
    write_whole,
    writing,
)
from counterfeit.language import english
from counterfeit.run import checkpoint as checkpoints
from counterfeit.run import facts, rows, snapshots, stored
from counterfeit.run.checkpoint import Checkpoint


class Directory:
    """A run's files and its lock; `Run` adds what can be made of them."""

    def __init__(self, path: StrPath) -> None:
        self.path = arguments.path("a run", path)
        self._read: dict[Callable[[Path], list[Row]], list[Row]] | None = None

    @classmethod
    def create(
        cls,
        out: StrPath,
        spec: recipe.Recipe,
        environment: dict[str, Any],
        name: str | None = None,
    ) -> Self:
        """`creating`, with nothing more to put into it."""
        with cls.creating(out, spec, environment, name) as run:
            return run

    @classmethod
    @contextmanager
    def creating(
        cls,
        out: StrPath,
        spec: recipe.Recipe,
        environment: dict[str, Any],
        name: str | None = None,
    ) -> Iterator[Self]:
        """A new run to put more into; it gets its name in `out`, whole, when the block ends well:
        the time, the recipe and the seed, if it is given none.

        Raises:
            CounterfeitError: it cannot be written there.
        """
        out = arguments.path("out", out)
        now = datetime.now()
        name = name or f"{now:%Y%m%d-%H%M%S}-{spec.name}-s{environment['seed']}"
        unfinished = out / f".new-{os.getpid()}-{now:%H%M%S%f}"
        try:
            for folder in ("checkpoints", "snapshots", "figures"):
                (unfinished / folder).mkdir(parents=True)
        except OSError as error:
            raise CounterfeitError(
                f"cannot create a run in {out}: {error.strerror}; choose another folder with --out."
            ) from None
        run = cls(unfinished)
        try:
            write_whole(unfinished / "recipe.toml", spec.to_toml().encode())
            write_whole(unfinished / "environment.json", json.dumps(environment, indent=2).encode())
            yield run
            with writing(out / name):
                run.path = rename_to_free(unfinished, out / name)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(out)

    @classmethod
    def latest(cls, out: StrPath) -> Self:
        """The newest run in that folder.

        Raises:
            UsageError: there is none.
        """
        out = arguments.path("out", out)
        if (path := facts.newest(out)) is None:
            raise UsageError(f"there is no run in {out}; --out names the folder to look in.")
        return cls(path)

    @classmethod
    def open(cls, path: StrPath) -> Self:
        """The run in that directory.

        Raises:
            UsageError: there is none.
        """
        path = arguments.path("a run", path)
        try:
            if (path / "recipe.toml").is_file() and (path / "environment.json").is_file():
                return cls(path)
            what = "is not a run directory" if path.is_dir() else "does not exist"
        except OSError as error:  # such as a name that is too long
            what = f"cannot be read: {error.strerror}"
        raise UsageError(f"{path} {what}; `counterfeit train` makes one and prints its path.")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from training this run; reading it stays free.

        Raises:
            CounterfeitError: another process trains it, or it cannot be written.
        """
        busy = f"another process is training {self.path}; wait until it ends, or stop it."
        with locked(self.path / ".lock", busy):
            yield

    # What a run is.

    def change_recipe(self, spec: recipe.Recipe) -> None:
        write_whole(self.path / "recipe.toml", spec.to_toml().encode())
        self.__dict__.pop("recipe", None)

    @cached_property
    def recipe(self) -> recipe.Recipe:
        return facts.read_recipe(self.path)

    @cached_property
    def environment(self) -> dict[str, Any]:
        return facts.read_environment(self.path)

    @property
    def seed(self) -> int:
        return int(self.environment["seed"])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        channels, height, width = self.environment["image_shape"]
        return channels, height, width

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that its networks are told; none where they are told nothing.

        Raises:
            CounterfeitError: its environment.json lacks them.
        """
        if self.recipe.condition is None:
            return ()
        if not (sizes := self.environment["classes"]):
            raise CounterfeitError(f"{self.path / 'environment.json'} is damaged: no classes.")
        return tuple(sizes)

    # What training has written so far.

    @contextmanager
    def still(self) -> Iterator[None]:
        """While the block runs, each file of rows is read once: what is said of a run that goes on
        is of one moment. Nothing is to be appended meanwhile."""
        before = self._read
        self._read = {} if before is None else before
        try:
            yield
        finally:
            self._read = before

    def _rows(self, read: Callable[[Path], list[Row]]) -> list[Row]:
        if self._read is None:
            return read(self.path)
        if read not in self._read:
            self._read[read] = read(self.path)
        return self._read[read]

    @property
    def log(self) -> list[Row]:
        return self._rows(rows.read_log)

    def append_log(self, row: rows.LogRow) -> None:
        append_row(self.path / rows.LOG, row)

    @property
    def metrics(self) -> list[Row]:
        """Rows of `step`, `epoch` and `metrics`, which are `Measurements`."""
        return self._rows(rows.read_metrics)

    def append_metrics(self, row: rows.MetricsRow) -> None:
        append_row(self.path / rows.METRICS, row)

    @property
    def vitals(self) -> list[Row]:
        return self._rows(rows.read_vitals)

    def append_vitals(self, row: rows.VitalsRow) -> None:
        append_row(self.path / rows.VITALS, row)

    @property
    def findings(self) -> list[Row]:
        """Rows of `step`, `epoch` and `name`, and the other fields of a `Finding`."""
        return self._rows(rows.read_findings)

    def append_finding(self, row: Row) -> None:
        append_row(self.path / rows.FINDINGS, row)

    @property
    def rollbacks(self) -> list[int]:
        """The steps that training went back to after a number went wrong, in order.

        From each on, the learning rates are halved once more.
        """
        return rows.rollbacks(self.findings)

    @property
    def real_scores(self) -> rows.Measurements:
        """What real training images score: `[value, spread]` under each metric's name, if measured.

        Raises:
            CounterfeitError: the file is damaged.
        """
        return rows.read_real_scores(self.path)

    def add_real_scores(self, scores: rows.Measurements) -> None:
        rows.write_real_scores(self.path, self.real_scores | scores)

    @property
    def snapshot_epochs(self) -> list[int]:
        return snapshots.epochs(self._snapshots)

    def snapshot(self, epoch: int) -> NDArray[np.uint8]:
        """Images (100, C, H, W) of the fixed latents after `epoch` epochs; 0 is before training."""
        epoch = arguments.whole_number("epoch", epoch)
        return snapshots.read(
            self._snapshots, epoch, self.image_shape, fewer=self.recipe.is_foreign
        )

    def write_snapshot(self, epoch: int, images: UInt8[Tensor, "N C H W"]) -> None:
        snapshots.write(self._snapshots, epoch, images)

    @property
    def stored_samples(self) -> stored.Samples | None:
        """The newest generator's images, where the run keeps them.

        Raises:
            CounterfeitError: they are damaged.
        """
        return stored.read_samples(self.path, self.image_shape)

    @property
    def stored_step(self) -> int | None:
        """The step of these samples, without reading them."""
        return stored.read_step(self.path)

    def write_samples(self, samples: stored.Samples) -> None:
        stored.write_samples(self.path, samples)

    @property
    def checkpoint_steps(self) -> list[int]:
        return checkpoints.steps(self._checkpoints)

    def checkpoint(self, step: int | Checkpoint | None = None) -> Checkpoint:
        """The state after `step` updates; the newest sound one when absent.

        One that was read before may stand for its step here and below, and is not read again.

        Raises:
            CounterfeitError: there is none, or that of `step` is damaged.
        """
        if isinstance(step, Checkpoint):
            return step
        if step is not None:
            step = arguments.whole_number("step", step)
            return checkpoints.read(self._checkpoints, step)
        if (newest := checkpoints.newest(self._checkpoints)) is None:
            raise CounterfeitError(
                english(
                    "{run} has no checkpoint yet; let it train a first epoch.", run=str(self.path)
                )
            )
        return newest

    def recover(self) -> Checkpoint | None:
        """The newest sound checkpoint, for training to go on from; newer ones are set aside.

        Raises:
            CounterfeitError: one may not be read, or not be moved.
        """
        return checkpoints.recover(self._checkpoints)

    def write_checkpoint(self, state: Checkpoint) -> None:
        """Keep a state, and before it, safe from a power cut, all rows that belong to it."""
        rows.flush(self.path)
        checkpoints.write(self._checkpoints, state)

    def remove_checkpoint(self, step: int) -> None:
        checkpoints.remove(self._checkpoints, step)

    def rewind(self, step: int, epoch: float) -> None:
        """Forget all that came after `step`, before training goes on from there."""
        for folder in (self._checkpoints, self._snapshots):
            with writing(folder):
                folder.mkdir(exist_ok=True)
        snapshots.rewind(self._snapshots, epoch)
        checkpoints.tidy(self._checkpoints)
        rows.rewind(self.path, step)

    @property
    def _checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def _snapshots(self) -> Path:
        return self.path / "snapshots"
