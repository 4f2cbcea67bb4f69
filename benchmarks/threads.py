"""Milliseconds of one update, alone and beside busy processes, for ways to let OpenMP wait.

    python benchmarks/threads.py [--recipe batchnorm-smoothing] [--repeats 3] [--neighbours 0 1 2]

Each cell is a process of its own, as OpenMP reads its settings once; settings take turns within a
repeat. Prints the median over the repeats, with their range.
"""

import argparse
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack

SETTINGS = {
    "as PyTorch comes": {},
    "GOMP_SPINCOUNT=1000 (counterfeit)": {"GOMP_SPINCOUNT": "1000"},
    "GOMP_SPINCOUNT=4000": {"GOMP_SPINCOUNT": "4000"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}

UPDATES = """
import sys, time, torch
from counterfeit import data, recipe
from counterfeit.game.game import Game
from counterfeit.game.inputs import Pool

spec = recipe.load(sys.argv[1])
images = data.load(spec.data.name)
game = Game.from_recipe(spec, images.mean_image(), seed=0, device=torch.device("cpu"))
pool = Pool.of(images, spec.value_range, game.device)
batch = spec.training.batch_size

def update(step):
    chosen = torch.arange(step * batch, (step + 1) * batch) % len(images)
    game.update(step, 0, pool.batches(chosen, 1))

for step in range(20):
    update(step)
started = time.perf_counter()
for step in range(20, 80):
    update(step)
print((time.perf_counter() - started) / 60 * 1000)
"""


def milliseconds(recipe: str, setting: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", UPDATES, recipe],
        env=os.environ | setting,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", default="batchnorm-smoothing")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--neighbours", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    times: dict[str, list[str]] = {name: [] for name in SETTINGS}
    for neighbours in options.neighbours:
        with ExitStack() as stack:
            for _ in range(neighbours):
                busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                stack.callback(busy.kill)
            measured: dict[str, list[float]] = {name: [] for name in SETTINGS}
            for _ in range(options.repeats):
                for name, setting in SETTINGS.items():
                    measured[name].append(milliseconds(options.recipe, setting))
        for name, values in measured.items():
            low, high = min(values), max(values)
            times[name].append(f"{statistics.median(values):.1f} [{low:.1f}, {high:.1f}]")
    columns = [f"{n} busy neighbours" if n else "alone" for n in options.neighbours]
    print(f"{options.recipe}, ms an update, {os.cpu_count()} cores, n = {options.repeats}\n")
    print("| setting |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    for name, cells in times.items():
        print(f"| {name} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
