"""Snapshots: what the same latents give after each epoch, in a folder of `epoch-N.npz`."""

import io
import math
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole, writing

SNAPSHOT_IMAGES = 100
"""Latents whose images are kept at every epoch; at most so many where they are the user's."""

DAMAGED_ARCHIVE = (
    *(OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error),
    *(SyntaxError, tokenize.TokenError),  # of the array's header, which is a literal of Python
)


def epochs(folder: Path) -> list[int]:
    """The epochs that `folder` has snapshots of, in order."""
    names = (path.stem.removeprefix("epoch-") for path in folder.glob("epoch-*.npz"))
    numbers = sorted({int(name) for name in names if name.isdecimal()})
    return [epoch for epoch in numbers if path_of(folder, epoch).is_file()]


def read(
    folder: Path, epoch: int, image_shape: tuple[int, int, int], *, fewer: bool = False
) -> NDArray[np.uint8]:
    """The images (100, C, H, W) of `epoch`.

    Args:
        fewer: whether there may be fewer than 100.

    Raises:
        CounterfeitError: there are none, or they are damaged.
    """
    path = path_of(folder, epoch)
    try:
        with zipfile.ZipFile(path) as archive, archive.open("images.npy") as file:
            np.lib.format.read_magic(file)
            shape, *order = np.lib.format.read_array_header_1_0(file)
            count = shape[0] if shape else 0
            least = 1 if fewer else SNAPSHOT_IMAGES
            sound = shape == (count, *image_shape) and least <= count <= SNAPSHOT_IMAGES
            if not sound or order != [False, np.dtype(np.uint8)]:
                raise CounterfeitError(f"{path} is damaged: it does not hold this run's images.")
            content = file.read(math.prod(shape))
        return np.frombuffer(content, np.uint8).reshape(shape)
    except FileNotFoundError:
        raise CounterfeitError(f"{folder.parent} has no snapshot of epoch {epoch}.") from None
    except DAMAGED_ARCHIVE:
        raise CounterfeitError(f"{path} is damaged.") from None


def write(folder: Path, epoch: int, images: UInt8[Tensor, "N C H W"]) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images.numpy())
    write_whole(path_of(folder, epoch), buffer.getvalue())


def rewind(folder: Path, epoch: float) -> None:
    """Forget the snapshots after `epoch`, and what a killed process left unfinished."""
    with writing(folder):
        for later in epochs(folder):
            if later > epoch:
                path_of(folder, later).unlink()
        for leftover in folder.glob(".epoch-*.tmp"):
            leftover.unlink()


def path_of(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch:04d}.npz"
