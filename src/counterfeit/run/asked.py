"""Which classes a run's images are asked for."""

import math
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

from counterfeit import arguments
from counterfeit.errors import UsageError

Asked = int | str
"""A class by its number, from 0, or by its name."""

MOST = 1_000_000
"""Images at once."""

SHOWN = 12
"""Classes that a message names."""


def classes_of(run: Path, classes: Sequence[str]) -> Sequence[str]:
    """The classes that a run's networks are told, of which there must be some.

    Raises:
        UsageError: there are none.
    """
    if not classes:
        raise UsageError(
            f"{run} is not conditional: its networks are told no class;"
            " `counterfeit train conditional` makes a run that is."
        )
    return classes


def categories_of(run: Path, categories: int) -> Sequence[str]:
    """The values of its latents' categorical code, of which there must be some.

    Raises:
        UsageError: there are none.
    """
    if not categories:
        raise UsageError(
            f"{run} has no categorical code in its latents; `counterfeit train infogan` makes a run"
            " that has."
        )
    return list(map(str, range(categories)))


def evenly(count: int, classes: int) -> Int64[Tensor, " count"]:
    """As many of each class as can be, class by class, in order."""
    return torch.arange(count) * classes // count


def in_rows(wanted: str, names: Sequence[str], count: int) -> Int64[Tensor, " N"]:
    """The numbers of the classes of a grid that has a row for each: as many of each, and `count`
    together or, where that cannot be divided so, somewhat more.

    Args:
        wanted: a name or a number, several with commas between, or `all`.

    Raises:
        UsageError: there is no such class, or an impossible count.
    """
    count = arguments.whole_number("count", count, least=1, most=MOST)
    if wanted == "all" and wanted not in names:
        chosen = list(range(len(names)))
    elif wanted in names:
        chosen = [number_of(wanted, names)]
    else:
        chosen = [number_of(each.strip(), names) for each in wanted.split(",")]
    return torch.tensor(chosen).repeat_interleave(math.ceil(count / len(chosen)))


def in_short(labels: Int64[Tensor, " N"]) -> str:
    """`3-5` for rows of 3s and of 5s, for the name of a file."""
    return "-".join(map(str, torch.unique_consecutive(labels).tolist()[:SHOWN]))


def number_of(asked: Asked, names: Sequence[str]) -> int:
    """The number of the class of that name, or of that number.

    Raises:
        UsageError: there is none.
    """
    if isinstance(asked, str):
        if asked in names:
            return names.index(asked)
        asked_number = int(asked) if asked.isdecimal() and len(asked) < 10 else -1
    else:
        asked_number = arguments.whole_number("a class", asked)
    if 0 <= asked_number < len(names):
        return asked_number
    close = [] if str(asked).isdecimal() else get_close_matches(str(asked), names, n=1)
    known = ", ".join(names[:SHOWN]) + (f", … {names[-1]}" if len(names) > SHOWN else "")
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {known}."
    raise UsageError(f"there is no class {arguments.shown(asked)}; {hint}")


def numbers_of(
    asked: Asked | Sequence[Asked] | Tensor, names: Sequence[str], count: int
) -> Int64[Tensor, " count"]:
    """The number of the class of each of `count` images.

    Args:
        asked: one class for all, or one for each.

    Raises:
        UsageError: there is no such class, or they are not as many.
    """
    if hasattr(asked, "tolist"):
        asked = asked.tolist()
    if isinstance(asked, str) or not isinstance(asked, Sequence):
        return torch.full((count,), number_of(asked, names))
    if len(asked) != count:
        raise UsageError(f"one class, or one for each of {count:,} images, not {len(asked):,}.")
    return torch.tensor([number_of(each, names) for each in asked])
