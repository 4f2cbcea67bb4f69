"""What a caller hands over, as the type that is needed; the rest is refused in one line."""

import operator
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, SupportsIndex, TypeVar

from counterfeit.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=str)

StrPath = str | os.PathLike[str]

LEAST, MOST = -(2**63), 2**64 - 1
"""What 64 bits hold, with a sign or without."""


def whole_number(
    name: str, value: SupportsIndex, *, least: int = LEAST, most: int = MOST, hint: str = ""
) -> int:
    """A whole number, also one of numpy's or torch's.

    Args:
        name: of the argument, for the message.
        hint: the end of the message.

    Raises:
        UsageError: it is none, or out of bounds.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # numpy and torch each have their own
        number = None
    bounds = "" if (least, most) == (LEAST, MOST) else f" from {least:,} to {most:,}"
    if number is None or not least <= number <= most:
        raise UsageError(
            f"{name} must be a whole number{bounds or ' of 64 bits'}, not {shown(value)}{hint}."
        )
    return number


def path(name: str, value: StrPath) -> Path:
    """A path that the system can name.

    Raises:
        UsageError: it is none.
    """
    try:
        found = Path(value)
        sound = b"\0" not in os.fsencode(found)
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise UsageError(f"{name} must be a path, not {shown(value)}.")
    return found


def text(name: str, value: StrPath) -> str:
    """Text, or a path as text: names of data sets are also folders'.

    Raises:
        UsageError: it is none.
    """
    return value if isinstance(value, str) else str(path(name, value))


def one_of(name: str, value: S, choices: Sequence[str]) -> S:
    """One of a few words.

    Raises:
        UsageError: it is another.
    """
    if not isinstance(value, str) or value not in choices:
        raise UsageError(f"{name} must be {' or '.join(map(repr, choices))}, not {shown(value)}.")
    return value


def is_colour(value: object) -> bool:
    """Whether it is an opaque colour of Pillow's, such as `white` or `#ffcc00`."""
    if value in ("white", "black"):  # without importing Pillow
        return True
    from PIL import ImageColor

    try:
        return isinstance(value, str) and len(ImageColor.getrgb(value)) == 3
    except ValueError:
        return False


def functions(name: str, values: Iterable[F]) -> tuple[F, ...]:
    """Functions to be called, as a tuple.

    Raises:
        UsageError: they are none.
    """
    try:
        found = tuple(values)
        sound = all(map(callable, found))
    except TypeError:
        sound = False
    if not sound:
        raise UsageError(f"{name} must be a list of functions, not {shown(values)}.")
    return found


def shown(value: object) -> str:
    """A value as Python writes it, on one line, and cut where it is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # whatever a stranger's class raises
        if isinstance(value, int):  # Python writes out none of more digits
            return "a number of over 4,300 digits"
        return f"a {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:80]}…"
