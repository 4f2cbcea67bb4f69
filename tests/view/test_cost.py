"""The benchmark of the live page runs, in its shortest form."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_it_says_what_opening_and_following_cost() -> None:
    shortest = ["--rows=100", "--tries=1", "--runs=2", "--training=1", "--seconds=3"]
    command = [sys.executable, str(BENCHMARKS / "view_cost.py"), *shortest]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    opening, following = done.stdout.splitlines()
    assert opening.startswith("100 rows (0 MB): open in ")
    assert following.startswith("2 runs, 1 of them growing: ")
