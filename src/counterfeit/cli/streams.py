"""Standard streams that are closed, full or unread: work that is done is never lost to them.

What a command says on the way goes to stderr, and nothing fails for want of a listener. What it
answers goes to stdout: where a disk takes no more, the command has failed, and says what was lost.
A reader that has enough, as `head` has, is no failure, nor is a stream that the user closed.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO, Any, cast

from counterfeit.errors import CannotWrite


@contextmanager
def standing() -> Iterator[None]:
    """Streams for the block of which only stdout can fail, with `CannotWrite`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It was closed when Python started. The next file that is opened would get its number,
            # and what a library writes to the stream.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # TOML is UTF-8; names of files need not be.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    answer, talk = cast(IO[str], Answer(sys.stdout)), cast(IO[str], Talk(sys.stderr))
    with redirect_stdout(answer), redirect_stderr(talk):
        yield


class Talk:
    """A stream that takes what it can."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Answer:
    """A stream that says when it takes no more, and which line it was to take last."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._last = ""

    def write(self, text: str) -> int:
        self._last = text.strip().rpartition("\n")[-1] or self._last
        with self._checked():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._checked():
            self._stream.flush()

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What the buffer still holds would fail once more when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if not isinstance(error, BrokenPipeError):
                raise CannotWrite(
                    f"cannot write to stdout: {error.strerror}; its last line: {self._last}"
                ) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
