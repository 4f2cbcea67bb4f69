"""IDX files, the format in which MNIST is published."""

import math
import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from numpy.typing import NDArray
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
"""MNIST's names, which sets like it are published under."""

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
"""By the third byte of a file."""

MOST_DIMENSIONS = 4

KINDS = {"bytes": TYPES[0x08], "whole numbers": TYPES[0x0C]}

Kind = Literal["bytes", "whole numbers"]

ROOM = {".gz": DEFLATED, ".xz": 8000}
"""Bytes that one packed byte unpacks to, at most: LZMA makes 7,100 zeros of one."""


def open_idx(path: Path) -> NDArray[Any]:
    """The array of an IDX file of whatever type. A plain one stays on the disk; a packed one (its
    name ends in .gz or .xz) is read.

    Raises:
        CounterfeitError: no such file, of another format, empty, cut short, or longer than its
            header says.
    """
    with reading(path), opened(path) as file:
        dtype, shape = _header(file, path)
        on_disk = path.stat().st_size
        if path.suffix in ROOM:
            return _content(file, path, on_disk * ROOM[path.suffix], dtype, shape)
        offset = 4 + 4 * len(shape)
        _check_size(path, on_disk - offset, dtype, shape)
        return np.memmap(path, dtype, "r", offset, shape)


def read_idx(path: Path, dimensions: int, kind: Kind = "bytes") -> Shaped[Tensor, "..."]:
    """The array of an IDX file, plain or packed (its name ends in .gz or .xz), in memory.

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
    dtype, shape = _header(file, path)
    if len(shape) != dimensions or dtype != KINDS[kind]:
        raise CounterfeitError(
            f"{path} is not an IDX file of {kind} in {dimensions} dimensions; replace it."
        )
    array = _content(file, path, room, dtype, shape)
    return torch.from_numpy(array.astype(dtype.newbyteorder("="), copy=False))


def _header(file: Readable, path: object) -> tuple[np.dtype[Any], tuple[int, ...]]:
    start = file.read(4)
    if len(start) < 4 or start[:2] != bytes(2) or start[2] not in TYPES:
        raise CounterfeitError(f"{path} is not an IDX file; replace it.")
    if not 1 <= start[3] <= MOST_DIMENSIONS:
        raise CounterfeitError(
            f"{path} is not an IDX file of 1 to {MOST_DIMENSIONS} dimensions; replace it."
        )
    return TYPES[start[2]], struct.unpack(f">{start[3]}I", file.read(4 * start[3]))


def _content(
    file: Readable, path: object, room: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    size = math.prod(shape) * dtype.itemsize
    if size > room:
        raise EOFError
    require_memory(2 * size, f"the images of {path}", "replace it, or take fewer")
    values = bytearray(file.read(size + 1))
    _check_size(path, len(values), dtype, shape)
    return np.frombuffer(values, dtype).reshape(shape)


def _check_size(path: object, there: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    size = math.prod(shape) * dtype.itemsize
    if there < size:
        raise EOFError
    if size == 0:
        raise CounterfeitError(f"{path} holds no data; replace it.")
    if there > size:
        raise CounterfeitError(f"{path} is longer than its header says; replace it.")


def write_idx(path: Path, values: UInt8[np.ndarray, "..."]) -> None:
    """An IDX file of unsigned bytes, from which `read_idx` reads the same array."""
    with path.open("wb") as file:
        file.write(bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape))
        file.write(np.ascontiguousarray(values).data)


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
