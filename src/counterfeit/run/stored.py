"""Images that a run keeps because nothing else can make them again: those of a loop that is not
ours, whose generator is the user's code, and real ones that came as an array.

samples.npz   `images`, uint8 (N, C, H, W), of the newest generator that was sampled; its `step`
              and `epoch`; `labels`, int64 (N,), where it was told classes
data.npz      `train_images`, perhaps `test_images`, `train_labels` and `test_labels`; `held_out`,
              how many of the last training images are for validation; `classes`, their names
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from counterfeit.data import ImageData, NoSuchSplit, Split
from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole
from counterfeit.run.snapshots import DAMAGED_ARCHIVE

SAMPLES = "samples.npz"
DATA = "data.npz"


@dataclass(frozen=True)
class Samples:
    """Images of the generator after `step` updates."""

    step: int
    epoch: float
    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"] | None = None
    """The classes that were asked for, where any were."""


def read_samples(folder: Path, image_shape: tuple[int, int, int]) -> Samples | None:
    """The samples of the run in `folder`; None where it keeps none.

    Raises:
        CounterfeitError: they are damaged.
    """
    path = folder / SAMPLES
    if not path.exists():
        return None
    arrays = _read(path)
    try:
        images = _images(arrays["images"], image_shape)
        labels = _labels(arrays["labels"], len(images)) if "labels" in arrays else None
        return Samples(int(arrays["step"]), float(arrays["epoch"]), images, labels)
    except (KeyError, TypeError, ValueError):
        raise CounterfeitError(f"{path} is damaged: it does not hold this run's images.") from None


def read_step(folder: Path) -> int | None:
    """The step of the samples of the run in `folder`, without their images; None where it keeps
    none.

    Raises:
        CounterfeitError: they are damaged.
    """
    path = folder / SAMPLES
    if not path.exists():
        return None
    try:
        return int(_read(path, "step")["step"])
    except (KeyError, TypeError, ValueError):
        raise CounterfeitError(f"{path} is damaged: it does not say its step.") from None


def write_samples(folder: Path, samples: Samples) -> None:
    labels = {} if samples.labels is None else {"labels": samples.labels.numpy()}
    _write(
        folder / SAMPLES,
        images=samples.images.numpy(),
        step=np.array(samples.step),
        epoch=np.array(samples.epoch),
        **labels,
    )


def read_data(folder: Path, name: str, split: Split, shape: tuple[int, int, int]) -> ImageData:
    """The training or the test split that the run in `folder` keeps.

    Raises:
        NoSuchSplit: there were too few images to test with.
        CounterfeitError: there is none, or it is damaged.
    """
    path = folder / DATA
    if not path.exists():
        raise CounterfeitError(f"{path} is gone, and with it what {folder} was trained on.")
    arrays = _read(path)
    if split == "test" and "test_images" not in arrays and "train_images" in arrays:
        raise NoSuchSplit(str(path), len(arrays["train_images"]))
    try:
        images = _images(arrays[f"{split}_images"], shape)
        classes = tuple(map(str, arrays.get("classes", ())))
        labels = None
        if f"{split}_labels" in arrays:
            labels = _labels(arrays[f"{split}_labels"], len(images))
        held_out = int(arrays["held_out"]) if split == "train" else 0
        if not 0 <= held_out < max(1, len(images)):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise CounterfeitError(f"{path} is damaged: it does not hold this run's images.") from None
    return ImageData(name, split, images, labels, classes, held_out)


def write_data(folder: Path, splits: Sequence[ImageData]) -> None:
    """Keep the training images, and those to test with where there are any."""
    train = splits[0]
    arrays = {"held_out": np.array(train.held_out), "classes": np.array(train.classes, np.str_)}
    for each in splits:
        arrays[f"{each.split}_images"] = each.images.numpy()
        if each.labels is not None:
            arrays[f"{each.split}_labels"] = each.labels.numpy()
    _write(folder / DATA, **arrays)


def copy_data(source: Path, target: Path) -> None:
    """Keep in the run in `target` what that in `source` keeps."""
    write_whole(target / DATA, (source / DATA).read_bytes())


def _images(array: NDArray[Any], shape: tuple[int, int, int]) -> UInt8[Tensor, "N C H W"]:
    if array.dtype != np.uint8 or array.shape[1:] != shape:
        raise ValueError
    return torch.from_numpy(array)


def _labels(array: NDArray[Any], count: int) -> Int64[Tensor, " N"]:
    labels = torch.from_numpy(array.astype(np.int64))
    if labels.shape != (count,):
        raise ValueError
    return labels


def _read(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """An archive's arrays; those of these names, where some are named."""
    try:
        with zipfile.ZipFile(path) as archive:  # stored as they are: none grows as it is read
            if any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
                raise ValueError
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names or arrays}
    except DAMAGED_ARCHIVE:
        raise CounterfeitError(f"{path} is damaged.") from None


def _write(path: Path, **arrays: NDArray[Any]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue())
