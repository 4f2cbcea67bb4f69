"""Columns of a run's rows: what stands under one key in each, as far as it does.

Rows have `step` and `epoch`. All else may be missing, may be None where a number was not finite,
and in rows that another program wrote may be of any type.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.language import english
from counterfeit.measure.names import MetricName
from counterfeit.run import Run
from counterfeit.run.rows import Measurement

Column = Float[np.ndarray, " rows"]
Mask = Bool[np.ndarray, " rows"]


def column(rows: Sequence[Row], key: str) -> Column:
    """A number of each row, NaN where it is absent or was not finite."""
    values = (row.get(key) for row in rows)
    return np.array([v if isinstance(v, int | float) else np.nan for v in values], np.float64)


def numbers(row: Row, key: str) -> list[int]:
    """The whole numbers of a row's list; none where there is no list."""
    values = row.get(key)
    return [each for each in values if type(each) is int] if isinstance(values, list) else []


def is_number(value: object) -> bool:
    """Whether it is a number, or the None that stands in a row for one that was not finite."""
    return value is None or isinstance(value, int | float)


def not_finite(rows: Sequence[Row], key: str) -> Mask:
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
            raise CounterfeitError(
                english("the log is damaged: not every {column} is a number.", column=key)
            )
    if not any(key in row for row in rows for key in keys):
        raise CounterfeitError(english("the log has no {columns}.", columns=" and no ".join(keys)))


def epoch_ends(rows: Sequence[Row]) -> Int[np.ndarray, " epochs"]:
    """The index of each epoch's last row of the log; the last epoch may be going on."""
    number = np.ceil(column(rows, "epoch") - 1e-9)
    return np.flatnonzero(np.diff(number, append=np.inf))


def epoch_mean(rows: Sequence[Row], key: str) -> Float[np.ndarray, " epochs"]:
    """A column's mean over each epoch of the log, where each row counts by its updates.

    An epoch that has not ended counts with what it has.
    """
    ends, updates = epoch_ends(rows), np.diff(column(rows, "step"), prepend=0)
    if not len(ends):
        return np.zeros(0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    sums, weights = (
        np.add.reduceat(each, starts) for each in (column(rows, key) * updates, updates)
    )
    mean: Float[np.ndarray, " epochs"] = sums / weights
    return mean


def epoch_losses(
    rows: Sequence[Row],
) -> tuple[Float[np.ndarray, "epochs 3"], Float[np.ndarray, "epochs 3"]]:
    """From log rows: (epoch, D's loss, G's loss) of each epoch's last batch, and of its mean."""
    ends, losses = epoch_ends(rows), ("d_loss", "g_loss")
    epochs = column(rows, "epoch")[ends]
    last = [column(rows, f"{loss}_last")[ends] for loss in losses]
    mean = [epoch_mean(rows, loss) for loss in losses]
    return np.stack([epochs, *last], axis=1), np.stack([epochs, *mean], axis=1)


def spent(run: Run) -> tuple[Column, Column, Column]:
    """At each row of the log: the step, the real images that D has seen, and the seconds of all
    updates until then, NaN where the log has no speeds."""
    rows, training = run.log, run.recipe.training
    steps = column(rows, "step")
    images = steps * training.batch_size * training.discriminator_steps
    seconds = np.cumsum(np.diff(images, prepend=0) / column(rows, "images_per_second"))
    return steps, images, seconds


def newest_metrics(rows: Sequence[Row]) -> Row | None:
    """The last epoch's evaluations as one row: the metrics of all protocols, the newest first.

    Its `left_out` is what none of them could measure.
    """
    last = max((float(row["epoch"]) for row in rows), default=None)
    of_last = [row for row in reversed(rows) if row["epoch"] == last]
    metrics: dict[str, Measurement] = {}
    for row in of_last:
        metrics |= {name: row["metrics"][name] for name in row["metrics"] if name not in metrics}
    if not of_last:
        return None
    measured = {MetricName.parse(name).metric for name in metrics}
    left_out = [each for row in of_last for each in row.get("left_out", ())]
    still = [each for each in dict.fromkeys(left_out) if measured.isdisjoint(each.metrics)]
    return of_last[0] | {"metrics": metrics, "left_out": still}


def logged(run: Run) -> list[Row]:
    """The rows of its log.

    Raises:
        CounterfeitError: there are none yet.
    """
    rows = run.log
    if not rows:
        raise CounterfeitError(english("{run} has no log rows yet.", run=str(run.path)))
    return rows
