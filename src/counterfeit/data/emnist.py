"""EMNIST and QMNIST as they are published: IDX files of other names, packed otherwise.

EMNIST's six splits of one set of images are in one archive, `gzip.zip`. Its images are published
with rows and columns swapped, and are turned upright here (Cohen et al. 2017, 1702.05373, and
https://www.nist.gov/itl/products-and-services/emnist-dataset). QMNIST's labels are rows of eight
whole numbers, of which the first is the digit (https://github.com/facebookresearch/qmnist).
"""

import gzip
import string
import zipfile
from pathlib import Path

from torch import Tensor

from counterfeit.data.idx import existing, find, paired, parse_idx, read_idx
from counterfeit.data.images import Split, Stored
from counterfeit.data.packed import DEFLATED, reading
from counterfeit.errors import CounterfeitError, UsageError

ARCHIVE = "gzip.zip"

_LOOK_ALIKE = set("cijklmopsuvwxyz")
"""Letters whose small form is merged with the capital."""
_MERGED = tuple(
    each
    for each in string.digits + string.ascii_uppercase + string.ascii_lowercase
    if each not in _LOOK_ALIKE
)
CLASSES = {
    "byclass": tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase),
    "bymerge": _MERGED,
    "balanced": _MERGED,
    "letters": tuple(string.ascii_lowercase),
    "digits": tuple(string.digits),
    "mnist": tuple(string.digits),
}
"""Of each of the six splits, in the order of their labels."""


def _file(part: str, split: Split, kind: str) -> str:
    return f"emnist-{part}-{split}-{kind}-ubyte"


def emnist_parts(folder: Path) -> list[str]:
    """Which of EMNIST's six splits have an unpacked file of images in the folder."""
    both: tuple[Split, Split] = ("train", "test")
    return [
        part
        for part in CLASSES
        if any(find(folder, _file(part, split, "images-idx3")) for split in both)
    ]


def holds_emnist(folder: Path) -> bool:
    return bool(emnist_parts(folder))


def read_only_emnist(folder: Path, split: Split) -> Stored:
    """The one of EMNIST's six splits that is in a folder.

    Raises:
        UsageError: there are several.
        CounterfeitError: see `read_emnist`.
    """
    part, *others = emnist_parts(folder)
    if others:
        raise UsageError(
            f"{folder} holds EMNIST's {', '.join([part, *others])}; keep one of them there, or use"
            f" emnist-{part} and the like, which look for {ARCHIVE} in your data folder."
        )
    return read_emnist(part, folder, split)


def read_emnist(part: str, folder: Path, split: Split) -> Stored:
    """One of EMNIST's six splits, from its IDX files or their archive in a folder.

    The labels of `letters` count from 0 here, and from 1 in its files.

    Raises:
        CounterfeitError: a file is missing or damaged.
    """
    images = _read(part, folder, split, "images-idx3", dimensions=3)
    labels = _read(part, folder, split, "labels-idx1", dimensions=1).long()
    stored = paired(folder, split, images.mT.contiguous(), labels - int(part == "letters"))
    assert stored.labels is not None
    if not 0 <= stored.labels.min() <= stored.labels.max() < len(CLASSES[part]):
        raise CounterfeitError(
            f"{folder} has a label that is none of EMNIST's {len(CLASSES[part])} {part}; replace"
            f" {_file(part, split, 'labels-idx1')}."
        )
    return stored._replace(classes=CLASSES[part])


def _read(part: str, folder: Path, split: Split, kind: str, dimensions: int) -> Tensor:
    file, archive = _file(part, split, kind), folder / ARCHIVE
    if find(folder, file) or not archive.is_file():
        return read_idx(existing(folder, file), dimensions)
    member = f"gzip/{file}.gz"
    with reading(archive), zipfile.ZipFile(archive) as members:
        if member not in members.namelist():
            raise CounterfeitError(f"{archive} holds no {member}; replace it.")
        # Each of the two packings makes one byte of 1,032 at most.
        room = min(members.getinfo(member).file_size, archive.stat().st_size * DEFLATED) * DEFLATED
        with members.open(member) as packed, gzip.open(packed) as file_:
            return parse_idx(file_, f"{member} of {archive}", room, dimensions)


def _qmnist(split: Split, kind: str) -> str:
    return f"qmnist-{split}-{kind}"


def holds_qmnist(folder: Path) -> bool:
    """Whether a file of QMNIST's images is in the folder, plain or packed."""
    both: tuple[Split, Split] = ("train", "test")
    return any(find(folder, _qmnist(split, "images-idx3-ubyte")) for split in both)


def read_qmnist(folder: Path, split: Split) -> Stored:
    """One split of QMNIST.

    Raises:
        CounterfeitError: a file is missing or damaged.
    """
    images = read_idx(existing(folder, _qmnist(split, "images-idx3-ubyte")), dimensions=3)
    path = existing(folder, _qmnist(split, "labels-idx2-int"))
    labels = read_idx(path, dimensions=2, kind="whole numbers")[:, 0]
    if not 0 <= labels.min() <= labels.max() <= 9:
        raise CounterfeitError(f"{path} has a label that is no digit; replace it.")
    return paired(folder, split, images, labels)
