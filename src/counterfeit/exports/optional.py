"""Packages that an extra installs, and what is said where they are absent."""

from collections.abc import Iterator
from contextlib import contextmanager

from counterfeit.errors import UsageError


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Whatever the block imports is of that extra.

    Raises:
        UsageError: a package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"this needs {error.name}, which is not installed; install it with"
            f" `pip install 'counterfeit[{extra}]'`."
        ) from None
