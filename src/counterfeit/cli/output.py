"""Where a command's result goes: checked before the work that ends in it."""

import os
from pathlib import Path

from counterfeit.errors import CannotWrite, UsageError


def writable(path: Path, *suffixes: str, option: str = "--out") -> Path:
    """The path, its folder made and found to take files.

    Raises:
        UsageError: it is no name for a file, or its suffix is none of those.
        CannotWrite: the folder cannot be made, or is read-only.
    """
    if suffixes and path.suffix not in suffixes:
        raise UsageError(f"cannot write {path}: its name must end in {' or '.join(suffixes)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a folder; name a file in it.")
    except OSError as error:
        raise CannotWrite(
            f"cannot write {path}: {error.strerror}; name another place with {option}."
        ) from None
    except ValueError as error:  # a NUL
        raise UsageError(f"cannot write {path}: {error}.") from None
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CannotWrite(
            f"cannot write {path}: its folder is read-only; name another place with {option}."
        )
    return path
