"""Packed files and archives: what they hold, with bounds on what they may claim."""

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from counterfeit.environment import require_memory
from counterfeit.errors import CounterfeitError

DEFLATED = 1032
"""Bytes that deflate packs into one, at most: who claims more lies."""

CUT_SHORT = (EOFError, struct.error)
DAMAGED = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError, OverflowError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
)
"""What reading a damaged file can end in."""


class Readable(Protocol):
    """An open file, of whatever kind."""

    def read(self, size: int, /) -> bytes: ...


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into errors that name it.

    Raises:
        CounterfeitError: the file is missing, cut short, or damaged.
    """
    try:
        yield
    except (*CUT_SHORT, *DAMAGED) as error:
        if isinstance(error, CUT_SHORT) or "unexpected end" in str(error):  # tarfile's words
            raise CounterfeitError(f"{path} is cut short; replace it.") from error
        raise CounterfeitError(f"cannot read {path}: {error}; replace it.") from error


def opened(path: Path) -> gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File | BinaryIO:
    """A file's content, unpacked where its name ends in .gz, .xz or .bz2."""
    match path.suffix:
        case ".gz":
            return gzip.GzipFile(path)
        case ".xz":
            return lzma.LZMAFile(path)
        case ".bz2":
            return bz2.BZ2File(path)
    return path.open("rb")


def read(path: Path, most: int | None = None) -> bytes:
    """All of a file, unpacked.

    Args:
        most: bytes that it may hold; as many as it has where it is not packed.

    Raises:
        CounterfeitError: it is missing, damaged or too large.
    """
    with reading(path):
        size = path.stat().st_size if most is None else most
        require_memory(2 * size, f"the content of {path}", "replace it")
        with opened(path) as file:
            content = file.read(size + 1)
    if len(content) > size:
        raise CounterfeitError(f"{path} holds more than {size:,} bytes; replace it.")
    return content


def read_members(archive: Path, wanted: Mapping[str, str], most: int) -> dict[str, bytes]:
    """Plain files of a .tar.gz archive, those of them that are there.

    Args:
        wanted: what each shall be called, by its path in the archive.
        most: bytes that the archive may hold, unpacked.

    Raises:
        CounterfeitError: the archive is damaged or too large.
    """
    found: dict[str, bytes] = {}
    with reading(archive), tarfile.open(archive, "r:gz") as members:
        for entry in members:
            if entry.offset_data + entry.size > most:
                raise CounterfeitError(f"{archive} holds more than {most:,} bytes; replace it.")
            if entry.name not in wanted or not entry.isreg():
                continue
            if entry.size > archive.stat().st_size * DEFLATED:
                raise EOFError
            require_memory(2 * entry.size, f"the files in {archive}", "replace it")
            file = members.extractfile(entry)
            assert file is not None  # a plain file
            with file:
                content = file.read()
            if len(content) < entry.size:
                raise EOFError
            found[wanted[entry.name]] = content
            if len(found) == len(wanted):
                break
    return found
