"""The tables and pictures of docs/results.md: what each recipe reaches, from run directories.

    python benchmarks/recipes.py RUN [RUN ...] [--images docs/images]

Prints Markdown, a table for each data set: a line for each run, by what `counterfeit evaluate`
measured on the test images, and the real images' own numbers below. With `--images`, writes
`results-DATA.png`: samples of each recipe's first run.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from counterfeit.insight.charts.grids import grid
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.numbers import number
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.names import MetricName
from counterfeit.run import Run

HEADS = {
    "fid": "classifier FID",
    "coverage": "coverage",
    "recall": "recall",
    "class_tv": "total variation of the classes",
    "class_accuracy": "class accuracy",
    "support_size": "different images",
    "unlike": "unlike any real",
    "copies": "copies",
}
"""Metrics of the tables, each where a run has it."""

ALWAYS = ("fid", "coverage", "recall", "class_tv")
WITHOUT_LABELS = ("support_size", "unlike", "copies")

SHOWN = 40
"""Samples of a recipe in the picture."""


def on_test_images(metrics: Mapping[str, Measurement]) -> dict[str, Measurement]:
    """Those of the tables by their short names, but for what was measured while training."""
    parsed = {MetricName.parse(text): measured for text, measured in metrics.items()}
    return {
        name.metric: measured
        for name, measured in parsed.items()
        if name.metric in HEADS and name.split != "validation"
    }


def measured(run: Run) -> dict[str, Measurement]:
    """What its newest evaluation on test images says."""
    rows = [on_test_images(row["metrics"]) for row in run.metrics]
    return next((row for row in reversed(rows) if row), {})


def table(runs: list[Run]) -> str:
    """A line for each run, and one for real images."""
    scores = [measured(run) for run in runs]
    real = on_test_images(runs[0].real_scores)
    labelled = any("fid" in row for row in scores)
    wanted = (*ALWAYS, "class_accuracy") if labelled else WITHOUT_LABELS
    metrics = [name for name in wanted if any(name in row for row in scores)]
    heads = ["recipe", "seed", "epochs", "updates of G", *(HEADS[name] for name in metrics)]
    lines = [[*heads, "findings"], ["---"] * (len(heads) + 1)]
    for run, row in zip(runs, scores, strict=True):
        newest = run.log[-1]
        findings = [f"{each.name} {each.span}" for each in diagnose(run)]
        lines.append(
            [
                f"`{run.recipe.name}`",
                str(run.seed),
                f"{newest['epoch']:.0f}",
                f"{newest['step']:,}",
                *(number(row[name]) if name in row else "" for name in metrics),
                ", ".join(findings) or "–",
            ]
        )
    ceilings = (number(real[name]) if name in real else "" for name in metrics)
    lines.append(["real images", "", "", "", *ceilings, ""])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def picture(runs: list[Run], path: Path) -> None:
    """Samples of the first run of each recipe, in two columns."""
    firsts = list({run.recipe.name: run for run in reversed(runs)}.values())[::-1]
    columns = min(2, len(firsts))
    lines = -(-len(firsts) // columns)
    figure = Figure(figsize=(5 * columns, 2.35 * lines), dpi=110, layout="constrained")
    all_axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes in all_axes:
        axes.axis("off")
    for axes, run in zip(all_axes, firsts, strict=False):
        axes.imshow(grid(run.sample(SHOWN).numpy()), interpolation="nearest", cmap="gray")
        axes.set_title(run.recipe.name, fontsize=11)
    figure.savefig(path, facecolor="white")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--images", type=Path, help="a folder for the pictures")
    options = parser.parse_args()
    by_data: dict[str, list[Run]] = {}
    for run in map(Run.open, options.runs):
        by_data.setdefault(Path(run.recipe.data.name).name, []).append(run)
    for data, runs in by_data.items():
        print(f"## {data}\n\n{table(runs)}\n")
        if options.images:
            options.images.mkdir(parents=True, exist_ok=True)
            picture(runs, options.images / f"results-{data}.png")


if __name__ == "__main__":
    main()
