"""Names that are made from values, fit for files."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LONGEST = 80
"""Characters; files' names add a data set and a seed."""


def slug(text: str) -> str:
    """A name or the last part of a path, of A-Z, a-z, 0-9, '.', '_' and '-' alone."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", Path(text).name).strip("-._") or "x"


def label_of(recipe: str, values: Mapping[str, Any]) -> str:
    """`adam-lr-0.0002`: a recipe and what it has otherwise, each key as short as tells it apart."""
    parts = [recipe]
    for key, value in values.items():
        parts.append(f"{shortest(key, values)}-{_written(value)}")
    return "-".join(parts)[:LONGEST].rstrip("-._")


def unique(names: Sequence[str]) -> list[str]:
    """The names in their order, the second of a kind with `-2` behind it, and so on."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found if len(set(found)) == len(found) else unique(found)


def shortest(key: str, keys: Mapping[str, Any]) -> str:
    """The fewest last parts of a dotted key that no other key ends in."""
    parts = key.split(".")
    for many in range(1, len(parts)):
        end = ".".join(parts[-many:])
        if sum(f".{other}".endswith(f".{end}") for other in keys) == 1:
            return end
    return key


def _written(value: Any) -> str:
    """A value, in the characters of a name; -1 keeps its sign as `m1`."""
    if isinstance(value, list | tuple):
        return "x".join(map(_written, value)) or "none"
    text = f"m{abs(value)}" if isinstance(value, int | float) and value < 0 else str(value)
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-._") or "x"
