"""Milliseconds of one update, alone and beside busy processes, for ways to use OpenMP's threads.

    python benchmarks/threads.py [--recipe batchnorm-smoothing] [--repeats 3] [--neighbours 0 1 2]
                                 [--settings NAME ...] [--at-once 2 3]

Each cell is a process of its own, as OpenMP reads its settings once; settings take turns within a
repeat. `the command` sets up threads as `counterfeit train` does. The second table has several
trainings at once, of one thread each, beside one that has all threads: updates a second together.

Prints the median over the repeats, with their range.
"""

import argparse
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack

SETTINGS = {
    "the library, as PyTorch comes": {},
    "the command": {},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}

UPDATES = """
import sys, time
_, recipe_name, data_name, updates, how = sys.argv
if how == "the command":
    from counterfeit.cli import threads
    threads.begin()
import torch
from counterfeit import data, recipe
from counterfeit.game.game import Game
from counterfeit.game.inputs import Pool

spec = recipe.load(recipe_name)
images = data.load(data_name)
game = Game.from_recipe(spec, images.mean_image(), seed=0, device=torch.device("cpu"))
pool = Pool.of(images, spec.value_range, game.device)
batch = spec.training.batch_size
updates = int(updates)

def update(step):
    chosen = torch.arange(step * batch, (step + 1) * batch) % len(images)
    game.update(step, 0, pool.batches(chosen, 1))

for step in range(updates // 3):
    update(step)
started = time.perf_counter()
for step in range(updates):
    update(step)
print((time.perf_counter() - started) / updates * 1000)
"""


class Updates:
    """Processes that train: milliseconds an update of each, started at once."""

    def __init__(self, recipe: str, images: str, updates: int) -> None:
        self.arguments = [recipe, images, str(updates)]

    def __call__(self, how: str, setting: dict[str, str], processes: int = 1) -> list[float]:
        decided = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
        environment = {key: value for key, value in os.environ.items() if key not in decided}
        started = [
            subprocess.Popen(
                [sys.executable, "-c", UPDATES, *self.arguments, how],
                env=environment | setting,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        said = [process.communicate()[0] for process in started]
        if any(process.returncode for process in started):
            raise RuntimeError(f"training failed with {setting}")
        return [float(words) for words in said]


def cell(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} [{min(values):.1f}, {max(values):.1f}]"


def beside_neighbours(
    updates: Updates, repeats: int, neighbours: list[int], settings: list[str]
) -> None:
    cells: dict[str, list[str]] = {name: [] for name in settings}
    for count in neighbours:
        measured: dict[str, list[float]] = {name: [] for name in settings}
        with ExitStack() as stack:
            for _ in range(count):
                busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                stack.callback(busy.kill)
            for _ in range(repeats):
                for name in settings:
                    measured[name] += updates(name, SETTINGS[name])
        for name, values in measured.items():
            cells[name].append(cell(values))
    columns = [f"{n} busy neighbours" if n else "alone" for n in neighbours]
    print("| ms an update |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    for name, row in cells.items():
        print(f"| {name} |", " | ".join(row), "|")


def at_once(updates: Updates, repeats: int, counts: list[int]) -> None:
    ways: dict[str, tuple[int, dict[str, str]]] = {
        "one, all threads": (1, {}),
        **{f"{n} at once, one thread each": (n, {"OMP_NUM_THREADS": "1"}) for n in counts},
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, (processes, setting) in ways.items():
            each = updates(name, setting, processes)
            rates[name].append(sum(1000 / milliseconds for milliseconds in each))
    print("\n| trainings | updates a second, together |\n|---|---|")
    for name, values in rates.items():
        print(f"| {name} | {cell(values)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", default="batchnorm-smoothing")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--neighbours", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=SETTINGS)
    parser.add_argument("--at-once", type=int, nargs="*", default=[2, 3])
    options = parser.parse_args()
    print(f"{options.recipe}, {os.cpu_count()} cores, n = {options.repeats}, medians [min, max]\n")
    updates = Updates(options.recipe, options.data, options.updates)
    beside_neighbours(updates, options.repeats, options.neighbours, options.settings)
    at_once(updates, options.repeats, options.at_once)


if __name__ == "__main__":
    main()
