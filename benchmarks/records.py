"""How fast digits can be had, and how good: the tables of docs/records.md.

    python benchmarks/records.py RECIPE [--seeds 0 1 2 3 4] [--data mnist] [--without] [--threads 2]
                                 [--set training.epochs=1 ...] [--split validation] [--out FOLDER]

Each seed is a process of its own, `counterfeit train` from its start to its end, timed as a whole:
imports, data and what is written included. `counterfeit evaluate` then measures its samples beside
the test images, or validation images to choose by, and how often each class is seen that was asked
for. `--without` takes each of the recipe's steps back, one at a time, and trains that as well.
`--out` keeps the runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from counterfeit import recipe
from counterfeit.environment import describe
from counterfeit.measure.names import MetricName
from counterfeit.recipe import Recipe
from recipes import HEADS as ALL_HEADS

SHOWN = (
    *("fid", "coverage", "precision", "recall"),
    *("class_tv", "class_accuracy", "intra_fid", "copies"),
)

HEADS = ALL_HEADS | {"precision": "precision", "intra_fid": "FID within classes"}

OF_CLASS = "class_accuracy_"
"""How the names of one class's metrics start."""

SCHEDULES = ("generator.optimizer.schedule", "discriminator.optimizer.schedule")
RATES = ("generator.optimizer.lr", "discriminator.optimizer.lr")

STEPS: dict[str, dict[str, dict[str, Any]]] = {
    "digits-fast": {
        "nobody is told the class": {"condition": None},
        "the learning rate of `conditional`": dict.fromkeys(RATES, 0.0005),
        "a learning rate that stays": dict.fromkeys(SCHEDULES, "constant"),
        "samples of an average of G's weights": {"generator.ema_decay": 0.99},
        "batches of 128": {"training.batch_size": 128},
        "twice the channels, one epoch": {
            "generator.channels": 32,
            "discriminator.channels": 32,
            "training.epochs": 1,
        },
    },
    "digits-best": {
        "no penalty": {"penalties.r1.weight": 0.0},
        "samples of G, not of an average": {"generator.ema_decay": 0.0},
        "a learning rate that stays": dict.fromkeys(SCHEDULES, "constant"),
        "the learning rate of `conditional`": dict.fromkeys(RATES, 0.0005),
    },
}
"""What makes a recipe what it is, by the values that take it back; and what was left out."""


def train(spec: Recipe, seed: int, threads: int, folder: Path) -> tuple[float, float, Path]:
    """Seconds on the clock and of the processors that the command takes, and its run."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{spec.name}.toml"
    file.write_text(spec.to_toml(), encoding="utf-8")
    command = [*_command("train"), str(file), f"--seed={seed}", f"--out={folder}", "--quiet"]
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "--device=cpu"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read().split()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, Path(printed[-1])


def measure(run: Path, samples: int, split: str) -> dict[str, float]:
    """Its samples' metrics by their short names."""
    options = [f"--samples={samples}", f"--split={split}", "--json", "--quiet"]
    told = subprocess.run(
        [*_command("evaluate"), str(run), *options],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    metrics = json.loads(told)["metrics"]
    return {MetricName.parse(name).metric: each["value"] for name, each in metrics.items()}


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "counterfeit", name]


def row(what: str, values: list[Mapping[str, float]]) -> str:
    """Medians with their range."""
    cells = []
    for name in ("seconds", "processor", *SHOWN):
        of_all = [each[name] for each in values if name in each]
        if not of_all:
            cells.append("")
            continue
        middle, low, high = statistics.median(of_all), min(of_all), max(of_all)
        cells.append(f"{middle:.3g} [{low:.3g}, {high:.3g}]")
    return f"| {what} | " + " | ".join(cells) + " |"


def by_class(values: Mapping[str, list[Mapping[str, float]]]) -> str:
    """How often each class is seen where it was asked for, in medians; nothing where none was."""
    found = {name for each in values.values() for seed in each for name in seed}
    classes = sorted((name for name in found if name.startswith(OF_CLASS)), key=_label)
    if not classes:
        return ""
    lines = [["class", *(str(_label(name)) for name in classes)], ["---"] * (1 + len(classes))]
    for what, each in values.items():
        of_all = [[seed[name] for seed in each if name in seed] for name in classes]
        cells = [f"{statistics.median(seen):.3f}" if seen else "" for seen in of_all]
        lines.append([what, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _label(name: str) -> int:
    return int(name.removeprefix(OF_CLASS))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--data")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--split", choices=["test", "validation"], default="test")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--without", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    whole = recipe.load(options.recipe)
    whole = whole.with_values({"data.name": options.data} if options.data else {})
    whole = whole.with_overrides(options.set)
    variants = {f"`{whole.name}`": whole}
    if options.without:
        if options.recipe not in STEPS:
            parser.error(f"--without knows the steps of {' and '.join(STEPS)}.")
        steps = STEPS[options.recipe]
        variants |= {what: whole.with_values(values) for what, values in steps.items()}
    facts = describe(torch.device("cpu"))
    print(
        f"{facts['processor']}, {options.threads} threads, torch {facts['torch']}; medians [least,"
        f" most] of seeds {', '.join(map(str, options.seeds))}\n"
    )
    heads = ["what", "seconds", "of the processors", *(HEADS[name] for name in SHOWN)]
    print(f"| {' | '.join(heads)} |")
    print("| --- " * len(heads) + "|")
    values: dict[str, list[Mapping[str, float]]] = {what: [] for what in variants}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.out or Path(temporary)
        for seed in options.seeds:  # in turn, so that a busy minute is no variant's own
            for what, spec in variants.items():
                seconds, processor, run = train(spec, seed, options.threads, folder)
                told = measure(run, options.samples, options.split)
                values[what].append({"seconds": seconds, "processor": processor} | told)
    for what, each in values.items():
        print(row(what, each))
    print(f"\n{by_class(values)}")


if __name__ == "__main__":
    main()
