"""The pictures of a folder, and what else lies in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from json import loads
from pathlib import Path, PurePath
from typing import Any

from counterfeit.data.arrays import MOST_CLASSES
from counterfeit.data.images import PassedOver
from counterfeit.data.pictures import Picture, suffixes
from counterfeit.errors import CounterfeitError

LABELS_FILE = "dataset.json"
"""StyleGAN's, which gives each file its label: {"labels": [["00000/a.png", 6], …]}."""


@dataclass(frozen=True)
class Listing:
    """What lies in a folder or an archive."""

    where: str
    pictures: list[Picture]
    """In the order in which they are read fastest."""
    passed_over: list[PassedOver]
    labels: dict[tuple[str, ...], int] | None = None
    """What `LABELS_FILE` says of pictures by their `parts`; None where there is no such file, whose
    folders are no classes."""


@contextmanager
def folder_listing(folder: Path) -> Iterator[Listing]:
    """All pictures of a folder and of those in it, linked ones too.

    A folder is looked into once, by the first of its names, so that links in a circle end; what is
    hidden is not looked at.

    Raises:
        CounterfeitError: a folder cannot be read.
    """
    pictures: list[Picture] = []
    passed_over: list[PassedOver] = []
    labels = None
    seen: set[tuple[int, int]] = set()
    left = [folder]
    try:
        while left:
            place = left.pop()
            status = place.stat()
            if (status.st_dev, status.st_ino) in seen:
                passed_over.append(PassedOver(str(place), "a link to a folder that was read"))
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                shown = [entry for entry in entries if not entry.name.startswith(".")]
            shown.sort(key=lambda entry: (entry.is_symlink(), entry.name), reverse=True)
            left += [Path(entry.path) for entry in shown if _is_folder(entry)]
            for entry in reversed(shown):
                path = Path(entry.path)
                if _is_folder(entry):
                    continue
                if place == folder and entry.name == LABELS_FILE and path.is_file():
                    labels = read_labels(path.read_bytes(), str(path))
                elif why := _why_not(path):
                    passed_over.append(PassedOver(str(path), why))
                else:
                    parts = path.relative_to(folder).parts
                    pictures.append(Picture(str(path), parts, path.read_bytes))
    except OSError as error:
        raise CounterfeitError(f"cannot read {error.filename}: {error.strerror}.") from error
    pictures.sort(key=lambda picture: picture.parts)
    yield Listing(str(folder), pictures, passed_over, labels)


def read_labels(content: bytes, name: str) -> dict[tuple[str, ...], int]:
    """The labels that `LABELS_FILE` gives, if it gives any.

    Raises:
        CounterfeitError: it is something else.
    """
    try:
        labels: Any = loads(content)["labels"]
        found = {tuple(file.split("/")): label for file, label in labels or []}
        if not all(type(each) is int and 0 <= each < MOST_CLASSES for each in found.values()):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CounterfeitError(
            f'{name} is not StyleGAN\'s, {{"labels": [["00000/a.png", 6], …]}} or null; mend or'
            " remove it."
        ) from None
    return found


def no_picture(name: str) -> str:
    """Why a file of that name is not read; "" if it is."""
    end = PurePath(name).suffix.lower()
    return "" if end in suffixes() else f"{end} is no picture" if end else "no picture"


def _why_not(path: Path) -> str:
    if why := no_picture(path.name):
        return why
    if path.is_file():
        return ""
    return "a link to nothing" if path.is_symlink() else "not a file"


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
