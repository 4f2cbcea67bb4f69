"""Several processes of one command, as torchrun starts them: the first does it, the others help."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def one_command() -> Iterator[bool]:
    """Whether this process does the command in the block; another has helped to its end by then.

    Nothing is imported where torchrun did not start several.
    """
    if not _torchrun_started_this() or os.environ["WORLD_SIZE"] == "1":
        yield True
        return
    from counterfeit.training import processes

    if os.environ["RANK"] == "0":
        with processes.leading():
            yield True
    else:
        processes.follow()
        yield False


def _torchrun_started_this() -> bool:
    """Whether it did so itself: it makes what it starts the leader of a session, and what that
    starts in turn, such as this command from somebody's own script, inherits the rest."""
    leads = not hasattr(os, "getsid") or os.getsid(0) == os.getpid()
    return leads and "TORCHELASTIC_RUN_ID" in os.environ


def tell_torchrun(line: str) -> None:
    """Why the command fails, where torchrun started it: its own account of that, which fills more
    than a screen, ends with the line."""
    if _torchrun_started_this() and (file := os.environ.get("TORCHELASTIC_ERROR_FILE")):
        said = {"message": line, "extraInfo": {"timestamp": int(time.time())}}
        with suppress(OSError):
            Path(file).write_text(json.dumps({"message": said}), encoding="utf-8")
