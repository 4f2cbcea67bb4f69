"""Training is killed at every operation on the disk and at random moments, and nothing is lost."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "crash.py"


def test_nothing_is_lost_to_sigkill() -> None:
    memory = Path("/dev/shm")  # where a flush costs nothing
    command = [sys.executable, str(SCRIPT), "--brief", "--kills", "50"]
    if memory.is_dir():
        command += ["--in", str(memory)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("0 lost runs, 0 half-read checkpoints, 0 duplicated rows") == 2
