"""The tables and pictures of docs/reproduction.md and docs/story.md, from run directories.

    python benchmarks/reproduction.py RUN [RUN ...] [--images docs/images]

Prints Markdown: stage 3's losses beside the article's, a line for each run, and what diagnosis says
of each. With `--images`, writes the pictures that README and docs show: `stages.png` from the first
run of each stage; `history.png`, `maxout.png`, `nearest.png` and `interpolation.png` from the first
of stage 3; and `stage-1.png` and `stage-2.png`, losses and D's answers with the findings marked.
"""

import argparse
import shutil
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from counterfeit.insight import charts
from counterfeit.insight.charts.axes import D_COLOUR, G_COLOUR
from counterfeit.insight.charts.grids import grid
from counterfeit.insight.columns import epoch_losses
from counterfeit.insight.diagnose import diagnose
from counterfeit.measure import classifier
from counterfeit.measure.modes import mode_coverage
from counterfeit.reproduce import ARTICLE_LOSSES, SAMPLES, STAGES, first_won_epoch, spread
from counterfeit.run import Run
from plain import perceptrons


def losses_table(run: Run) -> str:
    last, mean = epoch_losses(run.log)
    lines = [
        "| epoch | D, article | D, here, last batch | epoch's mean"
        " | G, article | G, here, last batch | epoch's mean |",
        "|---|---|---|---|---|---|---|",
    ]
    for (epoch, d, g), (_, d_mean, g_mean) in zip(last, mean, strict=True):
        if epoch in ARTICLE_LOSSES:
            article_d, article_g = ARTICLE_LOSSES[int(epoch)]
            lines.append(
                f"| {epoch:.0f} | {article_d:.3f} | {d:.3f} | {d_mean:.3f}"
                f" | {article_g:.3f} | {g:.3f} | {g_mean:.3f} |"
            )
    return "\n".join(lines)


def runs_table(runs: list[Run]) -> str:
    lines = [
        "| recipe | lines | seed | epochs | D wins in epoch | D's last mean loss | G's | spread of"
        " the fixed latents' images | digits the classifier is sure of | classes found |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    mnist = classifier.mnist()
    for run in runs:
        mean = epoch_losses(run.log)[1]
        labels = run.load_data("train").labels
        assert labels is not None
        read = mnist.read(run.sample(SAMPLES))
        measured = mode_coverage(read.probabilities, labels)
        trained = perceptrons(run.recipe)[1].train_shared_maxout
        lines.append(
            f"| {run.recipe.name} | {'trained' if trained else 'frozen'} | {run.seed}"
            f" | {mean[-1, 0]:.0f} | {first_won_epoch(mean) or '–'} | {mean[-1, 1]:.3f}"
            f" | {mean[-1, 2]:.2f} | {spread(run.snapshot(run.snapshot_epochs[-1])):.1f}"
            f" | {1 - measured['unsure'].value:.1%} | {measured['classes_found'].value:.0f} |"
        )
    return "\n".join(lines)


def findings_table(runs: list[Run]) -> str:
    lines = [
        "| recipe | lines | seed | epochs | critical findings | others |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs:
        done = run.log[-1]["epoch"]
        said: dict[bool, list[str]] = {True: [], False: []}
        for finding in diagnose(run):
            said[finding.severity == "critical"].append(f"{finding.name} {finding.span}")
        trained = perceptrons(run.recipe)[1].train_shared_maxout
        cells = (", ".join(said[critical]) or "–" for critical in (True, False))
        lines.append(
            f"| {run.recipe.name} | {'trained' if trained else 'frozen'} | {run.seed}"
            f" | {done:.0f} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def annotated_picture(run: Run, path: Path) -> None:
    """Losses and D's answers side by side, findings marked."""
    findings = diagnose(run)
    drawn = []
    for name in ("losses", "outputs"):
        with Image.open(charts.write(run, name, findings)) as picture:
            drawn.append(picture.convert("RGB"))
    left, right = drawn
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    both.resize((both.width // 2, both.height // 2)).save(path, optimize=True)


def stages_picture(runs: list[Run], path: Path) -> None:
    """Each stage's samples over its losses."""
    figure = Figure(figsize=(10, 5.6), dpi=110, layout="constrained")
    axes = figure.subplots(2, 3, height_ratios=[3, 1.6], sharey="row")
    for column, (run, title) in enumerate(
        zip(runs, ("1: SGD", "2: Adam for G", "3: BatchNorm, soft labels"), strict=True)
    ):
        samples, losses = axes[0, column], axes[1, column]
        samples.imshow(grid(run.sample(100).numpy()), interpolation="nearest", cmap="gray")
        samples.set_title(f"Stage {title}")
        samples.axis("off")
        mean = epoch_losses(run.log)[1]
        losses.plot(mean[:, 0], mean[:, 1], color=D_COLOUR, label="D")
        losses.plot(mean[:, 0], mean[:, 2], color=G_COLOUR, label="G")
        losses.set_yscale("symlog", linthresh=1)
        losses.set_ylim(0, 40)
        losses.set_yticks([0, 0.5, 1, 10], ["0", "0.5", "1", "10"])
        losses.set_xlabel("epoch")
        losses.spines[["top", "right"]].set_visible(False)
        losses.legend(frameon=False, loc="upper right", ncols=2)
    axes[1, 0].set_ylabel("mean loss")
    figure.savefig(path, facecolor="white")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--images", type=Path, help="a folder for the pictures")
    options = parser.parse_args()
    runs = [Run.open(path) for path in options.runs]
    first = {name: next(run for run in runs if run.recipe.name == name) for name in STAGES}
    print(losses_table(first[STAGES[-1]]), runs_table(runs), findings_table(runs), sep="\n\n")
    if options.images:
        options.images.mkdir(parents=True, exist_ok=True)
        stages_picture(list(first.values()), options.images / "stages.png")
        for number, name in enumerate(STAGES[:-1], start=1):
            annotated_picture(first[name], options.images / f"stage-{number}.png")
        for name in ("history", "maxout", "nearest", "interpolation"):
            picture = charts.write(first[STAGES[-1]], name)
            shutil.copy(picture, options.images / picture.name)


if __name__ == "__main__":
    main()
