"""Bytes of fuzz.py's cases: any file, spoiled; and files that unpack to gigabytes."""

import struct
import zlib
from functools import cache
from pathlib import Path
from random import Random


def spoiled(content: bytes, rng: Random) -> bytes:
    """Bytes cut, flipped, inserted, repeated, or replaced by other ones."""
    at = rng.randrange(len(content) + 1)
    match rng.randrange(8):
        case 0:
            return content[:at]
        case 1:
            return content[at:]
        case 2:
            return content[:at] + rng.randbytes(rng.randrange(1, 40)) + content[at:]
        case 3:
            return content[:at] + content[at + rng.randrange(1, 40) :]
        case 4:
            return content + content
        case 5:
            return rng.choice(JUNK)
        case _:
            flipped = bytearray(content)
            for _ in range(rng.randrange(1, 4) if flipped else 0):
                flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            return bytes(flipped)


def a_pickle() -> bytes:
    """A pickle that ends the process with status 86."""
    return b"\x80\x04cposix\n_exit\nK\x56\x85R."


JUNK = [
    *(b"", b"\0", b"\n", b"{}", b"[]", b"null", b"{", b"[" * 100_000, b"\xff\xfe" * 50),
    a_pickle(),
]


def put(path: Path, rng: Random, content: bytes | None = None) -> str:
    """Spoil a file or what stands in its place; say how."""
    content = path.read_bytes() if content is None else content
    match rng.randrange(12):
        case 0:
            path.unlink(missing_ok=True)
            return "missing"
        case 1:
            path.unlink(missing_ok=True)
            path.mkdir()
            return "a folder"
        case 2:
            path.unlink(missing_ok=True)
            path.symlink_to(rng.choice([path, path.parent, Path("/dev/null"), Path("nowhere")]))
            return "a link"
        case _:
            path.write_bytes(spoiled(content, rng))
            return "spoiled"


@cache
def bomb() -> bytes:
    """20 GB of zeros as a gzipped IDX file of about 20 MB."""
    header = struct.pack(">4B3I", 0, 0, 8, 3, 20_000, 1000, 1000)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(header) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * 2000
