"""Sets of the user's own IDX files, under whatever usual names."""

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from counterfeit.data.array_files import SPLITS, Arrays, Chosen, Meaning, contents, of_name
from counterfeit.data.idx import open_idx
from counterfeit.data.images import Split
from counterfeit.errors import CounterfeitError, UsageError


def is_idx_name(name: str) -> bool:
    """Whether a file is called as IDX files are: `train-images.idx3-ubyte.gz`, `x.idx`."""
    return re.search(r"[-_.]idx\d?([-_.]\w+)?(\.(gz|xz))?$", name.lower()) is not None


def idx_files(place: Path) -> list[Path]:
    """The IDX files in a folder; of one of them, those whose names go with its own."""
    if place.is_dir():
        return sorted(path for path in place.iterdir() if is_idx_name(path.name) and path.is_file())
    chosen = _meaning(place)
    together = [
        path
        for path in idx_files(place.parent)
        if (meaning := _meaning(path)).rest == chosen.rest
        and (meaning.split is None) == (chosen.split is None)
    ]
    return together if place in together and not chosen.labels else [place]


def read_idx_files(place: Path) -> tuple[Arrays, list[Chosen]]:
    """The arrays of the IDX files in a folder, or that go with one, and what they are.

    Raises:
        UsageError: there are several sets.
        CounterfeitError: there are no images, or a file is damaged.
    """
    files = idx_files(place)
    arrays: Arrays = {path.name: _upright(path) for path in files}
    images: dict[Split | None, Path] = {}
    labels: dict[Split | None, Path] = {}
    sets = {_meaning(path).rest for path in files}
    for path in files:
        meaning = _meaning(path)
        among = labels if meaning.labels else images
        if meaning.split in among and len(sets) == 1:  # plain and gzipped: the first is enough
            continue
        among[meaning.split] = path
    if len(sets) > 1 or (None in images and len(images) > 1):
        raise UsageError(
            f"{place} holds several sets of IDX files ({contents(arrays)}); name the images of one,"
            f" as {place / min(arrays)}."
        )
    if not images:
        raise CounterfeitError(f"{place} holds no images in its IDX files; add them.")
    return arrays, [
        Chosen(split, path.name, labels[split].name if split in labels else None)
        for split, path in images.items()
    ]


def _meaning(path: Path) -> Meaning:
    """What the file's name says, or else its dimensions."""
    name = re.sub(r"[-_.]idx\d?.*$", "", path.name.lower()).replace("t10k", "test")
    found = of_name(name)
    if found is not None:
        return found
    split = next((SPLITS[word] for word in re.split("[-_.]", name) if word in SPLITS), None)
    return Meaning(open_idx(path).ndim == 1, split, ())


def _upright(path: Path) -> NDArray[Any]:
    """The array of a file; EMNIST's images have rows and columns swapped (see `emnist`)."""
    values = open_idx(path)
    return values.swapaxes(1, 2) if path.name.startswith("emnist-") and values.ndim > 2 else values
