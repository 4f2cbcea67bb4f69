"""Checkpoints: a training's whole state on disk, exact, without pickle.

`step-N.safetensors` holds the tensors; `step-N.json`, written after it, holds everything else and
the tensors' SHA-256. A checkpoint exists when its JSON does.
"""

import hashlib
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole, writing
from counterfeit.game.state import part_of

logger = logging.getLogger(__name__)


class Damaged(CounterfeitError):
    """A checkpoint is not what was written, or not all of it."""


@dataclass(frozen=True)
class Checkpoint:
    """A training's state after `step` updates of the generator."""

    step: int
    epoch: float
    """Epochs completed; whole at an epoch's end."""
    tensors: Mapping[str, Tensor]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors under `name.`, without that prefix."""
        return part_of(self.tensors, name)


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Put a checkpoint into `folder`.

    Raises:
        CannotWrite: the folder is missing, read-only or full.
    """
    content = save(_apart(checkpoint.tensors))
    state = {
        "step": checkpoint.step,
        "epoch": checkpoint.epoch,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    weights, index = _paths(folder, checkpoint.step)
    write_whole(weights, content)
    write_whole(index, json.dumps(state, indent=2).encode())


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without a memory in common, as of weights that a user's module has twice."""
    apart, places = {}, set()
    for key, tensor in tensors.items():
        own = tensor.detach().contiguous()
        place = own.untyped_storage().data_ptr()
        apart[key] = own.clone() if place in places else own
        places.add(place)
    return apart


def read(folder: Path, step: int) -> Checkpoint:
    """The checkpoint of `step`, its checksum verified; tensors on the CPU.

    Raises:
        Damaged: it is not what was written, or not all of it.
        CounterfeitError: it may not be read.
    """
    weights, index = _paths(folder, step)
    try:
        state: dict[str, Any] = json.loads(index.read_text())
        content = weights.read_bytes()
        if hashlib.sha256(content).hexdigest() != state["sha256"]:
            raise Damaged(f"checkpoint {weights} is damaged: its checksum differs.")
        if state["step"] != step or not math.isfinite(state["epoch"]):
            raise Damaged(f"checkpoint {index} is damaged: it is of another step.")
        tensors = load(content)
        if any(tensor.is_complex() for tensor in tensors.values()):
            raise ValueError("no network here has complex weights")
        return Checkpoint(step, float(state["epoch"]), tensors)
    except FileNotFoundError as error:
        raise Damaged(f"checkpoint {error.filename} is missing.") from None
    except PermissionError as error:
        raise CounterfeitError(f"cannot read {error.filename}: {error.strerror}.") from None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        RecursionError,
        SafetensorError,
    ):
        raise Damaged(f"checkpoint {index} is damaged.") from None


def steps(folder: Path) -> list[int]:
    """The steps that `folder` has checkpoints of, oldest first."""
    numbers = (path.stem.removeprefix("step-") for path in folder.glob("step-*.json"))
    return sorted(int(number) for number in numbers if number.isdecimal())


def newest(folder: Path) -> Checkpoint | None:
    """The newest sound checkpoint; none where there is none.

    Raises:
        Damaged: the oldest is damaged, and so are all others.
    """
    there = steps(folder)
    for step in reversed(there[1:]):
        try:
            return read(folder, step)
        except Damaged as error:
            logger.warning("%s An older one is read.", error)
    return read(folder, there[0]) if there else None


def recover(folder: Path) -> Checkpoint | None:
    """The newest sound checkpoint, if any; newer ones, which are damaged, are set aside.

    Raises:
        CounterfeitError: one may not be read, or not be moved.
    """
    for step in reversed(steps(folder)):
        try:
            return read(folder, step)
        except Damaged as error:
            logger.warning("%s It is set aside in %s.", error, set_aside(folder, step))
    return None


def remove(folder: Path, step: int) -> None:
    """Delete a checkpoint, its JSON first."""
    weights, index = _paths(folder, step)
    with writing(index):
        index.unlink(missing_ok=True)
        weights.unlink(missing_ok=True)


def set_aside(folder: Path, step: int) -> Path:
    """Move a damaged checkpoint to the folder `damaged`, its JSON last; return that folder."""
    aside = folder / "damaged"
    with writing(aside):
        aside.mkdir(exist_ok=True)
        for path in _paths(folder, step):
            if path.exists():
                path.rename(_free(aside / path.name))
    return aside


def tidy(folder: Path) -> None:
    """Remove what a killed process left unfinished: temporary files, and weights without a JSON."""
    with writing(folder):
        for leftover in folder.glob(".step-*.tmp"):
            leftover.unlink()
        for weights in folder.glob("step-*.safetensors"):
            if not weights.with_suffix(".json").exists():
                weights.unlink()


def _paths(folder: Path, step: int) -> tuple[Path, Path]:
    name = f"step-{step:08d}"
    return folder / f"{name}.safetensors", folder / f"{name}.json"


def _free(path: Path) -> Path:
    """The path, or one beside it that does not exist yet."""
    free, again = path, 1
    while free.exists():
        again += 1
        free = path.with_stem(f"{path.stem}-{again}")
    return free
