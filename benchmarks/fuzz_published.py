"""Cases of fuzz.py: the files of a published set, damaged in and under their packing."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from random import Random

import miniatures
from counterfeit import cli, data
from counterfeit.data.catalogue import PUBLISHED
from fuzz_bytes import bomb, put, spoiled
from miniatures import Miniature

Spoil = Callable[[bytes], bytes]

FOLDERS: dict[str, Callable[[], Miniature]] = {
    "kmnist": miniatures.kmnist,
    "emnist": partial(miniatures.emnist_files, "letters"),
    "qmnist": miniatures.qmnist,
    "qmnist, xz": partial(miniatures.qmnist, lzma.compress, ".xz"),
    "usps": miniatures.usps,
    "svhn": miniatures.svhn,
    "svhn, plain": partial(miniatures.svhn, packed=False),
    "cifar, binary": miniatures.cifar_binary,
    "cifar-100, binary": partial(miniatures.cifar_binary, 100),
    "cifar, packed": miniatures.cifar,
    "cifar, of Python 2": miniatures.cifar_python,
    "cifar-100, of Python 3": partial(miniatures.cifar_python, 100, 4),
}
"""What a folder may hold that is named by its path."""


@cache
def whole(name: str, *, named: bool) -> Miniature:
    return (miniatures.SETS if named else FOLDERS)[name]()


def published_files(world: object, rng: Random, folder: Path) -> tuple[Callable[[], object], str]:
    """The files of a set, one of them damaged, found by a path or, under a right checksum, by a
    name."""
    named = rng.random() < 0.4
    name = rng.choice(list(miniatures.SETS if named else FOLDERS))
    made = whole(name, named=named)
    kept = PUBLISHED[name].folder or name if named else "folder"
    root = made.write(folder / kept)
    path = root / rng.choice(list(made.files))
    how, content = damaged(path, rng)
    if content is None:
        how = put(path, rng)
    else:
        path.write_bytes(content)
    split: data.Split = rng.choice(["train", "train", "test"])
    door = name if named else str(root)
    if named:
        sums = dict(made.checksums)
        if path.is_file():
            sums[path.name] = sha256(path.read_bytes()).hexdigest()
        PUBLISHED[name] = replace(PUBLISHED[name], checksums=sums)
    size = rng.choice([None, None, None, 8])
    actions: list[Callable[[], object]] = [
        *[partial(data.load, door, split, folder, image_size=size)] * 9,
        partial(cli.main, ["data", door, f"--data-dir={folder}"]),
    ]
    return rng.choice(
        actions
    ), f"{'the set' if named else 'a folder of'} {name}, {path.name}: {how}"


def damaged(path: Path, rng: Random) -> tuple[str, bytes | None]:
    """How a file is damaged, and what it is then; None where it is to be damaged as a whole."""
    content = path.read_bytes()
    if rng.random() < 0.02:
        return "a bomb", bombs(path.suffix)
    match rng.randrange(4):
        case 0:
            return "spoiled", None
        case 1:
            return "header", header(content, rng)
        case _:
            spoil = rng.choice([partial(header, rng=rng), partial(spoiled, rng=rng)])
            return "spoiled within", within(path, content, spoil, rng)


def header(content: bytes, rng: Random) -> bytes:
    """The same with one to three of the first bytes changed, where sizes and types stand."""
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 4) if changed else 0):
        odd = rng.choice([0, 1, 2, 3, 8, 12, 14, 15, 127, 128, 255, rng.randrange(256)])
        changed[rng.randrange(min(400, len(changed)))] = odd
    return bytes(changed)


def within(path: Path, content: bytes, spoil: Spoil, rng: Random) -> bytes:
    """What is packed, spoiled and packed again."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = {entry.name: archive.extractfile(entry) for entry in archive}
            inside = {name: file.read() if file else b"" for name, file in files.items()}
        if rng.random() < 0.3:
            return gzip.compress(spoil(gzip.decompress(content)))
        name = rng.choice(sorted(inside))
        return miniatures.tar(inside | {name: spoil(inside[name])})
    if path.suffix == ".zip":
        return _zip_within(content, spoil, rng)
    packings: dict[str, tuple[Spoil, Spoil]] = {
        ".gz": (gzip.decompress, partial(gzip.compress, compresslevel=1)),
        ".xz": (lzma.decompress, lzma.compress),
        ".bz2": (bz2.decompress, bz2.compress),
    }
    unpack, pack = packings.get(path.suffix, (bytes, bytes))
    return pack(spoil(unpack(content)))


def _zip_within(content: bytes, spoil: Spoil, rng: Random) -> bytes:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as members,
        zipfile.ZipFile(packed, "w", rng.choice([0, 8, 12, 14])) as others,
    ):
        names = members.namelist()
        chosen = rng.sample(names, len(names) // 2)
        for name in names:
            member = members.read(name)
            if name in chosen:
                member = (
                    spoil(member)
                    if rng.random() < 0.3
                    else gzip.compress(spoil(gzip.decompress(member)))
                )
            others.writestr(name, member)
    return packed.getvalue()


@cache
def bombs(suffix: str) -> bytes:
    """Gigabytes of zeros, packed as a file of that kind is."""
    match suffix:
        case ".bz2":
            return bz2.compress(bytes(10_000_000)) * 100
        case ".zip":
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as members:
                for split in ("train", "test"):
                    members.writestr(f"gzip/emnist-balanced-{split}-images-idx3-ubyte.gz", bomb())
            return packed.getvalue()
    return bomb()
