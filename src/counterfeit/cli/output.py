"""Where a command's result goes: checked before the work that ends in it."""

from pathlib import Path

from counterfeit.errors import CounterfeitError, UsageError


def writable(path: Path, *suffixes: str) -> Path:
    """The path, its folder made; checked before the work that ends in it."""
    if suffixes and path.suffix not in suffixes:
        raise UsageError(f"cannot write {path}: its name must end in {' or '.join(suffixes)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CounterfeitError(f"cannot make the folder {path.parent}: {error.strerror}.") from None
    except ValueError as error:  # a NUL
        raise UsageError(f"cannot write {path}: {error}.") from None
    return path
