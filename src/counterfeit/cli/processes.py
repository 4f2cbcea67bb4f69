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
    launched = os.environ.pop("TORCHELASTIC_RUN_ID", None)  # what this process starts is not it
    if launched is None or os.environ["WORLD_SIZE"] == "1":
        yield True
        return
    from counterfeit.training import processes

    if os.environ["RANK"] == "0":
        with processes.leading():
            yield True
    else:
        processes.follow()
        yield False


def tell_torchrun(line: str) -> None:
    """Why the command fails, where torchrun started it: its own account of that, which fills more
    than a screen, ends with the line."""
    if file := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        said = {"message": line, "extraInfo": {"timestamp": int(time.time())}}
        with suppress(OSError):
            Path(file).write_text(json.dumps({"message": said}), encoding="utf-8")
