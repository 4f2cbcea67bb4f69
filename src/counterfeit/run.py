"""The run directory: the one contract between training, which writes it, and all that reads it.

recipe.toml        the resolved recipe
environment.json   seed, image shape, versions, device, threads, git revision
log.jsonl          a row for each logging interval (see `training.interval`)
metrics.jsonl      a row for each evaluation
real_images.json   what real training images score, `[value, spread]` under the metrics' names
checkpoints/       see `checkpoint`
snapshots/         epoch-N.npz: `images`, uint8 (100, C, H, W), of the same 100 latents each epoch
figures/           PNG and WebP files; report.html stands beside
"""

import io
import json
import tomllib
import zipfile
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from counterfeit import checkpoint as checkpoints
from counterfeit import data, latents, model, recipe
from counterfeit.checkpoint import Checkpoint
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.files import Row, append_row, read_rows, write_rows, write_whole
from counterfeit.seeds import stream

SNAPSHOT_IMAGES = 100
"""Latents whose images are kept at every epoch."""

SAMPLE_BATCH = 1000


class Run:
    """A training on disk, finished or not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, out: Path, spec: recipe.Recipe, environment: dict[str, Any]) -> "Run":
        """A new directory in `out`, named after the time, the recipe and the seed.

        Raises:
            CounterfeitError: it cannot be written there.
        """
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{spec.name}-s{environment['seed']}"
        path = out / name
        again = 1
        while path.exists():
            again += 1
            path = out / f"{name}-{again}"
        try:
            for folder in ("checkpoints", "snapshots", "figures"):
                (path / folder).mkdir(parents=True)
        except OSError as error:
            raise CounterfeitError(
                f"cannot create a run in {out}: {error.strerror}; choose another folder with --out."
            ) from None
        write_whole(path / "recipe.toml", spec.to_toml().encode())
        write_whole(path / "environment.json", json.dumps(environment, indent=2).encode())
        return cls(path)

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """The run in that directory.

        Raises:
            UsageError: there is none.
        """
        path = Path(path)
        if not (path / "recipe.toml").is_file() or not (path / "environment.json").is_file():
            what = "is not a run directory" if path.is_dir() else "does not exist"
            raise UsageError(f"{path} {what}; `counterfeit train` makes one and prints its path.")
        return cls(path)

    # What a run is.

    def change_recipe(self, spec: recipe.Recipe) -> None:
        write_whole(self.path / "recipe.toml", spec.to_toml().encode())
        self.__dict__.pop("recipe", None)

    @cached_property
    def recipe(self) -> recipe.Recipe:
        path = self.path / "recipe.toml"
        try:
            return recipe.parse(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
        except OSError as error:
            raise CounterfeitError(f"cannot read {path}: {error.strerror}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CounterfeitError(f"{path} is not TOML: {error}.") from None

    @cached_property
    def environment(self) -> dict[str, Any]:
        path = self.path / "environment.json"
        try:
            environment = json.loads(path.read_text(encoding="utf-8"))
            int(environment["seed"])
            _, _, _ = environment["image_shape"]
        except (OSError, ValueError, KeyError, TypeError):
            raise CounterfeitError(f"{path} is damaged: it must be JSON with a seed.") from None
        return dict(environment)

    @property
    def seed(self) -> int:
        return int(self.environment["seed"])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        channels, height, width = self.environment["image_shape"]
        return channels, height, width

    @property
    def data_dir(self) -> Path | None:
        """Where its data set is kept, if not in the usual folder."""
        folder = self.environment.get("data_dir")
        return Path(folder) if folder else None

    def load_data(self, split: data.Split = "train") -> data.ImageData:
        """The data that the run trains on, or its test split; found where training found it."""
        images = data.load(self.recipe.data.name, split, data_dir=self.data_dir)
        return images.first(self.recipe.data.train_images) if split == "train" else images

    # What training has written so far.

    @property
    def log(self) -> list[Row]:
        return read_rows(self.path / "log.jsonl")

    def append_log(self, row: Row) -> None:
        append_row(self.path / "log.jsonl", row)

    @property
    def metrics(self) -> list[Row]:
        return read_rows(self.path / "metrics.jsonl")

    def append_metrics(self, row: Row) -> None:
        append_row(self.path / "metrics.jsonl", row)

    @property
    def real_scores(self) -> dict[str, tuple[float, float | None]]:
        """What real training images score: `[value, spread]` under each metric's name, if measured.

        Raises:
            CounterfeitError: the file is damaged.
        """
        path = self.path / "real_images.json"
        if not path.exists():
            return {}
        try:
            scores = json.loads(path.read_text(encoding="utf-8"))
            return {name: (float(value), spread) for name, (value, spread) in scores.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            raise CounterfeitError(
                f"{path} is damaged; remove it, and `counterfeit evaluate` measures it again."
            ) from None

    def add_real_scores(self, scores: dict[str, tuple[float, float | None]]) -> None:
        content = json.dumps(self.real_scores | scores, indent=2)
        write_whole(self.path / "real_images.json", content.encode())

    @property
    def snapshot_epochs(self) -> list[int]:
        names = (path.stem.removeprefix("epoch-") for path in self._snapshots.glob("epoch-*.npz"))
        return sorted(int(name) for name in names if name.isdecimal())

    def snapshot(self, epoch: int) -> NDArray[np.uint8]:
        """Images (100, C, H, W) of the fixed latents after `epoch` epochs; 0 is before training."""
        path = self._snapshot_path(epoch)
        try:
            with np.load(path, allow_pickle=False) as archive:
                images: NDArray[np.uint8] = archive["images"]
        except FileNotFoundError:
            raise CounterfeitError(f"{self.path} has no snapshot of epoch {epoch}.") from None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            raise CounterfeitError(f"{path} is damaged.") from None
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise CounterfeitError(f"{path} is damaged: it does not hold this run's images.")
        return images

    def write_snapshot(self, epoch: int, images: UInt8[Tensor, "N C H W"]) -> None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, images=images.numpy())
        write_whole(self._snapshot_path(epoch), buffer.getvalue())

    @property
    def checkpoint_steps(self) -> list[int]:
        return checkpoints.steps(self._checkpoints)

    def checkpoint(self, step: int | None = None) -> Checkpoint:
        """The state after `step` updates; the newest when absent.

        Raises:
            CounterfeitError: there is none, or it is damaged.
        """
        steps = self.checkpoint_steps
        if not steps:
            raise CounterfeitError(
                f"{self.path} has no checkpoint yet; let it train a first epoch."
            )
        return checkpoints.read(self._checkpoints, steps[-1] if step is None else step)

    def step_at(self, epoch: int) -> int:
        """The step of the checkpoint at the end of that epoch.

        Raises:
            UsageError: there is none; the message says which there are.
        """
        kept = set(self.checkpoint_steps)
        steps = {row["epoch"]: row["step"] for row in self.log if row["step"] in kept}
        if epoch not in steps:
            there = ", ".join(f"{each:.4g}" for each in steps) or "none"
            raise UsageError(
                f"{self.path} keeps no checkpoint of epoch {epoch}; of these it does: {there}."
            )
        return int(steps[epoch])

    def write_checkpoint(self, state: Checkpoint) -> None:
        checkpoints.write(self._checkpoints, state)

    def remove_checkpoint(self, step: int) -> None:
        checkpoints.remove(self._checkpoints, step)

    def rewind(self, step: int, epoch: float) -> None:
        """Forget what was logged and measured after `step`, before training goes on from there."""
        for folder in (self._checkpoints, self._snapshots):
            folder.mkdir(exist_ok=True)
        for name in ("log.jsonl", "metrics.jsonl"):
            rows = read_rows(self.path / name)
            if any(row["step"] > step for row in rows):
                write_rows(self.path / name, [row for row in rows if row["step"] <= step])
        for later in self.snapshot_epochs:
            if later > epoch:
                self._snapshot_path(later).unlink()

    # What a run can do once it is trained.

    def generator(self, step: int | None = None) -> model.MLPGenerator:
        """The trained generator, in eval mode: BatchNorm uses its running statistics."""
        network = model.build_generator(self.recipe, self.image_shape)
        self._load(network, "generator", step)
        return network

    def discriminator(self, step: int | None = None) -> model.MLPDiscriminator:
        """The trained discriminator, in eval mode: dropout is off."""
        network = model.build_discriminator(self.recipe, self.image_shape)
        self._load(network, "discriminator", step)
        return network

    def sample(
        self, count: int, *, seed: int | None = None, step: int | None = None
    ) -> UInt8[Tensor, "count C H W"]:
        """New images from the trained generator; the same ones for the same seed."""
        rng = stream(self.seed if seed is None else seed, "evaluation")
        z = latents.draw(self.recipe.latent, count, rng)
        return generate(self.generator(step), z, self.recipe.value_range)

    def _load(self, network: torch.nn.Module, part: str, step: int | None) -> None:
        state = self.checkpoint(step)
        own = state.part(part)
        weights = {key: tensor for key, tensor in own.items() if not key.startswith("optimizer.")}
        try:
            network.load_state_dict(weights)
        except RuntimeError:
            raise CounterfeitError(
                f"the checkpoint of step {state.step} in {self.path} does not fit its recipe."
            ) from None
        network.eval()

    @property
    def _checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def _snapshots(self) -> Path:
        return self.path / "snapshots"

    def _snapshot_path(self, epoch: int) -> Path:
        return self._snapshots / f"epoch-{epoch:04d}.npz"


def generate(
    generator: torch.nn.Module, z: Float[Tensor, "N z"], value_range: tuple[float, float]
) -> UInt8[Tensor, "N C H W"]:
    """The generator's images of `z` in eval mode, on the CPU; its mode is left as it was.

    Raises:
        CounterfeitError: they are not finite.
    """
    was_training = generator.training
    generator.eval()
    with torch.inference_mode():
        parts = [generator(part) for part in torch.split(z, SAMPLE_BATCH)]
    generator.train(was_training)
    if not all(part.isfinite().all() for part in parts):
        raise CounterfeitError(
            "the generator makes NaN or infinite pixels: training has diverged; lower the learning"
            " rates, or go back to an earlier checkpoint."
        )
    return torch.cat([data.as_uint8(part, *value_range).cpu() for part in parts])
