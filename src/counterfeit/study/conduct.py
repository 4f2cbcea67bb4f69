"""A study from start to end: its tasks handed out, waited for, and halted."""

import math
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, Future
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from counterfeit.errors import CounterfeitError, Interrupted, command
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
) -> dict[str, Answer]:
    """Bring all tasks to their ends; what each ended with, by id, those that had ended before left
    out.

    Args:
        work: what a worker does with a task.
        on_look: called every half second.
        on_answer: called when a task is answered.
        on_lack: called with the reason when no worker does anything, each time that it comes to
            that. Workers may come at any time, so it is waited on.

    Raises:
        CounterfeitError: the data cannot be had, a worker does not see the study's folder, or the
            scheduler is gone.
        Interrupted: SIGINT or SIGTERM came; all is saved.
    """
    todo = {task.id: task for task in study.tasks if task.outcome is None}
    terms = Terms.of(
        study.plan,
        device.partition(":")[0],  # a worker on one GPU sees no other
        data_dir and data_dir.resolve(),
        uuid.uuid4().hex,
    )
    resources = {GPU: 1} if device.startswith("cuda") else None
    kinds = {(task.recipe, task.data): task for task in todo.values()}
    sections = list(dict.fromkeys(task.spec.data for task in kinds.values()))
    answers: dict[str, Answer] = {}
    lack = _Lack(client, device, on_lack)

    def look() -> None:
        on_look()
        lack.look()

    with _collected_signals() as received:
        ready = client.map(prepare, sections, data_dir=terms.data_dir, pure=False)
        for _, future in _as_done(client, dict(enumerate(ready)), look, received):
            _require_prepared(future)
        if not received:
            # By these keys another command on the same study has the same answers.
            keys = [("counterfeit", str(study.folder), name) for name in todo]
            futures = client.map(
                work, list(todo.values()), terms=terms, key=keys, resources=resources
            )
            by_name = dict(zip(todo, futures, strict=True))
            for name, future in _as_done(client, by_name, look, received, terms.session):
                answers[name] = _answer(future)
                on_answer(todo[name], answers[name])
    if received:
        goes_on = command("counterfeit", "study", study.folder)
        raise Interrupted(f"stopped and saved; {goes_on} goes on.", received[0], None)
    return answers


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
        session: whose trainings to halt at a signal; without one nothing is waited for then.

    Raises:
        CounterfeitError: the scheduler is gone.
    """
    done: queue.SimpleQueue[K] = queue.SimpleQueue()
    for name, future in futures.items():
        future.add_done_callback(lambda _, name=name: done.put(name))
    left, looked, ends = len(futures), 0.0, math.inf
    while left and time.monotonic() < ends:
        with suppress(queue.Empty):
            name = done.get(timeout=LOOK_SECONDS)
            left -= 1
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
        CounterfeitError: a worker does not see the study's folder, or the scheduler is gone.
    """
    try:
        answer: Answer = future.result()
    except KilledWorker:
        return Answer("stopped", "each worker that had it died: perhaps for want of memory.")
    except FutureCancelledError:
        raise CounterfeitError("the scheduler is gone; the same command goes on.") from None
    except CounterfeitError:
        raise
    except Exception as error:  # whatever it is, other tasks go on
        return Answer("stopped", f"unexpected {type(error).__name__}: {error}")
    return answer
