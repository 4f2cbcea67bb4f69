"""The published sets by name, and the folder that keeps them.

Each is fetched once, and every file is checked against its checksum each time it is used.
"""

import difflib
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from platformdirs import user_cache_path

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data.catalogue import PUBLISHED, Published
from counterfeit.data.own import KINDS, Place, find_place
from counterfeit.data.sources import FETCH_ERRORS, reason
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.language import english, tr

log = logging.getLogger(__name__)

_may_fetch: ContextVar[bool] = ContextVar("may_fetch", default=True)


class NotHere(CounterfeitError):
    """Something published is not on disk, and may not be fetched."""


@contextmanager
def offline() -> Iterator[None]:
    """Fetch nothing within the block: what is not on disk is `NotHere`."""
    before = _may_fetch.set(False)
    try:
        yield
    finally:
        _may_fetch.reset(before)


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
    `digits`, which scikit-learn contains, nor for the user's own images.

    Raises:
        UsageError: `name` is neither a data set nor a path of images.
        CounterfeitError: no source could provide it (the message says why for each, and what to
            do), or the folder cannot be written.
    """
    name = arguments.text("name", name)
    if name == "digits":
        import sklearn.datasets

        return Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz"
    if name not in PUBLISHED:
        return find(name).path

    published = PUBLISHED[name]
    folder = data_folder(data_dir) / (published.folder or name)
    elsewhere = "--data-dir" if data_dir else "--data-dir or COUNTERFEIT_DATA_DIR"
    return fetch_whole(name, published, folder, elsewhere)


def fetch_whole(
    name: str, published: Published, folder: Path, elsewhere: str = "COUNTERFEIT_DATA_DIR"
) -> Path:
    """See that the files of what is published are in the folder and whole; return the folder.

    Args:
        elsewhere: what names another folder, for the error's text.

    Raises:
        NotHere: some are not, within `offline`.
        CounterfeitError: see `fetch`.
    """
    try:
        wanted = [
            file
            for file, checksum in published.checksums.items()
            if not _is_whole(folder / file, checksum)
        ]
        if wanted and not _may_fetch.get():
            raise NotHere(f"{name} is not in {folder}, and is not fetched now.")
        if wanted:
            _fetch_files(name, published, folder, wanted)
    except OSError as error:
        raise CounterfeitError(
            f"cannot keep {name} in {folder}: {error.strerror or error};"
            f" choose another place with {elsewhere}."
        ) from error
    return folder


def _is_whole(path: Path, checksum: str) -> bool:
    if not path.exists():
        return False
    if _has(path, checksum):
        return True
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    log.warning("%s is damaged (wrong %s); it is kept as %s.", path, _kind(checksum), aside.name)
    return False


def _kind(checksum: str) -> str:
    return "MD5" if checksum.startswith("md5:") else "SHA-256"


def _has(path: Path, checksum: str) -> bool:
    algorithm = "md5" if _kind(checksum) == "MD5" else "sha256"
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == checksum.removeprefix("md5:")


def _fetch_files(name: str, published: Published, folder: Path, wanted: Sequence[str]) -> None:
    """Move the wanted files into `folder` from the first source that has them all."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = [f"on disk in {folder}: no whole {', '.join(wanted)}"]
    for source in published.sources:
        log.info(tr("fetching {data} from {source}", data=name, source=source.name))
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
            staging = Path(temporary)
            try:
                source.fetch(staging)
                bad = [f for f in wanted if not _has(staging / f, published.checksums[f])]
            except FETCH_ERRORS as error:
                failures.append(f"{source.name}: {reason(error)}; {source.remedy}")
                continue
            if not bad:
                for file in wanted:
                    (staging / file).replace(folder / file)
                return
            wrong = ", ".join(f"{_kind(published.checksums[f])} of {f}" for f in bad)
            failures.append(f"{source.name}: wrong {wrong}; {source.remedy}")
    failed = CounterfeitError(
        f"cannot get {name}: every source failed; mend one of these, put the missing files into"
        f" {folder}, or name another folder that holds them:"
    )
    for failure in failures:
        failed.add_note(f"{failure}.")
    raise failed


def is_published(name: str) -> bool:
    """Whether that is a data set's name, and so no folder's: `./mnist` is one."""
    return name in PUBLISHED


def titles() -> dict[str, str]:
    """What each published set is, by its name, and what else may be named; in English."""
    return {
        **{name: published.title for name, published in PUBLISHED.items()},
        "PATH": english("or the path of your own images: a folder, an archive or a file of arrays"),
    }


def credit(name: str) -> str:
    """What its licence asks to be said wherever the set's images are shown; "" for most."""
    return PUBLISHED[name].credit if name in PUBLISHED else ""


def origin(name: str) -> list[str]:
    """Who made a published set, its licence, and its credit, a line each."""
    if name not in PUBLISHED:
        return []
    published = PUBLISHED[name]
    said = {"paper": published.paper, "licence": published.licence, "credit": published.credit}
    return [f"{what}: {text}" for what, text in said.items() if text]


def find(name: str) -> Place:
    """Where the user's images of that name lie.

    Raises:
        UsageError: nowhere; the message suggests the nearest data set.
    """
    place = find_place(name)
    if place is None:
        names = list(PUBLISHED)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use {', '.join(names)} or {KINDS}."
        raise UsageError(f"{name!r} is neither a data set nor a path that exists; {hint}")
    return place
