"""What is said of an error, and the exit status that it leads to."""

import sys

from cyclopts import CycloptsError

from counterfeit.errors import CounterfeitError, Interrupted


def report_error(error: Exception | Interrupted) -> int:
    """Print one line that says what is wrong and what to do; return the exit status."""
    if isinstance(error, CounterfeitError | Interrupted):
        message, status = str(error), error.exit_status
    elif isinstance(error, CycloptsError):
        message, status = f"{str(error).rstrip('.')}. `counterfeit --help` shows the commands.", 2
    elif _is_memory(error):
        message = "out of memory; lower the batch size, the networks, or the number of images."
        status = 1
    else:
        kind = type(error).__name__
        message, status = f"unexpected {kind}: {error} (--debug shows where).", 1
    print(f"counterfeit: {_one_line(message)}", file=sys.stderr)
    for note in getattr(error, "__notes__", []):
        print(f"  - {_one_line(note)}", file=sys.stderr)
    return status


def _is_memory(error: BaseException) -> bool:
    """Whether Python or torch, which says so in words, could get no more memory."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def _one_line(message: str) -> str:
    """Control characters, which names of files may hold, escaped; the middle of a long one cut."""
    if len(message) > 900:
        message = f"{message[:600]} … {message[-250:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
