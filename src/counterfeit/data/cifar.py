"""CIFAR-10 and CIFAR-100 as they are published: binary batches or Python's, packed or unpacked.

A record of a binary batch is the label, a byte, and 3,072 pixels: 32 x 32 of red, of green and of
blue, row by row; in CIFAR-100 the coarse label stands before the fine one. Python's batches are
pickles of the same (https://www.cs.toronto.edu/~kriz/cifar.html).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from counterfeit.data import pickled
from counterfeit.data.images import Split, Stored
from counterfeit.data.packed import read, read_members
from counterfeit.errors import CounterfeitError

PIXELS = 3 * 32 * 32
MOST = 1024**3
"""Bytes of an archive, unpacked; the four have about 190 million."""

Records = tuple[Int64[np.ndarray, " N"], UInt8[np.ndarray, "N 3072"]]
"""Labels and pixels of a batch."""


@dataclass(frozen=True)
class Layout:
    """The files of one of the four publications, and how they are read.

    Both functions raise ValueError where the bytes are something else.
    """

    archive: str
    inside: str
    """The folder in it that holds the others."""
    train: tuple[str, ...]
    test: str
    names: str
    read_records: Callable[[bytes], Records]
    read_names: Callable[[bytes], list[str]]


def _binary(labels: int, content: bytes) -> Records:
    """Of records with so many labels, of which the last one counts."""
    if not content or len(content) % (labels + PIXELS):
        raise ValueError(f"it is no row of records of {labels + PIXELS:,} bytes")
    records = np.frombuffer(content, np.uint8).reshape(-1, labels + PIXELS)
    return records[:, labels - 1].astype(np.int64), records[:, labels:]


def _lines(content: bytes) -> list[str]:
    return content.decode("latin-1").split("\n")


def _pickle(key: str, content: bytes) -> Records:
    """Of a dictionary with its labels under this key."""
    table = pickled.read(content)
    if not isinstance(table, dict) or not {key, "data"} <= table.keys():
        raise ValueError(f"it holds no {key} and data")
    labels, pixels = table[key], table["data"]
    if not isinstance(labels, list) or not all(type(each) is int for each in labels):
        raise ValueError(f"its {key} are no whole numbers")
    if not isinstance(pixels, np.ndarray) or pixels.shape != (len(labels), PIXELS) or not labels:
        raise ValueError(f"its data are not {PIXELS:,} bytes for each label")
    return np.array(labels, np.int64), pixels


def _named(key: str, content: bytes) -> list[str]:
    table = pickled.read(content)
    names = table.get(key) if isinstance(table, dict) else None
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ValueError(f"it holds no {key}")
    return names


BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))

LAYOUTS = (
    Layout(
        "cifar-10-binary.tar.gz",
        "cifar-10-batches-bin",
        tuple(f"{batch}.bin" for batch in BATCHES),
        "test_batch.bin",
        "batches.meta.txt",
        partial(_binary, 1),
        _lines,
    ),
    Layout(
        "cifar-100-binary.tar.gz",
        "cifar-100-binary",
        ("train.bin",),
        "test.bin",
        "fine_label_names.txt",
        partial(_binary, 2),
        _lines,
    ),
    Layout(
        "cifar-10-python.tar.gz",
        "cifar-10-batches-py",
        BATCHES,
        "test_batch",
        "batches.meta",
        partial(_pickle, "labels"),
        partial(_named, "label_names"),
    ),
    Layout(
        "cifar-100-python.tar.gz",
        "cifar-100-python",
        ("train",),
        "test",
        "meta",
        partial(_pickle, "fine_labels"),
        partial(_named, "fine_label_names"),
    ),
)


def _layout(folder: Path) -> Layout | None:
    """The first publication whose archive, or whose names and some batch, are in the folder."""
    for layout in LAYOUTS:
        batches = (*layout.train, layout.test)
        if (folder / layout.archive).is_file() or (
            (folder / layout.names).is_file() and any((folder / b).is_file() for b in batches)
        ):
            return layout
    return None


def holds_cifar(folder: Path) -> bool:
    """Whether one of CIFAR's publications is in the folder, packed or unpacked."""
    return _layout(folder) is not None


def read_cifar(folder: Path, split: Split) -> Stored:
    """One split of the first of CIFAR's publications in a folder that `holds_cifar`.

    Raises:
        CounterfeitError: a file is missing or damaged, or asks for more than plain data.
    """
    layout = _layout(folder)
    assert layout is not None
    batches = layout.train if split == "train" else (layout.test,)
    contents = _contents(folder, layout, (layout.names, *batches))
    place = folder / layout.names
    try:
        names = tuple(filter(None, map(str.strip, layout.read_names(contents.pop(layout.names)))))
        read = []
        for batch in batches:
            place = folder / batch
            read.append(layout.read_records(contents.pop(batch)))
            if names and not 0 <= read[-1][0].min() <= read[-1][0].max() < len(names):
                raise ValueError(f"a label is none of the {len(names)} classes")
    except ValueError as error:
        raise CounterfeitError(f"{place} is no file of CIFAR's: {error}; replace it.") from error
    labels, pixels = (np.concatenate(parts) for parts in zip(*read, strict=True))
    return Stored(
        torch.from_numpy(pixels).view(-1, 3, 32, 32),
        torch.from_numpy(labels),
        tuple(name if name.isprintable() else ascii(name) for name in names),
    )


def _contents(folder: Path, layout: Layout, files: Iterable[str]) -> dict[str, bytes]:
    """What the files hold, each by its name."""
    archive = folder / layout.archive
    if archive.is_file():
        inside = {f"{layout.inside}/{file}": file for file in files}
        found = read_members(archive, inside, MOST)
    else:
        found = {file: read(folder / file) for file in files if (folder / file).is_file()}
    for file in files:
        if file not in found:
            raise CounterfeitError(f"{folder} holds no {file}; add it.")
    return found
