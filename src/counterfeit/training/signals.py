"""SIGINT and SIGTERM while a run is trained: noted, and acted on when all is saved.

A signal comes to a process's main thread alone; `interrupt` stands for one where trainings have
another.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from counterfeit.errors import Interrupted
from counterfeit.run import Run
from counterfeit.run.own import resuming


@dataclass(eq=False)
class Signals:
    """The signals that came, and whether one may act at once."""

    run: Run
    received: list[int] = field(default_factory=list)
    act: bool = False

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While the block runs, a signal raises `Interrupted`, as one does that came before.

        So does whatever a library makes of it on the way.
        """
        self.act = True
        try:
            if self.received:
                raise self.interrupted()
            yield
        except Exception as error:
            if self.received:
                raise self.interrupted() from error
            raise
        finally:
            self.act = False

    def interrupted(self, state: str = "stopped and saved", *options: str) -> Interrupted:
        """What the first signal raises.

        Args:
            state: of the run, as the user is told.
            options: of the command that goes on.
        """
        how = resuming(self.run, *options)
        return Interrupted(f"{state}; {how} goes on.", self.received[0], self.run)

    def note(self, signum: int, frame: object) -> None:
        self.received.append(signum)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.act:
            raise self.interrupted()


_elsewhere: list[Signals] = []
"""Of the trainings outside of the main thread."""


def interrupt() -> None:
    """Let the trainings outside of the main thread save and stop, as SIGINT does in it."""
    for signals in list(_elsewhere):
        signals.received.append(signal.SIGINT)


@contextmanager
def deferred_signals(run: Run) -> Iterator[Signals]:
    """Collect SIGINT and SIGTERM instead of acting on them; a second SIGINT acts at once.

    Outside of the main thread, where no signal comes, what `interrupt` says is collected.
    """
    signals = Signals(run)
    if threading.current_thread() is not threading.main_thread():
        _elsewhere.append(signals)
        try:
            yield signals
        finally:
            _elsewhere.remove(signals)
        return
    previous = {
        number: signal.signal(number, signals.note) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield signals
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
