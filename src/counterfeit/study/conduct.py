"""A study from start to end: its tasks handed out, waited for, and halted.

`Desk` does that for whoever hands out tasks, all at once as here or as answers come.
"""

import math
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, Future
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from counterfeit.errors import CounterfeitError, Interrupted, command
from counterfeit.recipe import Data
from counterfeit.study.cluster import GPU, lacking
from counterfeit.study.folder import Study, Task
from counterfeit.study.worker import Answer, Terms, halt_soon, perform, prepare

K = TypeVar("K")

LOOK_SECONDS = 0.5
"""From one look at the runs to the next."""

LACK_SECONDS = 30.0
"""From one look at the workers to the next."""

SAVE_SECONDS = 60.0
"""How long a halted study waits for evaluations that go on."""


def conduct(
    study: Study,
    client: Client,
    *,
    device: str = "auto",
    data_dir: Path | None = None,
    work: Callable[[Task, Terms], Answer] = perform,
    on_look: Callable[[], None] = lambda: None,
    on_answer: Callable[[Task, Answer], None] = lambda task, answer: None,
    on_lack: Callable[[str], None] = lambda why: None,
    goes_on: str | None = None,
) -> dict[str, Answer]:
    """Bring all tasks to their ends; what each ended with, by id, those that had ended before left
    out.

    Args:
        work: what a worker does with a task.
        on_look: called every half second.
        on_answer: called when a task is answered.
        on_lack: called with the reason when no worker does anything, each time that it comes to
            that. Workers may come at any time, so it is waited on.
        goes_on: the command that goes on after a signal; `counterfeit study` when absent.

    Raises:
        CounterfeitError: the data cannot be had, a worker does not see the study's folder, or the
            scheduler is gone.
        Interrupted: SIGINT or SIGTERM came; all is saved.
    """
    todo = [task for task in study.tasks if task.outcome is None]
    desk = Desk(client, study.folder, Terms.of(study.plan), device, data_dir, work)
    kinds = {(task.recipe, task.data): task for task in todo}
    answers: dict[str, Answer] = {}
    goes_on = goes_on or command("counterfeit", "study", study.folder)
    with desk.open(on_look, on_lack, goes_on=goes_on):
        desk.prepare(task.spec.data for task in kinds.values())
        desk.hand_out(todo)
        for task, answer in desk.answers():
            answers[task.id] = answer
            on_answer(task, answer)
    return answers


class Desk:
    """Where tasks are handed to a cluster, and answers come back.

    Args:
        folder: the study's or the search's.
        terms: of all tasks, as the plan says them.
        data_dir: where data sets are kept; the user's cache folder when absent.
        work: what a worker does with a task.
    """

    def __init__(
        self,
        client: Client,
        folder: Path,
        terms: Terms,
        device: str = "auto",
        data_dir: Path | None = None,
        work: Callable[[Task, Terms], Answer] = perform,
    ) -> None:
        self._client = client
        self._device = device
        self._folder = folder
        self._terms = replace(
            terms,
            device=device.partition(":")[0],  # a worker on one GPU sees no other
            data_dir=data_dir and data_dir.resolve(),
            session=uuid.uuid4().hex,
        )
        self._resources = {GPU: 1} if device.startswith("cuda") else None
        self._work = work
        self._on_look: Callable[[], None] = lambda: None
        self._received: Sequence[int] = ()
        self._tasks: dict[str, Task] = {}
        self._futures: dict[str, Future[Any]] = {}

    @contextmanager
    def open(
        self, on_look: Callable[[], None], on_lack: Callable[[str], None], *, goes_on: str
    ) -> Iterator[None]:
        """Take signals while the block runs: what is in training is saved, and nothing begun.

        Args:
            on_look: called every half second while answers are waited for.
            on_lack: called with the reason when no worker does anything, each time.
            goes_on: the command that does, as a message quotes it.

        Raises:
            Interrupted: SIGINT or SIGTERM came, and the block has ended.
        """
        lack = _Lack(self._client, self._device, on_lack)

        def look() -> None:
            on_look()
            lack.look()

        self._on_look = look
        with _collected_signals() as self._received:
            yield
        if self._received:
            raise Interrupted(f"stopped and saved; {goes_on} goes on.", self._received[0], None)

    @property
    def workers(self) -> int:
        """How many tasks are done at once: at the moment, and one at least."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    @property
    def is_closing(self) -> bool:
        """Whether a signal has come."""
        return bool(self._received)

    def prepare(self, sections: Iterable[Data]) -> None:
        """Bring data to where tasks find them, once.

        Raises:
            CounterfeitError: they cannot be had, or the scheduler is gone.
        """
        ready = self._client.map(
            prepare, list(dict.fromkeys(sections)), data_dir=self._terms.data_dir, pure=False
        )
        waited = dict(enumerate(ready))
        for _, future in _as_done(self._client, waited, self._on_look, self._received):
            _require_prepared(future)

    def hand_out(self, tasks: Sequence[Task]) -> None:
        """Hand tasks to the cluster, where no signal has come; also while answers are waited for.

        By their keys another command on the same folder has the same answers.
        """
        if self.is_closing:
            return
        by_name = {task.name: task for task in tasks}
        futures = self._client.map(
            self._work,
            list(by_name.values()),
            terms=self._terms,
            key=[("counterfeit", str(self._folder), name) for name in by_name],
            resources=self._resources,
        )
        self._tasks |= by_name
        self._futures |= zip(by_name, futures, strict=True)

    def answers(self) -> Iterator[tuple[Task, Answer]]:
        """Tasks and what workers answered, as they are done.

        Raises:
            CounterfeitError: a worker does not see the folder, or the scheduler is gone.
        """
        for name, future in _as_done(
            self._client, self._futures, self._on_look, self._received, self._terms.session
        ):
            yield self._tasks[name], _answer(future)


@dataclass
class _Lack:
    """Looks now and then whether any worker can do what is handed out."""

    client: Client
    device: str
    say: Callable[[str], None]
    _why: str | None = None
    _due: float = field(default_factory=lambda: time.monotonic() + LACK_SECONDS)

    def look(self) -> None:
        if time.monotonic() < self._due:
            return
        with suppress(OSError):  # the scheduler is out of reach, which is noticed elsewhere
            before, self._why = self._why, lacking(self.client, self.device)
            if self._why is not None and self._why != before:
                self.say(self._why)
        self._due = time.monotonic() + LACK_SECONDS


@contextmanager
def _collected_signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM that come while the block runs; a second SIGINT acts at once."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(signum: int, frame: object) -> None:
        received.append(signum)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _as_done(
    client: Client,
    futures: Mapping[K, "Future[Any]"],
    on_look: Callable[[], None],
    received: Sequence[int],
    session: str | None = None,
) -> Iterator[tuple[K, "Future[Any]"]]:
    """Names and futures as they are done. After a signal, those that save, for a minute at most.

    Args:
        futures: to which more may be added meanwhile.
        session: whose trainings to halt at a signal; without one nothing is waited for then.

    Raises:
        CounterfeitError: the scheduler is gone.
    """
    done: queue.SimpleQueue[K] = queue.SimpleQueue()
    heard, yielded, looked, ends = set[K](), 0, 0.0, math.inf
    while yielded < len(futures) and time.monotonic() < ends:
        for name in futures.keys() - heard:
            heard.add(name)
            futures[name].add_done_callback(lambda _, name=name: done.put(name))
        with suppress(queue.Empty):
            name = done.get(timeout=LOOK_SECONDS)
            yielded += 1
            yield name, futures[name]
        if client.status not in ("running", "connecting"):
            raise CounterfeitError("the scheduler is gone; the same command goes on.")
        if received and ends == math.inf:
            ends = 0.0
            if session is not None:
                ends = time.monotonic() + SAVE_SECONDS
                client.run(halt_soon, session, wait=False, on_error="ignore")
        if time.monotonic() >= looked + LOOK_SECONDS:
            on_look()
            looked = time.monotonic()


def _require_prepared(future: "Future[None]") -> None:
    """
    Raises:
        CounterfeitError: the data cannot be had, or what reads them dies, or the scheduler is gone.
    """
    try:
        future.result()
    except KilledWorker:
        raise CounterfeitError(
            "each worker that read the data died: perhaps for want of memory."
        ) from None
    except FutureCancelledError:
        raise CounterfeitError("the scheduler is gone; the same command goes on.") from None


def _answer(future: "Future[Any]") -> Answer:
    """What a worker answered, or why none did.

    Raises:
        CounterfeitError: a worker does not see the folder, or the scheduler is gone.
    """
    try:
        answer: Answer = future.result()
    except KilledWorker:
        why = "each worker that had it died: perhaps for want of memory."
        return Answer("stopped", why, died=True)
    except FutureCancelledError:
        raise CounterfeitError("the scheduler is gone; the same command goes on.") from None
    except CounterfeitError:
        raise
    except Exception as error:  # whatever it is, other tasks go on
        return Answer("stopped", f"unexpected {type(error).__name__}: {error}")
    return answer
