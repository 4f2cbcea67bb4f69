"""Whether bf16 costs quality: metrics of several seeds in float32 and in bf16.

    python benchmarks/precision.py [RECIPE] [--epochs 12] [--seeds 0 1 2] [--data mnist]
                                   [--samples 10000] [--append FILE.jsonl]

Trains the recipe for each seed and precision, measures each run as `counterfeit evaluate` does
(10,000 samples against the test images), and prints each metric's mean and standard deviation over
the seeds, the difference of the means, and that difference in units of its standard error. Below
2 it is no more than seeds explain.
"""

import argparse
import math
import statistics
import tempfile
from pathlib import Path

import torch

from counterfeit import recipe
from counterfeit.environment import describe
from counterfeit.files import append_row
from counterfeit.measure.evaluate import SAMPLES, evaluate
from counterfeit.measure.names import MetricName
from counterfeit.measure.reference import Reference, reference_for
from counterfeit.training import loop

PRECISIONS = ("float32", "bf16")


def standard_errors(one: list[float], other: list[float]) -> float:
    """The difference of the means, other less one, by its standard error (Welch)."""
    error = math.sqrt(sum(statistics.variance(v) / len(v) for v in (one, other)))
    difference = statistics.mean(other) - statistics.mean(one)
    if not error:
        return math.copysign(math.inf, difference) if difference else 0.0
    return difference / error


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="batchnorm-smoothing")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--append", type=Path, help="add a JSON row to this file")
    options = parser.parse_args()
    if len(options.seeds) < 2:
        parser.error("--seeds: a spread takes two or more")

    seen: dict[str, dict[str, list[float]]] = {precision: {} for precision in PRECISIONS}
    reference: Reference | None = None
    with tempfile.TemporaryDirectory() as out:
        for seed in options.seeds:
            for precision in PRECISIONS:
                spec = recipe.load(options.recipe).with_values(
                    {"training.precision": precision, "data.name": options.data}
                )
                run = loop.train(spec, epochs=options.epochs, seed=seed, device="cpu", out=out)
                reference = reference or reference_for(run)
                measured_run = evaluate(run, samples=options.samples, reference=reference)
                for name, measured in measured_run.metrics.items():
                    seen[precision].setdefault(name, []).append(measured.value)
                print(f"trained and measured seed {seed} in {precision}", flush=True)

    facts = describe(torch.device("cpu"))
    print(
        f"\n{options.recipe}, {options.epochs} epochs, seeds {options.seeds}, torch"
        f" {facts['torch']}: mean ± standard deviation over {len(options.seeds)} seeds\n"
    )
    print("| metric | float32 | bf16 | difference | in standard errors |")
    print("|---|---|---|---|---|")
    for name, one in seen["float32"].items():
        if MetricName.parse(name).of_class is not None:
            continue
        other = seen["bf16"][name]
        cells = (f"{statistics.mean(v):.4g} ± {statistics.stdev(v):.2g}" for v in (one, other))
        difference = statistics.mean(other) - statistics.mean(one)
        print(
            f"| {name} | {' | '.join(cells)} | {difference:+.3g}"
            f" | {standard_errors(one, other):+.1f} |"
        )
    if options.append:
        asked = {"recipe": options.recipe, "epochs": options.epochs, "seeds": options.seeds}
        append_row(options.append, asked | facts | {"metrics": seen})


if __name__ == "__main__":
    main()
