"""Interrupt real trainings at random moments: what they exit with, and how long that takes.

    python benchmarks/signals.py [--signals 60] [--seed 0] [--append FILE.jsonl]

Each is `counterfeit train` on the digits with an evaluation after every epoch, so that epochs,
checkpoints, evaluations and findings follow each other within a second. SIGINT and SIGTERM take
turns. The process must exit with 130 or 143, say in one line how to go on, and leave a checkpoint
that reads whole. Prints how many did not, and the seconds to the exit; exit status 1 if any.
"""

import argparse
import math
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from counterfeit.environment import describe
from counterfeit.errors import CounterfeitError
from counterfeit.files import append_row
from counterfeit.run import Run

WITHIN = 3.0
"""Seconds after the first checkpoint in which the signal comes."""

HANGS = 600.0
"""Seconds after which a process that has not ended never will."""


def interrupted(signum: signal.Signals, delay: float, out: Path) -> tuple[float, str]:
    """Seconds from the signal to the exit, and what was wrong with it; infinite if it never did."""
    command = [
        sys.executable, "-m", "counterfeit", "train", "batchnorm-smoothing", "--data=digits",
        "--evaluate-every=1", "--epochs=1000000", f"--out={out}",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not list(out.glob("[!.]*/checkpoints/*.json")):
            if process.poll() is not None:
                return math.inf, f"it ended by itself: {process.communicate()[1].decode()}"
            time.sleep(0.02)
        time.sleep(delay)
        process.send_signal(signum)
        started = time.perf_counter()
        try:
            words = process.communicate(timeout=HANGS)[1].decode().strip()
        except subprocess.TimeoutExpired:
            process.kill()
            return math.inf, "it goes on"
        seconds = time.perf_counter() - started
    (path,) = out.glob("[!.]*")
    promise = f"counterfeit: stopped and saved; `counterfeit train --resume {path}` goes on."
    if process.returncode != 128 + signum:
        return seconds, f"exit status {process.returncode}: {words}"
    if not words.endswith(promise) or "Traceback" in words or "Exception ignored" in words:
        return seconds, f"it said: {words}"
    try:
        Run.open(path).checkpoint()
    except CounterfeitError as error:
        return seconds, str(error)
    return seconds, ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--signals", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--append", type=Path, help="a .jsonl file for the figures")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    seconds, problems = [], []
    for number in range(options.signals):
        signum = (signal.SIGINT, signal.SIGTERM)[number % 2]
        delay = rng.uniform(0, WITHIN)
        with tempfile.TemporaryDirectory() as out:
            took, problem = interrupted(signum, delay, Path(out))
        seconds.append(took)
        if problem:
            problems.append(f"{signum.name} after {delay:.2f} s: {problem}")
    print(
        f"{options.signals} signals: {len(problems)} went wrong; seconds to the exit:"
        f" median {statistics.median(seconds):.2f}, at most {max(seconds):.2f}"
    )
    for problem in problems:
        print(f"  {problem}")
    if options.append:
        facts = {"seed": options.seed, "seconds": seconds, "problems": problems}
        append_row(options.append, facts | describe(torch.device("cpu")))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
