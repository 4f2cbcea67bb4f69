"""Columns of a run's rows: what stands under one key in each, as far as it does.

Rows have `step` and `epoch`. All else may be missing, may be None where a number was not finite,
and in rows that another program wrote may be of any type.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.run import Run
from counterfeit.run.rows import Measurement

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


def epoch_losses(
    rows: Sequence[Row],
) -> tuple[Float[np.ndarray, "epochs 3"], Float[np.ndarray, "epochs 3"]]:
    """From log rows: (epoch, D's loss, G's loss) of each epoch's last batch, and of its mean.

    The mean weighs each row by its updates. An epoch that has not ended counts with what it has.
    """
    steps, epochs = column(rows, "step"), column(rows, "epoch")
    updates = np.diff(steps, prepend=0)
    number = np.ceil(epochs - 1e-9)
    ends = np.flatnonzero(np.diff(number, append=np.inf))  # the last row of each epoch
    starts = np.concatenate([[0], ends[:-1] + 1])
    weights = np.add.reduceat(updates, starts)
    last, mean = [epochs[ends]], [epochs[ends]]
    for name in ("d_loss", "g_loss"):
        last.append(column(rows, f"{name}_last")[ends])
        mean.append(np.add.reduceat(column(rows, name) * updates, starts) / weights)
    return np.stack(last, axis=1), np.stack(mean, axis=1)


def newest_metrics(rows: Sequence[Row]) -> Row | None:
    """The last epoch's evaluations as one row: the metrics of all protocols, the newest first."""
    last = max((float(row["epoch"]) for row in rows), default=None)
    of_last = [row for row in reversed(rows) if row["epoch"] == last]
    metrics: dict[str, Measurement] = {}
    for row in of_last:
        metrics |= {name: row["metrics"][name] for name in row["metrics"] if name not in metrics}
    return of_last[0] | {"metrics": metrics} if of_last else None


def logged(run: Run) -> list[Row]:
    """The rows of its log.

    Raises:
        CounterfeitError: there are none yet.
    """
    rows = run.log
    if not rows:
        raise CounterfeitError(f"{run.path} has no log rows yet.")
    return rows
