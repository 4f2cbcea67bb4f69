"""Recipes before they are checked: nested tables, from TOML and from dotted keys."""

import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from counterfeit.errors import UsageError


def read_toml(text: str, origin: str) -> dict[str, Any]:
    """The table in `text`, which came from `origin`.

    Raises:
        UsageError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also of a whole number of more than 4,300 digits
        raise UsageError(f"{origin} is not TOML: {str(error).rstrip('.')}.") from None
    except RecursionError:
        raise UsageError(f"{origin} is not TOML: its values are nested too deeply.") from None


def toml_text(path: Path) -> str:
    """The text of a TOML file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not TOML: it is not UTF-8 text.") from None


def parse_override(override: str) -> tuple[str, object]:
    """Key and value of `key=value`, the value as TOML or else as text.

    Raises:
        UsageError: there is no key or no value.
    """
    key, equals, raw = override.partition("=")
    if not equals or not all(key.strip().split(".")):
        raise UsageError(f"--set {override!r}: write key=value, as in discriminator.dropout=0.3.")
    try:
        return key.strip(), read_toml(f"value = {raw}", override)["value"]
    except UsageError:
        return key.strip(), raw.strip()


def put(
    table: dict[str, Any],
    key: str,
    value: object,
    kept: Callable[[str, object], Collection[str] | None],
) -> None:
    """Set the value of a dotted key.

    Args:
        kept: which keys a section keeps when its `name` changes to another; None: all.

    Raises:
        UsageError: the key leads through a value.
    """
    *sections, last = key.split(".")
    for part in sections:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UsageError(f"{key!r}: '{part}' is a value, not a section.")
    if sections and last == "name" and value != table.get("name"):
        keys = kept(sections[-1], value)
        for other in [] if keys is None else table.keys() - keys:
            del table[other]
    table[last] = value


def modern_key(key: str) -> str:
    """A dotted key by the name that it has now."""
    return "loss.name" if key == "loss.generator" else key


def modernised(table: dict[str, Any]) -> dict[str, Any]:
    """A recipe's table as it is written now: a loss was once called by what G minimises."""
    loss = table.get("loss")
    if isinstance(loss, dict) and "generator" in loss and "name" not in loss:
        others = {key: value for key, value in loss.items() if key != "generator"}
        table = table | {"loss": {"name": loss["generator"]} | others}
    return table


def dotted(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of nested tables under dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= (
            dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return flat


def plain(value: Any) -> Any:
    """The same in Python's own types, arrays as tuples and numpy's numbers as numbers.

    Validation is strict, so that `true` is no number.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value
