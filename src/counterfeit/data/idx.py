"""IDX files, the format in which MNIST is published."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from counterfeit.data.images import Split
from counterfeit.environment import require_memory
from counterfeit.errors import CounterfeitError

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""MNIST's names, which a folder of IDX files must use too."""


def read_idx(path: Path, dimensions: int) -> UInt8[Tensor, "..."]:
    """The array of an IDX file of unsigned bytes, plain or gzipped (name ends in `.gz`).

    Raises:
        CounterfeitError: no such file, not of so many dimensions, empty, cut short, or longer than
            its header says.
    """
    zipped = path.suffix == ".gz"
    try:
        with gzip.open(path) if zipped else path.open("rb") as file:
            if file.read(4) != bytes((0, 0, 8, dimensions)):
                raise CounterfeitError(
                    f"{path} is not an IDX file of bytes in {dimensions} dimensions; replace it."
                )
            header = file.read(4 * dimensions)
            shape = struct.unpack(f">{dimensions}I", header)
            size = math.prod(shape)
            # Deflate packs at most 1,032 bytes into one, so a larger claim is false.
            if size > path.stat().st_size * (1032 if zipped else 1):
                raise EOFError
            require_memory(2 * size, f"the images of {path}", "replace it, or take fewer")
            values = bytearray(file.read(size + 1))
            if len(values) < size:
                raise EOFError
    except (EOFError, struct.error) as error:
        raise CounterfeitError(f"{path} is cut short; replace it.") from error
    except (OSError, zlib.error) as error:
        raise CounterfeitError(f"cannot read {path}: {error}; replace it.") from error
    if size == 0:
        raise CounterfeitError(f"{path} holds no data; replace it.")
    if len(values) > size:
        raise CounterfeitError(f"{path} is longer than its header says; replace it.")
    return torch.frombuffer(values, dtype=torch.uint8).view(shape)


def write_idx(path: Path, values: UInt8[np.ndarray, "..."]) -> None:
    """An IDX file of unsigned bytes, from which `read_idx` reads the same array."""
    with path.open("wb") as file:
        file.write(bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape))
        file.write(np.ascontiguousarray(values).data)


def holds_idx(folder: Path) -> bool:
    """Whether any of MNIST's four files is in `folder`, plain or gzipped."""
    return any(_find(folder, file) for file in IDX_FILES)


def _find(folder: Path, file: str) -> Path | None:
    candidates = (folder / file, folder / f"{file}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _existing(folder: Path, file: str) -> Path:
    path = _find(folder, file)
    if path is None:
        raise CounterfeitError(f"{folder} holds no {file}, plain or .gz; add it.")
    return path


def read_idx_split(
    folder: Path, split: Split
) -> tuple[UInt8[Tensor, "N 1 H W"], Int64[Tensor, " N"]]:
    """Images and labels from a folder that holds one split's two files."""
    prefix = "train" if split == "train" else "t10k"
    images = read_idx(_existing(folder, f"{prefix}-images-idx3-ubyte"), dimensions=3)
    labels = read_idx(_existing(folder, f"{prefix}-labels-idx1-ubyte"), dimensions=1)
    if len(images) != len(labels):
        raise CounterfeitError(
            f"{folder} has {len(images):,} {split} images but {len(labels):,} labels; replace them."
        )
    return images.unsqueeze(1), labels.long()
