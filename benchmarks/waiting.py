"""How long a user waits: for the first update, for 10,000 samples, and for their evaluation.

    python benchmarks/waiting.py [RECIPE ...] [--repeats 5] [--data mnist] [--samples 10000]

- the first update: a process of its own each time, `counterfeit train RECIPE` until its first
  update is done, imports and data included;
- samples: `run.sample(10_000)` in this process, from reading the checkpoint to uint8 images;
- `counterfeit sample` and `counterfeit evaluate` of 10,000, whole commands on a run that was not
  evaluated before, with the most memory that `evaluate` held.

Prints medians with their range.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import counterfeit
from counterfeit import recipe
from counterfeit.environment import describe
from counterfeit.training import loop

UNTIL_THE_FIRST_UPDATE = """
import os, sys, time
from counterfeit import cli
from counterfeit.game.game import Game

update = Game.update

def first(*arguments):
    update(*arguments)
    print(time.time(), flush=True)
    os._exit(0)

Game.update = first
cli.main(["train", *sys.argv[1:]])
"""


def start_seconds(name: str, images: str) -> float:
    with tempfile.TemporaryDirectory() as out:
        started = time.time()
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                UNTIL_THE_FIRST_UPDATE,
                name,
                f"--data={images}",
                f"--out={out}",
                "--device=cpu",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout) - started


def command(*arguments: str) -> tuple[float, float]:
    """Seconds that a command takes, and the most GB of memory that it held."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "counterfeit", *arguments], stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"counterfeit {arguments[0]} failed")
    return time.perf_counter() - started, used.ru_maxrss / 2**20


def sample_seconds(run: counterfeit.Run, count: int) -> float:
    started = time.perf_counter()
    run.sample(count)
    return time.perf_counter() - started


def row(what: str, seconds: list[float]) -> str:
    return f"{what:40} {statistics.median(seconds):.2f} s  [{min(seconds):.2f}, {max(seconds):.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=["batchnorm-smoothing", "paper"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--samples", type=int, default=10_000)
    options = parser.parse_args()
    facts = describe(torch.device("cpu"))
    print(
        f"{facts['processor']}, {facts['threads']} threads, torch {facts['torch']},"
        f" Python {platform.python_version()}; n = {options.repeats}, medians [min, max]"
    )
    for name in options.recipes:
        starts = [start_seconds(name, options.data) for _ in range(options.repeats)]
        print(row(f"{name}, to the first update", starts))
        spec = recipe.load(name).with_values(
            {"data.name": options.data, "data.train_images": 1000, "training.epochs": 1}
        )
        samples, commands, evaluations = [], [], []
        for _ in range(options.repeats):
            with tempfile.TemporaryDirectory() as out:
                run = loop.train(spec, out=out, device="cpu")
                samples.append(sample_seconds(run, options.samples))
                file = f"--out={out}/x.npz"
                commands.append(
                    command("sample", str(run.path), "-n", str(options.samples), file)[0]
                )
                evaluations.append(
                    command("evaluate", str(run.path), f"--samples={options.samples}", "--quiet")
                )
        print(row(f"{name}, {options.samples:,} samples", samples))
        print(row(f"{name}, counterfeit sample", commands))
        print(row(f"{name}, counterfeit evaluate", [seconds for seconds, _ in evaluations]))
        print(
            f"{name}, counterfeit evaluate held {max(memory for _, memory in evaluations):.2f} GB"
        )


if __name__ == "__main__":
    main()
