"""Packages that not everybody has, and what is said where they are absent."""

from collections.abc import Iterator
from contextlib import contextmanager

from counterfeit.errors import UsageError


@contextmanager
def needing(*packages: str) -> Iterator[None]:
    """What a block imports of packages that not everybody has.

    Raises:
        UsageError: one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"this needs {error.name}: `pip install {' '.join(packages)}` brings it."
        ) from None
