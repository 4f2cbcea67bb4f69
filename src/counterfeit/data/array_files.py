"""Arrays in .npz, .npy, .safetensors and .pt files, and which of them are images and labels.

Arrays that are stored as they are stay on the disk, and are read where they are used.
"""

import re
import tokenize
import warnings
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from counterfeit.data import packed
from counterfeit.data.arrays import words
from counterfeit.data.images import Split
from counterfeit.environment import require_memory
from counterfeit.errors import CounterfeitError, UsageError

SUFFIXES = (".npz", ".npy", ".safetensors", ".pt", ".pth")

DAMAGED = (
    *packed.DAMAGED,
    *(KeyError, TypeError, AttributeError, SafetensorError),
    *(SyntaxError, tokenize.TokenError),  # of an array's header, which is a literal of Python
)

IMAGES = {"x", "images", "image", "imgs", "data", "samples", "pixels"}
LABELS = {"y", "labels", "label", "targets", "target", "classes"}
SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
"""Words in the names of arrays, files and folders; `of_name` puts them together."""

Arrays = dict[str, NDArray[Any] | Tensor]


class Meaning(NamedTuple):
    """What an array holds, as its name says."""

    labels: bool
    split: Split | None
    rest: tuple[str, ...]
    """The words in the name that say neither."""


class Chosen(NamedTuple):
    """The arrays of a split's images, and of their labels where there are any."""

    split: Split | None
    """None for images that are no split."""
    images: str
    labels: str | None


def read_arrays(path: Path) -> Arrays:
    """All arrays of a file, by name; that of a .npy file is called "".

    Raises:
        CounterfeitError: it is damaged, or holds something else than numbers.
    """
    try:
        match path.suffix.lower():
            case ".safetensors":
                with safe_open(path, "pt") as file:  # maps the file
                    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            case ".npy":
                with path.open("rb") as file:
                    _npy_header(file)
                return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
            case ".npz":
                return _read_npz(path)
            case _:
                return _read_torch(path)
    except DAMAGED as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise CounterfeitError(f"{path} cannot be read: {why[:200]}; replace it.") from None


def of_name(name: str) -> Meaning | None:
    """What a name such as `x_train`, `labels` or `emnist-letters-test-images` says; None if that is
    neither images nor labels."""
    kind: bool | None = None
    split: Split | None = None
    rest = []
    for word in re.split(r"[-_. /]+", name.lower()):
        if word in IMAGES | LABELS and kind is None:
            kind = word in LABELS
        elif word in SPLITS and split is None:
            split = SPLITS[word]
        elif word:
            rest.append(word)
    return None if kind is None else Meaning(kind, split, tuple(rest))


def choose(arrays: Arrays, path: Path, key: str | None = None) -> list[Chosen]:
    """Which arrays are the images, for each split that there is, and which their labels.

    Args:
        key: the name of the images, where the user says it.

    Raises:
        UsageError: the names do not say it, or there is no such key; the message lists them.
    """
    meanings = {name: meaning for name in arrays if (meaning := of_name(name)) is not None}
    if key is not None:
        if key not in arrays:
            raise UsageError(f"{path} has no array {key!r}; it holds {contents(arrays)}.")
        return [Chosen(None, key, _labels_for(key, meanings))]
    found = [
        Chosen(meaning.split, name, _labels_for(name, meanings))
        for name, meaning in meanings.items()
        if not meaning.labels and not meaning.rest and arrays[name].ndim > 1
    ]
    by_split = {each.split: each for each in found}
    if len(by_split) < len(found) or (None in by_split and len(found) > 1):
        raise _unclear(arrays, path)
    if "train" in by_split or len(found) == 1:
        return found
    many = [name for name, array in arrays.items() if array.ndim >= 3]
    if not found and (len(many) == 1 or len(arrays) == 1):
        images = many[0] if many else next(iter(arrays))
        labels = [name for name in arrays if name != images and _is_a_column(arrays[name])]
        return [Chosen(None, images, labels[0] if len(labels) == 1 else None)]
    raise _unclear(arrays, path)


def contents(arrays: Arrays) -> str:
    """Names and shapes, for messages."""
    named = [f"{name} ({words(array.shape)})" for name, array in list(arrays.items())[:NAMED]]
    more = f" and {len(arrays) - NAMED:,} more" if len(arrays) > NAMED else ""
    return ", ".join(named) + more if named else "nothing"


NAMED = 12

REPEATED = 2**26
"""Bytes up to which a tensor may be few numbers repeated: labels that are all the same, say."""


def _unclear(arrays: Arrays, path: Path) -> UsageError:
    example = next((name for name, array in arrays.items() if array.ndim >= 3), "KEY")
    return UsageError(
        f"{path} holds {contents(arrays)}; say which are the images: {path}:{example}."
    )


def _labels_for(images: str, meanings: dict[str, Meaning]) -> str | None:
    """The labels whose name differs from the images' in that word only."""
    meaning = meanings.get(images)
    if meaning is None:
        return None
    wanted = meaning._replace(labels=True)
    return next((name for name, each in meanings.items() if each == wanted), None)


def _is_a_column(array: NDArray[Any] | Tensor) -> bool:
    return array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)


def _read_npz(path: Path) -> Arrays:
    """Arrays as np.savez stores them are mapped; packed ones are read."""
    arrays: Arrays = {}
    with zipfile.ZipFile(path) as archive:
        packed = [i.file_size for i in archive.infolist() if i.compress_type != zipfile.ZIP_STORED]
        require_memory(2 * sum(packed), f"the arrays of {path}", "keep fewer images in it")
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            with archive.open(info) as file:
                shape, fortran, dtype = _npy_header(file, name)
                start = file.tell()
            if start + int(np.prod(shape, dtype=object)) * dtype.itemsize != info.file_size:
                raise ValueError(f"{name} is not of the size that it claims")
            if info.compress_type == zipfile.ZIP_STORED and 0 not in shape:
                order: Any = "F" if fortran else "C"
                offset = _content_of(path, info) + start
                arrays[name] = np.memmap(path, dtype, "r", offset, shape, order)
                continue
            with archive.open(info) as file:
                arrays[name] = npy.read_array(file, allow_pickle=False)
    return arrays


def _npy_header(file: Any, name: str = "it") -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(
            f"{name} holds objects; save numbers, or words by .astype(str), or leave it out"
        )
    return shape, fortran, dtype


def _content_of(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a stored file begins in its zip: behind a header with two fields of other lengths than
    in the archive's table."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(30)
    return (
        info.header_offset
        + 30
        + int.from_bytes(header[26:28], "little")
        + int.from_bytes(header[28:30], "little")
    )


def _read_torch(path: Path) -> Arrays:
    """A tensor, a pair of images and labels, or tensors by name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles
            try:
                held = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
            except RuntimeError:  # an older form, which cannot be mapped
                held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch's reader fails with many types
        raise ValueError("it holds more than tensors, or is damaged") from None
    if isinstance(held, Tensor):
        _require_held(held, "")
        return {"": held}
    if isinstance(held, tuple | list):
        named = dict(zip(("images", "labels"), held, strict=False))
    elif isinstance(held, dict):
        named = {str(name): each for name, each in held.items()}
    else:
        raise ValueError("it holds neither a tensor nor tensors by name")
    tensors: Arrays = {}
    for name, each in named.items():
        if isinstance(each, Tensor):
            _require_held(each, name)
            tensors[name] = each
    return tensors


def _require_held(tensor: Tensor, name: str) -> None:
    """Refuse a tensor of far more numbers than the file holds, as `Tensor.expand` makes them: a
    file of some bytes would be read for days.

    Raises:
        ValueError: it is one.
    """
    size = tensor.numel() * tensor.element_size()
    if size > REPEATED and size > 4 * tensor.untyped_storage().nbytes():
        raise ValueError(
            f"its {name or 'tensor'} ({words(tensor.shape)}) repeats few numbers many times; save"
            " what is not repeated, or a .clone() of it"
        )
