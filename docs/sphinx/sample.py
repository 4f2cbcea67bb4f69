"""Train two recipes on a slice of MNIST, measure them and write the site's sample report.

    python docs/sphinx/sample.py site/sample

It runs the commands that a newcomer would type, and keeps how long each took and what it said, for
the start page.
"""

import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from counterfeit.language import Language


def in_terminal(
    command: list[str],
    folder: str,
    *,
    status: int = 0,
    language: Language = "en",
    errors: bool = True,
) -> str:
    """What a command says on a terminal of 80 columns, in lines as a reader would see them.

    Args:
        status: with which it should end.
        errors: whether stderr goes to that terminal as well, and not where this process's goes.

    Raises:
        CalledProcessError: it ends with another status.
    """
    screen, terminal = pty.openpty()
    environment = os.environ | {"TERM": "dumb", "COLUMNS": "80", "LANGUAGE": language}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=terminal,
        stderr=terminal if errors else None,
    )
    os.close(terminal)
    said = b""
    with suppress(OSError):  # Linux says so that the command has ended
        while part := os.read(screen, 65536):
            said += part
    os.close(screen)
    text = said.decode().replace("\r\n", "\n")
    if process.wait() != status:
        failed = subprocess.CalledProcessError(process.returncode, command)
        failed.add_note(text)
        raise failed
    return text


def main(target: Path) -> None:
    steps: list[dict[str, object]] = []

    def run(command: str, *, show: bool = False) -> str:
        started = time.perf_counter()
        answer = in_terminal([sys.executable, "-m", *command.split()], folder, errors=False)
        seconds = time.perf_counter() - started
        answer = answer.replace(f"{folder}/", "")
        path = answer.splitlines()[-1]
        output = answer if show else f"{path}\n"
        steps.append({"command": command, "seconds": seconds, "output": output})
        return path

    with tempfile.TemporaryDirectory() as folder:
        failing = run("counterfeit train sgd --epochs 12 --set data.train_images=6400 --quiet")
        run(f"counterfeit diagnose {failing}", show=True)
        working = run(
            "counterfeit train batchnorm-smoothing"
            " --epochs 16 --set data.train_images=12800 --quiet"
        )
        for each in (failing, working):
            run(f"counterfeit evaluate {each} --samples 2000 --quiet")
        page = run(f"counterfeit report {failing} {working}")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(folder) / page, target / "report.html")
    (target / "commands.json").write_text(json.dumps(steps, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
