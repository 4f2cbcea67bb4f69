"""Every published set in miniature: a few random images in files of the real names and formats."""

import bz2
import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.io import savemat

TRAIN, TEST = 24, 6
"""Images of each split."""


@dataclass
class Miniature:
    """What the files hold, upright, channels first, and labels counted from 0."""

    files: dict[str, bytes]
    images: dict[str, np.ndarray] = field(default_factory=dict)
    """(N, C, H, W) of `train` and `test`."""
    labels: dict[str, np.ndarray] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    @property
    def checksums(self) -> dict[str, str]:
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}


gzipped = partial(gzip.compress, mtime=0)
"""The same bytes whenever it is called: a checksum of today holds tomorrow."""


def random(
    channels: int, size: int, classes: int, counts: tuple[int, int] = (TRAIN, TEST)
) -> Miniature:
    """Images whose every pixel counts, and labels of which each class has some."""
    rng = np.random.default_rng(size + classes)
    made = Miniature({})
    for split, count in zip(("train", "test"), counts, strict=True):
        made.images[split] = rng.integers(0, 256, (count, channels, size, size), np.uint8)
        made.labels[split] = np.arange(count) % classes
    return made


def idx(array: np.ndarray, code: int = 8, kind: str = ">u1") -> bytes:
    header = bytes((0, 0, code, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(kind).tobytes()


def kmnist() -> Miniature:
    made = random(1, 28, 10)
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = made.images[split][:, 0], made.labels[split]
        made.files[f"{prefix}-images-idx3-ubyte.gz"] = gzipped(idx(images))
        made.files[f"{prefix}-labels-idx1-ubyte.gz"] = gzipped(idx(labels))
    return made


EMNIST = {"byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10}


def emnist_files(part: str) -> Miniature:
    """IDX files of one split, which hold the images with rows and columns swapped."""
    made = random(1, 28, EMNIST[part])
    first = int(part == "letters")
    for split in ("train", "test"):
        images, labels = made.images[split][:, 0].swapaxes(1, 2), made.labels[split] + first
        made.files[f"emnist-{part}-{split}-images-idx3-ubyte"] = idx(images)
        made.files[f"emnist-{part}-{split}-labels-idx1-ubyte"] = idx(labels)
    return made


def emnist(part: str = "balanced") -> Miniature:
    """All splits in NIST's archive; what is told is of one."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        for each in EMNIST:
            for name, content in emnist_files(each).files.items():
                members.writestr(zipfile.ZipInfo(f"gzip/{name}.gz"), gzipped(content))
    made = emnist_files(part)
    made.files = {"gzip.zip": archive.getvalue()}
    return made


def qmnist(pack: Callable[[bytes], bytes] = gzipped, suffix: str = ".gz") -> Miniature:
    made = random(1, 28, 10)
    for split in ("train", "test"):
        rows = np.zeros((len(made.labels[split]), 8), np.int64)
        rows[:, 0], rows[:, 1:] = made.labels[split], 70_000
        images = idx(made.images[split][:, 0])
        made.files[f"qmnist-{split}-images-idx3-ubyte{suffix}"] = pack(images)
        made.files[f"qmnist-{split}-labels-idx2-int{suffix}"] = pack(idx(rows, 12, ">i4"))
    return made


def usps() -> Miniature:
    """Lines whose values are from -1 to 1, those of 0 left out."""
    made = random(1, 16, 10)
    for split, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        lines = []
        for image, label in zip(made.images[split], made.labels[split], strict=True):
            values = image.ravel() / 127.5 - 1
            pairs = (f"{i}:{value:.6g}" for i, value in enumerate(values, 1) if value)
            lines.append(f"{label + 1} {' '.join(pairs)} \n")
        made.files[name] = bz2.compress("".join(lines).encode())
    return made


MAT_DESCRIPTION = 116
"""Bytes of free text at the start of a MAT-file."""


def svhn(*, packed: bool = True) -> Miniature:
    made = random(3, 32, 10)
    for split in ("train", "test"):
        labels = np.where(made.labels[split] == 0, 10, made.labels[split])
        file = io.BytesIO()
        variables = {
            "X": made.images[split].transpose(2, 3, 1, 0),
            "y": labels.astype(np.uint8)[:, None],
        }
        savemat(file, variables, do_compression=packed)
        description = b"MATLAB 5.0 MAT-file".ljust(MAT_DESCRIPTION)  # without the time of writing
        made.files[f"{split}_32x32.mat"] = description + file.getvalue()[MAT_DESCRIPTION:]
    return made


CIFAR10 = [
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
]
CIFAR100 = [f"thing {number}" for number in range(100)]


def tar(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzipped(packed.getvalue())


def _batches(made: Miniature, classes: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Labels and pixels by the name of their batch, CIFAR-10's training images in five."""
    pixels = {split: images.reshape(len(images), -1) for split, images in made.images.items()}
    if classes == 100:
        return {split: (made.labels[split], pixels[split]) for split in ("train", "test")}
    starts = [0, 5, 9, 10, 20, len(made.labels["train"])]
    batches = {"test_batch": (made.labels["test"], pixels["test"])}
    for number, (start, stop) in enumerate(pairwise(starts), 1):
        part = made.labels["train"][start:stop], pixels["train"][start:stop]
        batches[f"data_batch_{number}"] = part
    return batches


def cifar_binary(classes: int = 10, counts: tuple[int, int] = (TRAIN, TEST)) -> Miniature:
    """The unpacked files."""
    made = random(3, 32, classes, counts)
    for name, (labels, pixels) in _batches(made, classes).items():
        fine = labels[:, None]
        columns = (fine, pixels) if classes == 10 else (fine // 5, fine, pixels)
        made.files[f"{name}.bin"] = np.concatenate(columns, 1).astype(np.uint8).tobytes()
    names = "\n".join([*(CIFAR10 if classes == 10 else CIFAR100), "", ""]).encode()
    made.files["batches.meta.txt" if classes == 10 else "fine_label_names.txt"] = names
    return made


def cifar(classes: int = 10, counts: tuple[int, int] = (TRAIN, TEST)) -> Miniature:
    """The archive that is fetched."""
    made = cifar_binary(classes, counts)
    inside = "cifar-10-batches-bin" if classes == 10 else "cifar-100-binary"
    packed = tar({f"{inside}/{name}": content for name, content in made.files.items()})
    made.files = {f"cifar-{classes}-binary.tar.gz": packed}
    return made


def cifar_python(classes: int = 10, protocol: int = 0) -> Miniature:
    """The unpacked pickles: as Python 2 wrote them, or of a protocol of Python 3."""
    dump = python2 if protocol == 0 else lambda value: pickle.dumps(value, protocol)
    made = random(3, 32, classes)
    key = "labels" if classes == 10 else "fine_labels"
    for name, (labels, pixels) in _batches(made, classes).items():
        table = {
            "batch_label": f"batch {name}",
            key: labels.tolist(),
            "data": np.ascontiguousarray(pixels),
            "filenames": [f"{number}.png" for number in range(len(labels))],
        }
        made.files[name] = dump(table)
    if classes == 10:
        made.files["batches.meta"] = dump({"num_vis": 3072, "label_names": CIFAR10})
    else:
        made.files["meta"] = dump({"fine_label_names": CIFAR100, "coarse_label_names": ["x"]})
    return made


def python2(value: object) -> bytes:
    """A pickle as Python 2's cPickle wrote CIFAR's: protocol 2, with text of one byte a letter."""
    return b"\x80\x02" + _python2(value) + b"."


def _python2(value: object) -> bytes:
    match value:
        case str():
            return _text(value.encode("latin-1"))
        case int():
            return b"J" + struct.pack("<i", value)
        case list():
            return b"](" + b"".join(map(_python2, value)) + b"e"
        case dict():
            return b"}(" + b"".join(_python2(k) + _python2(v) for k, v in value.items()) + b"u"
        case np.ndarray():
            empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
            shape = b"".join(map(_python2, value.shape))
            of_bytes = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
            whole = b"(K\x03U\x01|NNN" + 2 * _python2(-1) + b"K\x00tb"
            content = _text(value.tobytes())
            return empty + b"(K\x01(" + shape + b"t" + of_bytes + whole + b"\x89" + content + b"tb"
    raise TypeError(value)


def _text(content: bytes) -> bytes:
    if len(content) < 256:
        return b"U" + bytes([len(content)]) + content
    return b"T" + struct.pack("<i", len(content)) + content


SETS: dict[str, Callable[[], Miniature]] = {
    "kmnist": kmnist,
    "emnist": emnist,
    **{f"emnist-{part}": partial(emnist, part) for part in EMNIST},
    "qmnist": qmnist,
    "usps": usps,
    "svhn": svhn,
    "cifar10": cifar,
    "cifar100": partial(cifar, 100),
}
"""As they are fetched."""
