"""What workers are handed: tasks to perform, and word that a session is over.

It is light, as a worker unpickles it between its heartbeats: what trains is imported when a task is
performed, in the task's thread.
"""

import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from distributed import WorkerPlugin, rejoin, secede

from counterfeit.errors import CounterfeitError, Interrupted
from counterfeit.recipe import Data
from counterfeit.study.claim import Displaced, claimed
from counterfeit.study.folder import Task
from counterfeit.study.outcome import Ending
from counterfeit.study.plan import Plan

if TYPE_CHECKING:
    from distributed import Worker


@dataclass(frozen=True)
class Terms:
    """What all tasks of a study, or of a search, have in common."""

    images: int | None = None
    seconds: float | None = None
    evaluate_every: int = 1
    samples: int = 10_000
    stop_on: Literal["critical"] | None = None
    device: str = "auto"
    data_dir: Path | None = None
    session: str = ""
    """Names the command that hands the tasks out, which alone may halt them."""

    @classmethod
    def of(
        cls, plan: Plan, device: str = "auto", data_dir: Path | None = None, session: str = ""
    ) -> "Terms":
        """What a plan says to all of its tasks, and where they are done."""
        return cls(
            images=plan.images,
            seconds=plan.seconds,
            evaluate_every=plan.evaluate_every,
            samples=plan.samples,
            stop_on=plan.stop_on,
            device=device,
            data_dir=data_dir,
            session=session,
        )

    @property
    def halted(self) -> bool:
        """Whether this process was told that the session is over."""
        return self.session in _halted

    def go_on(self) -> None:
        """Raise Halted when the session is over."""
        if self.halted:
            raise Halted


@dataclass(frozen=True)
class Answer:
    """What a worker answers."""

    state: Ending | Literal["stopped"]
    """`stopped`: it has not ended, and can go on."""
    why: str | None = None
    died: bool = False
    """Whether each worker that had it died."""


class Halted(Exception):
    """The command that handed a task out takes it back; nothing is lost."""


class Seat:
    """A worker's only thread, which another task may have while one waits for its lock."""

    def __init__(self) -> None:
        self.left = False

    def leave(self) -> None:
        if not self.left:
            with suppress(ValueError):  # not in a worker of Dask's
                secede()
                self.left = True

    def take(self) -> None:
        """Wait until it is free again."""
        if self.left:
            rejoin()
            self.left = False


_halted: set[str] = set()
"""Sessions that are over."""
_at_work: list[str] = []
"""The sessions of the tasks that this process is at."""


def halt(session: str | None = None) -> None:
    """Let this process save and stop what it trains for that session, or for any; no more of it is
    begun. Returns at once."""
    _halted.update([session] if session is not None else _at_work)
    if _at_work and (session is None or session in _at_work):
        from counterfeit.training import signals

        signals.interrupt()


async def halt_soon(session: str) -> None:
    """`halt`, for the event loop of a worker."""
    halt(session)


def perform(task: Task, terms: Terms) -> Answer:
    """Bring a task to its end, from wherever it stands.

    Raises:
        CounterfeitError: this worker does not see the study's folder. It would take one task after
            the other, and do none.
    """
    if not task.lock.parent.is_dir():
        raise CounterfeitError(
            f"the worker on {socket.gethostname()} sees no {task.folder}; the study's folder must"
            " be on a file system that all workers share: --out says where."
        )
    seat = Seat()

    def on_wait() -> None:
        terms.go_on()
        seat.leave()

    _at_work.append(terms.session)
    try:
        terms.go_on()
        with claimed(task.lock, on_wait) as claim:
            seat.take()
            outcome = task.outcome
            if outcome is None:
                _settle()
                from counterfeit.study.task import ended

                started = time.monotonic()
                outcome = ended(task, terms, claim)
                claim.check()
                task.end(replace(outcome, seconds=time.monotonic() - started))
    except (Halted, Interrupted, Displaced):
        return Answer("stopped")
    except CounterfeitError as error:
        return Answer("stopped", str(error))
    finally:
        _at_work.remove(terms.session)
    return Answer(outcome.state, outcome.why)


def prepare(section: Data, data_dir: Path | None) -> None:
    """Bring a data set, and the classifier that measures it, to where tasks find them.

    One worker does it before tasks start, which would all fetch and train the same.

    Raises:
        CounterfeitError: the data cannot be had.
    """
    _settle()
    from counterfeit.study.task import bring

    bring(section, data_dir)


def _settle() -> None:
    """Make this thread one that trains, wherever its worker was started."""
    import torch

    from counterfeit.environment import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()


class SavesAtItsEnd(WorkerPlugin):
    """A plugin of Dask's: a worker saves what it trains before it closes, at SIGTERM, at the end of
    its time, or when its scheduler is gone."""

    name = "counterfeit-saves"
    idempotent = True  # where another command has brought it, replacing it would halt its trainings

    def __init__(self, *, own: bool) -> None:
        """
        Args:
            own: whether the workers are this command's, in its terminal: then Ctrl-C, which comes
                to all processes there, is for the command alone.
        """
        self.own = own

    def setup(self, worker: "Worker") -> None:
        if self.own and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def teardown(self, worker: "Worker") -> None:
        halt()
