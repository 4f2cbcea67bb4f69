"""IDX files, the format in which MNIST is published."""

import math
import struct
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor

from counterfeit.data.images import Split, Stored
from counterfeit.data.packed import DEFLATED, Readable, opened, reading
from counterfeit.environment import require_memory
from counterfeit.errors import CounterfeitError

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""MNIST's names, which a folder of IDX files must use too."""


KINDS = {"bytes": (8, ">u1"), "whole numbers": (12, ">i4")}
"""IDX's code for a type of number, and numpy's."""

Kind = Literal["bytes", "whole numbers"]

ROOM = {".gz": DEFLATED, ".xz": 8000}
"""Bytes that one packed byte unpacks to, at most: LZMA makes 7,100 zeros of one."""


def read_idx(path: Path, dimensions: int, kind: Kind = "bytes") -> Shaped[Tensor, "..."]:
    """The array of an IDX file, plain or packed (its name ends in .gz or .xz).

    Args:
        kind: unsigned bytes, or whole numbers of 32 bits.

    Raises:
        CounterfeitError: no such file, not of such numbers in so many dimensions, empty, cut short,
            or longer than its header says.
    """
    with reading(path), opened(path) as file:
        room = path.stat().st_size * ROOM.get(path.suffix, 1)
        return parse_idx(file, path, room, dimensions, kind)


def parse_idx(
    file: Readable, path: object, room: int, dimensions: int, kind: Kind = "bytes"
) -> Shaped[Tensor, "..."]:
    """The array of an open IDX file.

    Args:
        path: what it is called in errors.
        room: the most bytes that it can hold.
        dimensions, kind: see `read_idx`.

    Raises:
        CounterfeitError: see `read_idx`.
        EOFError, struct.error: it is cut short.
    """
    code, dtype = KINDS[kind]
    if file.read(4) != bytes((0, 0, code, dimensions)):
        raise CounterfeitError(
            f"{path} is not an IDX file of {kind} in {dimensions} dimensions; replace it."
        )
    shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > room:
        raise EOFError
    require_memory(2 * size, f"the images of {path}", "replace it, or take fewer")
    values = bytearray(file.read(size + 1))
    if len(values) < size:
        raise EOFError
    if size == 0:
        raise CounterfeitError(f"{path} holds no data; replace it.")
    if len(values) > size:
        raise CounterfeitError(f"{path} is longer than its header says; replace it.")
    array = np.frombuffer(values, dtype)
    return torch.from_numpy(array.astype(dtype[1:], copy=False)).view(shape)


def write_idx(path: Path, values: UInt8[np.ndarray, "..."]) -> None:
    """An IDX file of unsigned bytes, from which `read_idx` reads the same array."""
    with path.open("wb") as file:
        file.write(bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape))
        file.write(np.ascontiguousarray(values).data)


def holds_idx(folder: Path) -> bool:
    """Whether any of MNIST's four files is in `folder`, plain or packed."""
    return any(find(folder, file) for file in IDX_FILES)


def find(folder: Path, file: str) -> Path | None:
    """The file of that name, plain or packed."""
    candidates = (folder / f"{file}{packed}" for packed in ("", *ROOM))
    return next((path for path in candidates if path.is_file()), None)


def existing(folder: Path, file: str) -> Path:
    """The file of that name, plain or packed.

    Raises:
        CounterfeitError: there is none.
    """
    path = find(folder, file)
    if path is None:
        raise CounterfeitError(f"{folder} holds no {file}, plain or .gz; add it.")
    return path


def read_idx_split(folder: Path, split: Split) -> Stored:
    """Images and labels from a folder that holds one split's two files."""
    prefix = "train" if split == "train" else "t10k"
    images = read_idx(existing(folder, f"{prefix}-images-idx3-ubyte"), dimensions=3)
    labels = read_idx(existing(folder, f"{prefix}-labels-idx1-ubyte"), dimensions=1)
    return paired(folder, split, images, labels)


def paired(
    folder: Path, split: Split, images: UInt8[Tensor, "N H W"], labels: Shaped[Tensor, " N"]
) -> Stored:
    """Gray images with their labels.

    Raises:
        CounterfeitError: there are more of one than of the other.
    """
    if len(images) != len(labels):
        raise CounterfeitError(
            f"{folder} has {len(images):,} {split} images but {len(labels):,} labels; replace them."
        )
    return Stored(images.unsqueeze(1), labels.long())
