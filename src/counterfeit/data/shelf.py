"""Images that are too many for memory, fitted once and kept as files, of which pages are read.

    fitted/KEY/train/images.npy     uint8 (N, C, H, W), in the order of the split
                     labels.npy     where there are any
                     about.json     all else of the split, and the checksum

KEY stands for what they were made from and how: files that change make another one. Locks tell
which are in use: who reads a split shares its images' lock until its process ends, and who makes
one holds a lock beside its folder.
"""

import hashlib
import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.lib.format import open_memmap
from torch import Tensor

from counterfeit import environment
from counterfeit.data.fitting import Look
from counterfeit.data.images import ImageData, PassedOver, Source, Split, in_memory
from counterfeit.errors import CounterfeitError
from counterfeit.files import lock, write_whole, writing

MEMORY_SHARE = 4
"""Images that take more than one part in so many of memory are kept as files."""

VERSION = 1
"""Of how images are made: another one makes other files."""


class Shelf:
    """Where one place's images are kept, if they are too many for memory."""

    def __init__(
        self, folder: Path, source: Path, look: Look, *parts: object, beside: Sequence[Path] = ()
    ) -> None:
        """
        Args:
            folder: of all shelves.
            source: the file or the folder that the images are made from.
            look: what they are fitted to.
            parts: what else makes them what they are.
            beside: other files that are read with the source.
        """
        self._all, self._source, self._beside = folder, source, beside
        self._how = [VERSION, str(source.resolve()), astuple(look), *parts]
        self._unfinished = folder / f".new-{os.getpid()}-{threading.get_ident()}"
        self._making: FileIO | None = None

    def find(self, name: str, split: Split) -> ImageData | None:
        """A split that is kept; None where none is, or it is damaged."""
        if not self._all.is_dir():
            return None
        folder = self._folder(split)
        try:
            about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            found = _read(folder, about, name, split)
            return found if found.sha256 == about["sha256"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def room(self, shape: tuple[int, int, int, int]) -> UInt8[Tensor, "N C H W"]:
        """Room for so many images, in memory or in a new file.

        Raises:
            CounterfeitError: there is none.
        """
        size, memory = int(np.prod(shape)), environment.memory_bytes()
        if memory is None or size * MEMORY_SHARE <= memory:
            return in_memory(shape)
        with writing(self._all):
            self.clear()
            self._all.mkdir(parents=True, exist_ok=True)
            remove_dead(self._all)
            _lock_of(self._unfinished).unlink(missing_ok=True)  # of this thread, which left it
            self._making = _lock_of(self._unfinished).open("wb", buffering=0)
            lock(self._making)
            self._unfinished.mkdir()
            free = shutil.disk_usage(self._all).free
            if size > free:
                raise CounterfeitError(
                    f"the images of {self._source} do not fit into memory, and need"
                    f" {size / 1e9:.1f} GB in {self._all}, where {free / 1e9:.1f} GB are free; make"
                    " them smaller with --image-size, or choose another place with --data-dir."
                )
            return torch.from_numpy(
                open_memmap(self._unfinished / "images.npy", "w+", np.uint8, shape)
            )

    def keep(self, made: ImageData) -> ImageData:
        """The same split, its images in the file that `room` made, if it made one."""
        if not self._unfinished.is_dir():
            return made
        with writing(self._all):
            about = {
                "classes": made.classes,
                "held_out": made.held_out,
                "apart": made.apart,
                "source": made.source and _as_json(made.source),
                "sha256": made.sha256,
            }
            if made.labels is not None:
                np.save(self._unfinished / "labels.npy", made.labels.numpy())
            write_whole(self._unfinished / "about.json", json.dumps(about).encode())
            folder = self._folder(made.split)
            folder.parent.mkdir(exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            self._unfinished.replace(folder)
        self.clear()
        return _read(folder, about, made.name, made.split)

    def clear(self) -> None:
        """Remove what `room` made and nobody kept."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        if self._making is not None:
            with suppress(OSError):
                _lock_of(self._unfinished).unlink()
            self._making.close()
            self._making = None

    def _folder(self, split: Split) -> Path:
        content = hashlib.sha256(repr(self._how).encode())
        for path in sorted({*_files(self._source), *self._beside}):
            with suppress(OSError):  # a link to nothing
                status = path.stat()
                content.update(
                    f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(
                        errors="surrogateescape"
                    )
                )
        return self._all / content.hexdigest()[:16] / split


def remove_dead(folder: Path) -> None:
    """Remove what processes that are gone had begun to make."""
    for made in folder.glob(".new-*/"):
        if _is_free(_lock_of(made)):
            shutil.rmtree(made, ignore_errors=True)
            with suppress(OSError):
                _lock_of(made).unlink()


def kept_bytes(folder: Path) -> int:
    """What all that is kept takes on the disk."""
    return sum(path.stat().st_size for path in folder.glob("*/*/*") if path.is_file())


def free(folder: Path) -> int:
    """Remove all that no process uses; how many bytes that were.

    Raises:
        CannotWrite: something cannot be removed.
    """
    before = kept_bytes(folder)
    remove_dead(folder)
    with writing(folder):
        for images in folder.glob("*/*/images.npy"):
            if _is_free(images):
                shutil.rmtree(images.parent)
                with suppress(OSError):  # the other split is in use
                    images.parent.parent.rmdir()
    return before - kept_bytes(folder)


def _lock_of(made: Path) -> Path:
    return made.with_name(f"{made.name}.lock")


def _is_free(path: Path) -> bool:
    """Whether no process has a lock on that file, or there is none."""
    try:
        with path.open("r+b", buffering=0) as file:
            return lock(file, wait=False)
    except FileNotFoundError:
        return True


_in_use: dict[int, FileIO] = {}
"""Files of images that this process has mapped, by their inode, open for the lock that says so."""


def _files(source: Path) -> list[Path]:
    """A file; or all in a folder and in those in it, linked ones too."""
    if not source.is_dir():
        return [source]
    seen: set[Path] = set()
    found = []
    for parent, folders, files in os.walk(source, followlinks=True):
        real = Path(parent).resolve()
        if real in seen:  # by a link
            folders.clear()
            continue
        seen.add(real)
        found += [Path(parent, file) for file in files]
    return found


def _read(folder: Path, about: dict[str, Any], name: str, split: Split) -> ImageData:
    file = (folder / "images.npy").open("rb", buffering=0)
    inode = os.fstat(file.fileno()).st_ino
    lock(_in_use.setdefault(inode, file), shared=True)
    # Copy-on-write: nothing that is done to them reaches the file.
    images = np.load(folder / "images.npy", mmap_mode="c", allow_pickle=False)
    labels = folder / "labels.npy"
    return ImageData(
        name,
        split,
        torch.from_numpy(images),
        torch.from_numpy(np.load(labels, allow_pickle=False)) if labels.exists() else None,
        tuple(about["classes"]),
        about["held_out"],
        about["apart"],
        about["source"] and _source(about["source"]),
    )


def _as_json(source: Source) -> dict[str, Any]:
    return {
        "sizes": [[*size, count] for size, count in source.sizes.items()],
        "passed_over": source.passed_over,
        "notes": source.notes,
    }


def _source(about: dict[str, Any]) -> Source:
    return Source(
        Counter({(height, width): count for height, width, count in about["sizes"]}),
        tuple(PassedOver(*each) for each in about["passed_over"]),
        tuple(about["notes"]),
    )
