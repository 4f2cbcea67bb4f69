"""The real server, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(
    *asked: Path | str, port: int = 0, language: str = "en", host: str = ""
) -> Iterator[str]:
    """Its address while the block runs; `asked` are paths and options of the command."""
    command = [sys.executable, "-m", "counterfeit", "view", *map(str, asked), "--no-open"]
    command += [f"--port={port}", *([f"--host={host}"] if host else [])]
    environment = os.environ | {"LANGUAGE": language}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
