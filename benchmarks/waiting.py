"""How long a user waits: from the command to the first update, and for 10,000 samples.

    python benchmarks/waiting.py [RECIPE ...] [--repeats 5]

The first is a process of its own each time: `counterfeit train RECIPE` until its first update is
done, imports and data included. The second is `run.sample(10_000)` in this process, from reading
the checkpoint to uint8 images. Prints medians with their range.
"""

import argparse
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

UNTIL_THE_FIRST_UPDATE = """
import os, sys, time
from counterfeit import cli
from counterfeit.training.game import Game

update = Game.update

def first(*arguments):
    update(*arguments)
    print(time.time(), flush=True)
    os._exit(0)

Game.update = first
cli.main(["train", *sys.argv[1:]])
"""


def start_seconds(name: str) -> float:
    with tempfile.TemporaryDirectory() as out:
        started = time.time()
        done = subprocess.run(
            [sys.executable, "-c", UNTIL_THE_FIRST_UPDATE, name, f"--out={out}", "--device=cpu"],
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout) - started


def sample_seconds(run: counterfeit.Run) -> float:
    started = time.perf_counter()
    run.sample(10_000)
    return time.perf_counter() - started


def row(what: str, seconds: list[float]) -> str:
    return f"{what:40} {statistics.median(seconds):.2f} s  [{min(seconds):.2f}, {max(seconds):.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=["batchnorm-smoothing", "paper"])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    facts = describe(torch.device("cpu"))
    print(
        f"{facts['processor']}, {facts['threads']} threads, torch {facts['torch']},"
        f" Python {platform.python_version()}; n = {options.repeats}, medians [min, max]"
    )
    for name in options.recipes:
        starts = [start_seconds(name) for _ in range(options.repeats)]
        print(row(f"{name}, to the first update", starts))
        spec = recipe.load(name).with_values({"data.train_images": 1000, "training.epochs": 1})
        with tempfile.TemporaryDirectory() as out:
            run = counterfeit.train(spec, out=out, device="cpu")
            samples = [sample_seconds(run) for _ in range(options.repeats)]
        print(row(f"{name}, 10,000 samples", samples))


if __name__ == "__main__":
    main()
