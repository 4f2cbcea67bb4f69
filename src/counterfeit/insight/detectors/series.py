"""Numbers of a run over time: since when G can be judged, whether it stands still, smoothing; and
what is left of a share when its noise is allowed for."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from counterfeit.files import Row
from counterfeit.insight.columns import Column, column

MOVED_AT_ALL = 0.1
GROWN_UP = 250
STALLED = 0.8
STALLED_EPOCHS = 4
STALLED_UPDATES = 700
SURELY = 1.645
"""Standard errors that chance exceeds once in 20 times, on one side."""


def updates_since_move(rows: Sequence[Row]) -> Float[np.ndarray, " rows"]:
    """Updates since the first epoch in which the images changed to speak of, 0 before.

    The paper's small initial weights stand still for hundreds of updates, and are not broken.
    """
    step = column(rows, "step")
    moved = np.flatnonzero(column(rows, "moved") > MOVED_AT_ALL)
    if not len(moved):
        return np.zeros(len(rows))
    start = step[moved[0] - 1] if moved[0] else 0.0
    since: Float[np.ndarray, " rows"] = np.where(np.arange(len(rows)) >= moved[0], step - start, 0)
    return since


def grown_up(rows: Sequence[Row]) -> Bool[np.ndarray, " rows"]:
    """Whether G has learned for long enough to be judged: healthy ones start with few images."""
    return updates_since_move(rows) >= GROWN_UP


def stalled(rows: Sequence[Row], values: Column | None = None) -> Bool[np.ndarray, " rows"]:
    """Whether the least distance so far is hardly less than it was some updates and epochs ago; or
    the least of other values, of each row one."""
    since = updates_since_move(rows)
    values = column(rows, "distance") if values is None else values
    least = np.fmin.accumulate(values) if rows else np.zeros(0)
    result = np.zeros(len(rows), bool)
    for i in range(STALLED_EPOCHS, len(rows)):
        old = np.flatnonzero(since[: i - STALLED_EPOCHS + 1] <= since[i] - STALLED_UPDATES)
        result[i] = len(old) > 0 and least[i] > STALLED * least[old[-1]]
    return result


def running_median(values: Column) -> Column:
    """Of each value and the one or two before it."""
    return np.array([np.median(values[max(0, i - 2) : i + 1]) for i in range(len(values))])


def at_least(share: Column, count: Column) -> Column:
    """The lower end of a one-sided 95 % interval of shares that were each seen among `count`; NaN
    where these are none. Of 16 in 40 it is .28.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    share, count = np.clip(share, 0, 1), np.where(count > 0, count, np.nan)
    noise = SURELY**2 / count
    centre = share + noise / 2
    low: Column = (centre - np.sqrt(noise * (share * (1 - share) + noise / 4))) / (1 + noise)
    return low
