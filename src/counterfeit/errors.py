"""Errors whose message is meant for the user: one line, what is wrong and what to do."""

import shlex
from typing import Any


def command(*words: object) -> str:
    """A command as a message quotes it, to be copied into a shell: paths may hold spaces."""
    return f"`{shlex.join(map(str, words))}`"


class CounterfeitError(Exception):
    """Something failed."""

    exit_status = 1


class UsageError(CounterfeitError):
    """A value that the user gave cannot be used."""

    exit_status = 2


class CannotWrite(CounterfeitError):
    """The disk is full, or a folder is read-only or gone."""


class Interrupted(KeyboardInterrupt):
    """SIGINT (Ctrl-C) or SIGTERM stopped a training; `counterfeit.resume(error.run)` goes on.

    It can come from any line, and no handler of errors (`except Exception`) there may take it.
    """

    def __init__(self, message: str, signum: int, run: Any) -> None:
        super().__init__(message)
        self.exit_status = 128 + signum
        self.run = run
        """The `Run`; the message says whether the newest updates are saved."""


class Stopped(CounterfeitError):
    """The user asked for the run to end when something is wrong with it, and something is."""

    exit_status = 3


def is_memory(error: BaseException) -> bool:
    """Whether Python or torch, which says so in words, could get no more memory."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )
