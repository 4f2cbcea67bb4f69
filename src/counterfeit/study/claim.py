"""One process at a task, whatever becomes of the others that were given it.

A cluster gives a task to another worker when it no longer hears from the first one, which may be
dead, or at work behind a network that is down. The lock tells: the system frees it when a process
ends, however it ends, and not before. So the second worker waits for it, and goes on from where the
first one came; or returns, as that one finished.

Where a file system has no such locks, the second worker starts beside the first one. The lock's
file names the newest claim, and a worker that is no longer named there ends before it writes more.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from counterfeit.errors import CounterfeitError
from counterfeit.files import lock, writing

POLL_SECONDS = 0.5


class Displaced(CounterfeitError):
    """Another process has taken the task over."""


@dataclass(frozen=True)
class Claim:
    """That this process is at a task."""

    path: Path
    token: str

    def check(self, *_: object) -> None:
        """Make sure that no other process has claimed it since; anything may be handed over.

        Raises:
            Displaced: one has.
        """
        try:
            holder = self.path.read_text(encoding="utf-8")
        except OSError:  # a file system that stutters; the lock still holds
            return
        if holder != self.token:
            raise Displaced(f"another worker has taken {self.path.stem} over.")


@contextmanager
def claimed(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[Claim]:
    """Wait until no other process is at the task whose lock is at `path`, and keep others waiting.

    Raises:
        CannotWrite: the folder is gone or read-only.
    """
    with writing(path):
        path.touch()
        file = path.open("r+b", buffering=0)
    with file:
        while not lock(file, wait=False):
            on_wait()
            time.sleep(POLL_SECONDS)
        claim = Claim(path, uuid.uuid4().hex)
        with writing(path):
            os.pwrite(file.fileno(), claim.token.encode(), 0)
        yield claim
