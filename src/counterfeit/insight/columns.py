"""Columns of a run's rows: what stands under one key in each, as far as it does.

Rows have `step` and `epoch`. All else may be missing, may be None where a number was not finite,
and in rows that another program wrote may be of any type.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row

Column = Float[np.ndarray, " rows"]


def column(rows: Sequence[Row], key: str) -> Column:
    """A number of each row, NaN where it is absent or was not finite."""
    values = (row.get(key) for row in rows)
    return np.array([v if isinstance(v, int | float) else np.nan for v in values], np.float64)


def is_number(value: object) -> bool:
    """Whether it is a number, or the None that stands in a row for one that was not finite."""
    return value is None or isinstance(value, int | float)


def not_finite(rows: Sequence[Row], key: str) -> Bool[np.ndarray, " rows"]:
    """Where there is a number and it is NaN or infinite; a row without it is none such."""
    there = np.array([key in row and is_number(row[key]) for row in rows], bool)
    lost: Bool[np.ndarray, " rows"] = there & ~np.isfinite(column(rows, key))
    return lost


def require(rows: Sequence[Row], *keys: str) -> None:
    """Refuse rows of the log that cannot be drawn.

    Raises:
        CounterfeitError: something under a key is no number, or nothing is under any of them.
    """
    for key in keys:
        if not all(is_number(row.get(key)) for row in rows):
            raise CounterfeitError(f"the log is damaged: not every {key} is a number.")
    if not any(key in row for row in rows for key in keys):
        raise CounterfeitError(f"the log has no {' and no '.join(keys)}.")
