"""The pictures of a zip or tar archive, read where they lie: nothing is ever unpacked to disk."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import IO, Any

from counterfeit.data.folders import LABELS_FILE, Listing, no_picture, read_labels
from counterfeit.data.images import PassedOver
from counterfeit.data.packed import DAMAGED
from counterfeit.data.pictures import Picture
from counterfeit.errors import CounterfeitError

MOST_BYTES = 256 * 2**20
"""In one file of an archive. More than any picture has, and less than memory."""

OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
"""What compressed tars begin with, and what reads them."""


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or a tar, compressed or not, by how it begins."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
        if any(start.startswith(magic) for magic in OPENERS):
            with _unpacked(path, start) as stream:
                start = stream.read(512)
    except DAMAGED:
        return False
    return start.startswith(b"PK\x03\x04") or start[257:262] == b"ustar"


@contextmanager
def archive_listing(path: Path) -> Iterator[Listing]:
    """All pictures of an archive. A folder that everything lies in is left away.

    Raises:
        CounterfeitError: it is damaged.
    """
    with ExitStack() as stack:
        try:
            with path.open("rb") as file:
                start = file.read(512)
            if start.startswith(b"PK"):
                entries = _of_zip(stack.enter_context(zipfile.ZipFile(path)))
            else:
                stream = stack.enter_context(_unpacked(path, start))
                entries = _of_tar(
                    stack.enter_context(tarfile.open(fileobj=_Bounded(stream), mode="r:"))
                )
            listing = _sorted_out(path, entries)
        except DAMAGED as error:
            short = isinstance(error, EOFError) or "end of data" in str(error)
            why = "is cut short" if short else f"cannot be read: {error}"
            raise CounterfeitError(f"{path} {why}; replace it.") from error
        yield listing


Entry = tuple[str, str, Callable[[], bytes]]
"""A file's name, why it is not read or "", and what reads it."""


def _of_zip(archive: zipfile.ZipFile) -> list[Entry]:
    return [
        (
            info.filename,
            "encrypted" if info.flag_bits & 1 else _too_large(info.file_size),
            partial(archive.read, info),  # no more than file_size
        )
        for info in archive.infolist()
        if not info.filename.endswith("/")  # is_dir fails where there is no name
    ]


def _of_tar(archive: tarfile.TarFile) -> list[Entry]:
    def read(member: tarfile.TarInfo) -> bytes:
        file = archive.extractfile(member)
        return file.read() if file else b""

    return [
        (
            member.name,
            _too_large(member.size) if member.isreg() else "a link, or no file",
            partial(read, member),
        )
        for member in archive
        if not member.isdir()
    ]


def _too_large(size: int) -> str:
    return "" if size <= MOST_BYTES else f"larger than {MOST_BYTES // 2**20} MiB"


def _sorted_out(path: Path, entries: list[Entry]) -> Listing:
    pictures, passed_over, described = [], [], {}
    for name, unreadable, read in entries:
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
        if not parts or any(part.startswith((".", "__MACOSX")) for part in parts if part != ".."):
            continue  # hidden
        why = unreadable or ("a path out of the archive" if ".." in parts else "")
        if parts[-1] == LABELS_FILE and not why:
            described[parts[:-1]] = read
        elif why := why or no_picture(parts[-1]):
            passed_over.append(PassedOver(f"{path}/{name}", why))
        else:
            pictures.append(Picture(f"{path}/{name}", parts, read))
    root = _common([picture.parts[:-1] for picture in pictures])
    labels = None
    for above in (root[:depth] for depth in range(len(root) + 1)):
        if above in described:
            labels = read_labels(described[above](), f"{path}/{LABELS_FILE}")
            root = above  # which the names in it start from
            break
    pictures = [Picture(each.name, each.parts[len(root) :], each.read) for each in pictures]
    return Listing(str(path), pictures, passed_over, labels)


def _common(folders: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The folders that all of them lie in."""
    if not folders:
        return ()
    pairs = zip(min(folders), max(folders), strict=False)
    return tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _unpacked(path: Path, start: bytes) -> IO[bytes]:
    opener = next((o for magic, o in OPENERS.items() if start.startswith(magic)), None)
    return path.open("rb") if opener is None else opener(path)


class _Bounded(io.RawIOBase):
    """A stream of which nobody reads much at once, as a header of a hostile tar would have it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_BYTES:
            raise tarfile.ReadError("it claims too much")
        return self._stream.read(size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
