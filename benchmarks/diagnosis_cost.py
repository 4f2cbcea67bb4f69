"""What diagnosis adds to training: processor seconds inside its callback, beside those outside.

    python benchmarks/diagnosis_cost.py [RECIPE] [--epochs 10] [--data mnist] [--evaluate]

With --evaluate it is what `train --evaluate-every 1` adds instead; the first evaluation, which also
reads what samples are compared with, is the dearest.

Both are taken in one run and from the process's own clock, epoch by epoch, so that a busy machine
changes neither: a whole run with diagnosis and one without would differ more by chance than by it.
Ten epochs hold one search for copies, the dearest part.
"""

import argparse
import tempfile
import time
from statistics import median

import torch
from torch import nn

from counterfeit import recipe
from counterfeit.insight.diagnose import Watch
from counterfeit.measure.evaluate import Evaluator
from counterfeit.run import Run
from counterfeit.training import loop


class Timed:
    """Remembers, for each epoch, seconds outside and inside of a callback."""

    def __init__(self, on_epoch: loop.OnEpoch) -> None:
        self.on_epoch = on_epoch
        self.outside: list[float] = []
        self.inside: list[float] = []
        self.since = time.process_time()

    def __call__(self, run: Run, epoch: int, generator: nn.Module) -> None:
        begun = time.process_time()
        self.outside.append(begun - self.since)
        self.on_epoch(run, epoch, generator)
        self.since = time.process_time()
        self.inside.append(self.since - begun)


def spread(values: list[float], unit: str) -> str:
    return f"{median(values):.3g} [{min(values):.3g}, {max(values):.3g}] {unit}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="batchnorm-smoothing")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--evaluate", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    spec = recipe.load(options.recipe).with_values(
        {"data.name": options.data, "training.epochs": options.epochs + 1}
    )
    timed = Timed(Evaluator(1) if options.evaluate else Watch(stop_on_critical=False))
    what = "evaluation" if options.evaluate else "diagnosis "
    with tempfile.TemporaryDirectory() as folder:
        loop.train(spec, device="cpu", out=folder, on_epoch=[timed])
    # Without the last epoch, whose examination is always a full one.
    outside, inside = timed.outside[:-1], timed.inside[:-1]
    shares = [100 * i / o for i, o in zip(inside, outside, strict=True)]
    print(
        f"{options.recipe} on {options.data}, n = {len(shares)} epochs, medians with [min, max]:\n"
        f"  training   {spread(outside, 's an epoch')}\n"
        f"  {what} {spread(inside, 's an epoch')}\n"
        f"  added      {spread(shares, '%')}; over all epochs"
        f" {100 * sum(inside) / sum(outside):.2f} %"
    )


if __name__ == "__main__":
    main()
