"""What it costs to be sure: that all numbers are finite, and which data a run is trained on.

    python benchmarks/soundness.py [RECIPE ...] [--repeats 20] [--data mnist] [--append FILE.jsonl]

For each recipe: a log interval of 100 updates, and the check of it, which reads both
losses of each update, the weights, BatchNorm's statistics and the optimisers' state. Prints medians
of CPU time with their range, and the ratio of the medians. Before them the checksum of the data, as
a share of all that comes before training: imports, data and networks. OMP_NUM_THREADS=1 disturbs
them least.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from counterfeit import data, recipe
from counterfeit.environment import describe
from counterfeit.files import append_row
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch
from counterfeit.training.interval import Interval
from counterfeit.training.loop import LOG_EVERY
from counterfeit.training.soundness import check


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(spec: recipe.Recipe, repeats: int) -> tuple[list[float], list[float]]:
    """CPU seconds of each interval, and of each check."""
    images = data.load(spec.data.name)
    game = Game.from_recipe(spec, images.mean_image(), seed=0, device=torch.device("cpu"))
    batch = Batch(data.as_float(images.images[: spec.training.batch_size], *spec.value_range))
    interval = Interval(LOG_EVERY, spec.training.batch_size, game.device)

    def train() -> None:
        interval.clear()
        for step in range(LOG_EVERY):
            interval.add(game.update(step, 0, [batch]))

    def look() -> None:
        check(game.tensors(), interval.losses, LOG_EVERY, LOG_EVERY)

    intervals, checks = [], []
    train()
    look()
    for _ in range(repeats):
        intervals.append(cpu_seconds(train))
        checks.append(cpu_seconds(look))
    return intervals, checks


def measure_checksum(name: str, repeats: int) -> tuple[float, list[float]]:
    """CPU seconds from the process's start to a game that is ready, and of each checksum."""
    images = data.load(name)
    checksums = [cpu_seconds(partial(data.Identity.of, images)) for _ in range(repeats)]
    Game.from_recipe(recipe.load("adam"), images.mean_image(), seed=0, device=torch.device("cpu"))
    return time.process_time() - sum(checksums), checksums


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("recipes", nargs="*", default=recipe.names())
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--append", type=Path, help="a .jsonl file for the figures")
    arguments = parser.parse_args()
    start, checksums = measure_checksum(arguments.data, arguments.repeats)
    each = statistics.median(checksums)
    print(
        f"{arguments.data}: start-up {start:.2f} s, checksum {1e3 * each:.1f} ms"
        f" ({1e3 * min(checksums):.1f} to {1e3 * max(checksums):.1f}): {each / (start + each):.2%},"
        f" n = {arguments.repeats}"
    )
    for name in arguments.recipes:
        intervals, checks = measure(
            recipe.load(name).with_values({"data.name": arguments.data}), arguments.repeats
        )
        share = statistics.median(checks) / statistics.median(intervals)
        print(
            f"{name}: {LOG_EVERY} updates {statistics.median(intervals):.3f} s"
            f" ({min(intervals):.3f} to {max(intervals):.3f}), check"
            f" {1e3 * statistics.median(checks):.2f} ms ({1e3 * min(checks):.2f} to"
            f" {1e3 * max(checks):.2f}): {share:.2%}, n = {arguments.repeats}"
        )
        if arguments.append:
            row = {"recipe": name, "intervals": intervals, "checks": checks, "share": share}
            append_row(arguments.append, row | describe(torch.device("cpu")))


if __name__ == "__main__":
    main()
