"""Train two recipes on a slice of MNIST, measure them and write the site's sample report.

    python docs/sphinx/sample.py site/sample

It runs the commands that a newcomer would type, and keeps how long each took and what it said, for
the start page.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(target: Path) -> None:
    steps: list[dict[str, object]] = []

    def run(command: str, *, show: bool = False) -> str:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        seconds = time.perf_counter() - started
        answer = done.stdout.replace(f"{folder}/", "")
        path = answer.splitlines()[-1]
        output = answer if show else f"{path}\n"
        steps.append({"command": command, "seconds": seconds, "output": output})
        return path

    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "80"}
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
