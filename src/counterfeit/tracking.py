"""A run's rows, handed on to a tracker: TensorBoard's event files, or trackio.

The .jsonl files stay the truth. Whenever a process begins or goes on with a run, and whenever
training went back, a tracker is given all rows from the first on, so that it never mixes two pasts.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Literal, Protocol, get_args

from torch import nn

from counterfeit import arguments
from counterfeit.files import Row
from counterfeit.insight.accounts import finding_line
from counterfeit.language import tr
from counterfeit.optional import needing
from counterfeit.run import Run
from counterfeit.run.findings import Finding

logger = logging.getLogger(__name__)

LogTo = Literal["tensorboard", "trackio"]

FOLDER = "tensorboard"
"""Of event files, in a run."""

PROJECT = "counterfeit"
"""Of all runs, at trackio."""


class Writer(Protocol):
    """What a tracker takes."""

    def scalars(self, values: Mapping[str, float], step: int) -> None: ...

    def text(self, text: str, step: int) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class TensorBoard:
    """Event files in the run's folder, instead of those that were there."""

    def __init__(self, run: Run) -> None:
        from tensorboardX import SummaryWriter

        folder = run.path / FOLDER
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        self._events = SummaryWriter(str(folder))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._events.add_scalar(name, value, step)

    def text(self, text: str, step: int) -> None:
        self._events.add_text("findings", text, step)

    def flush(self) -> None:
        self._events.flush()

    def close(self) -> None:
        self._events.close()


class Trackio:
    """A run of trackio's, of the same name and with the recipe for its configuration."""

    def __init__(self, run: Run) -> None:
        import trackio

        self._trackio = trackio
        config = {"recipe": run.recipe.name, "seed": run.seed, **run.recipe.values}
        trackio.init(project=PROJECT, name=run.path.name, config=config)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        self._trackio.log(dict(values), step=step)

    def text(self, text: str, step: int) -> None:
        self._trackio.log({"finding": text}, step=step)

    def flush(self) -> None:
        """It sends by itself."""

    def close(self) -> None:
        self._trackio.finish()


WRITERS: dict[LogTo, tuple[str, type[TensorBoard] | type[Trackio]]] = {
    "tensorboard": ("tensorboardX", TensorBoard),
    "trackio": ("trackio", Trackio),
}
"""The package that each needs, and what writes with it."""


class Tracker:
    """Hands a run's new rows on after each epoch, and the last ones when it is closed.

    Whatever goes wrong at the tracker is said once, and training goes on.

    Args:
        to: which tracker.

    Raises:
        UsageError: there is no such tracker, or its package is not installed.
    """

    def __init__(self, to: LogTo) -> None:
        arguments.one_of("log_to", to, get_args(LogTo))
        package, self._open = WRITERS[to]
        with needing(package):
            import_module(package)
        self._name = package
        self._run: Run | None = None
        self._writer: Writer | None = None
        self._broken = False
        self._given: dict[str, int] = {}
        self._rollbacks: list[int] = []

    def __call__(self, run: Run, epoch: float, generator: nn.Module | None = None) -> None:
        """As an `on_epoch` of `train`."""
        self._run = run
        self._guarded(self._hand_on)

    def close(self) -> None:
        if self._run is not None:
            self._guarded(self._hand_on)
        if self._writer is not None:
            self._guarded(self._writer.close)

    def _guarded(self, act: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            act()
        except Exception as error:  # of a program that is not ours, on a disk or a line
            self._broken = True
            logger.warning(
                tr(
                    "{tracker} gets no more rows, and training goes on: {error}",
                    tracker=self._name,
                    error=str(error),
                )
            )

    def _hand_on(self) -> None:
        run = self._run
        assert run is not None
        if self._writer is None or run.rollbacks != self._rollbacks:
            if self._writer is not None:
                self._writer.close()
            self._writer, self._given, self._rollbacks = self._open(run), {}, run.rollbacks
        kinds = {"training": run.log, "quality": run.metrics, "vitals": run.vitals}
        for kind, rows in kinds.items():
            for row in self._new(kind, rows):
                values = {f"{kind}/{name}": value for name, value in _numbers(row)}
                self._writer.scalars(values, row["step"])
        for row in self._new("findings", run.findings):
            self._writer.text(finding_line(Finding.from_row(row)), row["step"])
        self._writer.flush()

    def _new(self, kind: str, rows: list[Row]) -> list[Row]:
        """The rows that it was not given yet."""
        new = rows[self._given.get(kind, 0) :]
        self._given[kind] = len(rows)
        return new


def _numbers(row: Row) -> Iterator[tuple[str, float]]:
    """What in a row is one number; of metrics their values, without the spreads."""
    for name, value in row.get("metrics", row).items():
        first = value[0] if "metrics" in row else value
        if isinstance(first, int | float) and not isinstance(first, bool) and name != "step":
            yield name, float(first)
