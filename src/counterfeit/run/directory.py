"""`Run`: a training on disk. The package says what its directory holds."""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
from jaxtyping import Float, Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from counterfeit import arguments, data, recipe
from counterfeit.arguments import StrPath
from counterfeit.errors import CannotWrite, CounterfeitError, UsageError
from counterfeit.files import (
    Row,
    append_row,
    locked,
    rename_to_free,
    sync_folder,
    write_whole,
    writing,
)
from counterfeit.game.inputs import draw_classes, draw_latents, set_category
from counterfeit.language import english
from counterfeit.run import asked, facts, provenance, rows, snapshots, stored
from counterfeit.run import checkpoint as checkpoints
from counterfeit.run.asked import Asked
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.sampler import generate, rebuild_discriminator, rebuild_generator
from counterfeit.seeds import stream

logger = logging.getLogger(__name__)


class Run:
    """A training on disk, finished or not."""

    def __init__(self, path: StrPath) -> None:
        self.path = arguments.path("a run", path)
        self._held: data.ImageData | None = None

    @classmethod
    def create(cls, out: StrPath, spec: recipe.Recipe, environment: dict[str, Any]) -> "Run":
        """`creating`, with nothing more to put into it."""
        with cls.creating(out, spec, environment) as run:
            return run

    @classmethod
    @contextmanager
    def creating(
        cls, out: StrPath, spec: recipe.Recipe, environment: dict[str, Any]
    ) -> Iterator["Run"]:
        """A new run to put more into; it gets its name in `out`, whole, when the block ends well:
        the time, the recipe and the seed.

        Raises:
            CounterfeitError: it cannot be written there.
        """
        out = arguments.path("out", out)
        now = datetime.now()
        name = f"{now:%Y%m%d-%H%M%S}-{spec.name}-s{environment['seed']}"
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
    def latest(cls, out: StrPath) -> "Run":
        """The newest run in that folder.

        Raises:
            UsageError: there is none.
        """
        out = arguments.path("out", out)
        if (path := facts.newest(out)) is None:
            raise UsageError(f"there is no run in {out}; --out names the folder to look in.")
        return cls(path)

    @classmethod
    def open(cls, path: StrPath) -> "Run":
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

    @property
    def data_dir(self) -> Path | None:
        """Where its data set is kept, if not in the usual folder."""
        folder = self.environment.get("data_dir")
        return Path(folder) if folder else None

    @property
    def trained_on(self) -> data.Identity | None:
        """What its training split was; None for a run of an earlier version."""
        recorded = self.environment.get("data", {}).get("train")
        return data.Identity.from_json(recorded) if recorded else None

    def load_split(self, split: data.Split) -> data.ImageData:
        """A whole split of the run's data, of which it trains on a part or all.

        Raises:
            CounterfeitError: it cannot be had, or is not what the run was made with.
        """
        if split == "validation":
            return self.load_split("train").validation
        if split == "train" and self._held is not None:
            return self._held
        return provenance.load(self.path, self.environment, self.recipe.data, split, self.data_dir)

    def load_data(self, split: data.Split = "train") -> data.ImageData:
        """The images that the run trains on, or those of another split.

        Raises:
            CounterfeitError: they cannot be had, or are not those that the run was made with.
        """
        loaded = self.load_split(arguments.one_of("split", split, get_args(data.Split)))
        return loaded.first(self.recipe.data.train_images) if split == "train" else loaded

    @contextmanager
    def holding(self, train: data.ImageData) -> Iterator[None]:
        """While the block runs, the training split is this one, and is not read again."""
        self._held = train
        try:
            yield
        finally:
            self._held = None

    def find_data(self, name: str | None = None, data_dir: StrPath | None = None) -> None:
        """Look for the run's data elsewhere from now on.

        Args:
            name: of the data, or the folder where they lie now.
            data_dir: where published sets are kept now.

        Raises:
            CounterfeitError: they cannot be had there, or are not those that the run was made
                with.
        """
        if data_dir is not None:
            data_dir = arguments.path("data_dir", data_dir).resolve()
        name = self.recipe.data.name if name is None else name
        place = name, data_dir or self.data_dir
        moved = provenance.moved(self.path, self.environment, self.recipe, *place)
        if moved is None:
            return
        environment, spec = moved
        try:
            write_whole(self.path / "environment.json", json.dumps(environment, indent=2).encode())
            self.change_recipe(spec)
        except CannotWrite as error:  # a run that may only be read
            logger.warning("%s Where its data lie is not kept.", error)
        self.__dict__ |= {"environment": environment, "recipe": spec}

    # What training has written so far.

    @property
    def log(self) -> list[Row]:
        return rows.read_log(self.path)

    def append_log(self, row: rows.LogRow) -> None:
        append_row(self.path / rows.LOG, row)

    @property
    def metrics(self) -> list[Row]:
        """Rows of `step`, `epoch` and `metrics`, which are `Measurements`."""
        return rows.read_metrics(self.path)

    def append_metrics(self, row: rows.MetricsRow) -> None:
        append_row(self.path / rows.METRICS, row)

    @property
    def vitals(self) -> list[Row]:
        return rows.read_vitals(self.path)

    def append_vitals(self, row: rows.VitalsRow) -> None:
        append_row(self.path / rows.VITALS, row)

    @property
    def findings(self) -> list[Row]:
        """Rows of `step`, `epoch` and `name`, and the other fields of a `Finding`."""
        return rows.read_findings(self.path)

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

    def history(self) -> Float[Tensor, "100 z"]:
        """The latents of all its snapshots, on the CPU.

        Raises:
            CounterfeitError: they were drawn on a GPU, by an older version.
        """
        if (seed := self.environment["history_seed"]) is None:
            raise CounterfeitError(
                f"{self.path} is of an older version, which drew its snapshots' latents on the GPU;"
                " with --fork a new run goes on from it."
            )
        return draw_latents(self.recipe.latent, snapshots.SNAPSHOT_IMAGES, stream(seed, "history"))

    @property
    def history_classes(self) -> Int64[Tensor, " 100"] | None:
        """The classes that they are asked for, as many of each, in order; None where none are."""
        classes = len(self.classes)
        return asked.evenly(snapshots.SNAPSHOT_IMAGES, classes) if classes else None

    @property
    def snapshot_epochs(self) -> list[int]:
        return snapshots.epochs(self._snapshots)

    def snapshot(self, epoch: int) -> NDArray[np.uint8]:
        """Images (100, C, H, W) of the fixed latents after `epoch` epochs; 0 is before training."""
        epoch = arguments.whole_number("epoch", epoch)
        return snapshots.read(self._snapshots, epoch, self.image_shape, fewer=self.is_custom)

    def write_snapshot(self, epoch: int, images: UInt8[Tensor, "N C H W"]) -> None:
        snapshots.write(self._snapshots, epoch, images)

    @property
    def is_custom(self) -> bool:
        """Whether its generator is a module of the user's, which only the user's code can build:
        then samples are those that it keeps."""
        return self.recipe.generator.name == "custom"

    @property
    def stored_samples(self) -> stored.Samples | None:
        """The newest generator's images, where the run keeps them.

        Raises:
            CounterfeitError: they are damaged.
        """
        return stored.read_samples(self.path, self.image_shape)

    def write_samples(self, samples: stored.Samples) -> None:
        stored.write_samples(self.path, samples)

    def newest(self) -> Checkpoint | stored.Samples:
        """The newest state that there are images of: a checkpoint, or the samples that are kept.

        Raises:
            CounterfeitError: there is none.
        """
        if not self.is_custom:
            return self.checkpoint()
        if (kept := self.stored_samples) is None:
            raise CounterfeitError(
                f"{self.path} keeps no samples yet, and only the code that trains its generator can"
                " make some."
            )
        return kept

    @property
    def sampled_steps(self) -> list[int]:
        """The steps of which there are images to be had."""
        if not self.is_custom:
            return self.checkpoint_steps
        kept = self.stored_samples
        return [] if kept is None else [kept.step]

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

    def step_at(self, epoch: int) -> int:
        """The step of the checkpoint at the end of that epoch.

        Raises:
            UsageError: there is none; the message says which there are.
        """
        kept = set(self.checkpoint_steps)
        steps = {row["epoch"]: row["step"] for row in self.log if row["step"] in kept}
        epoch = arguments.whole_number("epoch", epoch)
        if self.is_custom:
            raise UsageError(
                f"{self.path} keeps its last samples only, as its generator is not ours to build;"
                " leave --epoch out."
            )
        if epoch not in steps:
            there = ", ".join(f"{each:.4g}" for each in steps) or "none"
            raise UsageError(
                f"{self.path} keeps no checkpoint of epoch {epoch}; of these it does: {there}."
            )
        return int(steps[epoch])

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

    # What a run can do once it is trained.

    def generator(
        self, step: int | Checkpoint | None = None, *, averaged: bool = True
    ) -> nn.Module:
        """The trained generator, in eval mode: BatchNorm uses its running statistics.

        Its weights are their average over training where the recipe asks for one; the newest with
        `averaged` off.
        """
        return rebuild_generator(
            self.recipe,
            self.image_shape,
            len(self.classes),
            self.checkpoint(step),
            self.path,
            averaged=averaged,
        )

    def discriminator(self, step: int | Checkpoint | None = None) -> nn.Module:
        """The trained discriminator, in eval mode: dropout is off."""
        return rebuild_discriminator(
            self.recipe, self.image_shape, len(self.classes), self.checkpoint(step), self.path
        )

    def labels(
        self,
        count: int,
        of: Asked | Sequence[Asked] | Tensor | None = None,
        *,
        seed: int | None = None,
    ) -> Int64[Tensor, " count"] | None:
        """The classes of `sample`'s images, numbered from 0; None where networks are told none.

        Args:
            of: a class for all, or one for each, by name or number; drawn when absent, each as
                probable as its share of the training images.
            seed: fixes what is drawn; the run's own when absent.

        Raises:
            UsageError: there is no such class, or the networks are told none.
        """
        if of is not None:
            return asked.numbers_of(of, asked.classes_of(self.path, self.classes), count)
        if not self.classes:
            return None
        sizes = list(self.environment["classes"].values())
        return draw_classes(sizes, count, stream(self._seed(seed), "classes"))

    def sample(
        self,
        count: int,
        *,
        labels: Asked | Sequence[Asked] | Tensor | None = None,
        codes: Asked | Sequence[Asked] | Tensor | None = None,
        seed: int | None = None,
        step: int | Checkpoint | None = None,
    ) -> UInt8[Tensor, "count C H W"]:
        """New images from the trained generator; the same ones for the same seed.

        Args:
            labels: the class of all, or of each; see `labels`.
            codes: of an InfoGAN, the number of all latents' category, or of each; any when absent.

        Raises:
            UsageError: a count that is not from 1 to 1,000,000, or a class that there is not.
            CounterfeitError: there is no checkpoint, it is damaged, or training has diverged.
        """
        count = arguments.whole_number(
            "count", count, least=1, most=asked.MOST, hint="; another seed gives others"
        )
        told = self.labels(count, labels, seed=seed)
        if self.is_custom:
            return self._kept_images(count)
        z = draw_latents(self.recipe.latent, count, stream(self._seed(seed), "evaluation"))
        if codes is not None:
            latent = self.recipe.latent
            names = asked.categories_of(self.path, latent.categories)
            set_category(z, latent, asked.numbers_of(codes, names, count))
        return generate(self.generator(step), z, self.recipe.value_range, told)

    def _seed(self, seed: int | None) -> int:
        return self.seed if seed is None else arguments.whole_number("seed", seed)

    def _kept_images(self, count: int) -> UInt8[Tensor, "count C H W"]:
        kept = self.newest()
        assert isinstance(kept, stored.Samples)
        if count > len(kept.images):
            raise UsageError(
                f"{self.path} keeps {len(kept.images):,} samples, and only the code that trained"
                f" its generator can make more; ask for {len(kept.images):,} at most."
            )
        return kept.images[:count]

    @property
    def _checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def _snapshots(self) -> Path:
        return self.path / "snapshots"
