"""The real server, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOON_SECONDS = 120
"""By when a process has ended that takes a second or two, on a machine that is busy."""


@contextmanager
def started(
    *asked: Path | str, port: int = 0, language: str = "en", host: str = ""
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """It and its address while the block runs; `asked` are paths and options of the command."""
    command = [sys.executable, "-m", "counterfeit", "view", *map(str, asked), "--no-open"]
    command += [f"--port={port}", *([f"--host={host}"] if host else [])]
    environment = os.environ | {"LANGUAGE": language}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            yield server, server.stdout.readline().strip()
            server.terminate()
            server.wait(SOON_SECONDS)
        finally:
            server.kill()


@contextmanager
def serving(
    *asked: Path | str, port: int = 0, language: str = "en", host: str = ""
) -> Iterator[str]:
    """Its address while the block runs."""
    with started(*asked, port=port, language=language, host=host) as (_, address):
        yield address
