"""What the studies of tricks came to, in `judged.json`; nothing here imports torch or scipy."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from counterfeit.files import finite, write_whole
from counterfeit.tricks.catalogue import FOLDER

JUDGED = FOLDER / "judged.json"

DIGITS = 4
"""That are kept of each number."""

Interval = tuple[float, float, float]
"""A value, and the ends of its interval; NaN where seeds are too few for one."""

Worth = Literal["better", "worse", "unsure"]
"""What is certain of a trick within its list: it lowers FID, it raises FID, or neither is."""


@dataclass(frozen=True)
class Effect:
    """What having a trick changes, seed by seed."""

    worth: Worth
    fid: Interval
    """With the trick, as a multiple of FID without it."""
    p: float
    """Of that, corrected by Holm for all tricks of its list."""
    coverage: Interval
    """With the trick, less coverage without it."""
    seconds: Interval
    """That training takes, as a multiple of those without it; the interval is of 95 %."""
    failed: int
    """Runs of the variant."""
    seeds: int


@dataclass(frozen=True)
class Judged:
    """What a study of tricks came to."""

    epochs: int
    metric: str
    """FID's full name."""
    protocol: Sequence[str]
    """How it was measured, in words."""
    fid: Interval
    """Of the recipe as it is; the geometric mean of its seeds."""
    coverage: Interval
    seeds: int
    """That it was measured with."""
    torch: str
    processor: str
    effects: Mapping[str, Effect]
    """Of the tricks that were measured, by their labels."""


def keep(study: str, result: Judged, path: Path = JUDGED) -> Judged:
    """Put what a study came to into the file, beside the others'.

    Returns:
        What is kept of it. What is shown is made from that: of 1.3749 the file has 1.375, and two
        digits of the one are not those of the other.

    Raises:
        CannotWrite: the file cannot be written.
    """
    table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    table[study] = finite(_rounded(asdict(result)))
    write_whole(path, (json.dumps(table, indent=1, sort_keys=True) + "\n").encode())
    return _judged(table[study])


def kept(study: str, path: Path = JUDGED) -> Judged | None:
    """What that study came to; None where it has not been run."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return _judged(table[study]) if study in table else None


def _judged(held: Mapping[str, Any]) -> Judged:
    """From what stands in the file."""
    values = {name: _number(value) for name, value in held.items() if name != "effects"}
    effects = {
        label: Effect(**{name: _number(value) for name, value in each.items()})
        for label, each in held["effects"].items()
    }
    return Judged(effects=effects, **values)


def _number(value: Any) -> Any:
    """What stands in the file, with NaN for null and tuples for lists."""
    if isinstance(value, list):
        return tuple(map(_number, value))
    return math.nan if value is None else value


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
