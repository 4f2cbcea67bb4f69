"""All recipes on a trial of mode coverage: the tables of docs/trials.md.

    OMP_NUM_THREADS=1 python benchmarks/trials.py --trials ring grid
    OMP_NUM_THREADS=1 python benchmarks/trials.py --trials stacked-mnist --set training.epochs=1

Each is a process of its own, `counterfeit trial`, whose `--seeds`, `--set` and `--out` these are,
and goes on where it was stopped. Prints Markdown: the modes found, and the share of high quality or
the KL divergence, in means of the seeds. `--picture FILE.png` draws what the recipes' first seeds
make of the last trial's points; `--channels` says how far the digits of each channel of Stacked
MNIST, by themselves, are from MNIST's.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from counterfeit import data, recipe
from counterfeit.data import points
from counterfeit.insight.charts.save import save
from counterfeit.measure.classifier import mnist
from counterfeit.measure.stacked import classes_by_channel
from counterfeit.run import Run
from counterfeit.trials.folder import Folder, means
from counterfeit.trials.pictures import samples_over_modes
from counterfeit.trials.stacked import SAMPLES

BESIDE = {
    "ring": ("high_quality", "high quality"),
    "grid": ("high_quality", "high quality"),
    "stacked-mnist": ("mode_kl", "KL divergence"),
}
"""What each trial counts besides the modes found, and how that is called."""


def conduct(trial: str, name: str, options: argparse.Namespace) -> Folder:
    """What the command makes."""
    arguments = [trial, name, f"--seeds={options.seeds}", f"--out={options.out}"]
    arguments += [f"--set={each}" for each in options.set]
    told = subprocess.run(
        [sys.executable, "-m", "counterfeit", "trial", *arguments, "--device=cpu", "--quiet"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return Folder(Path(told.strip()))


def channels(folder: Folder) -> str:
    """How often each digit is seen in each channel of the first seed's samples, as a multiple of
    its share in MNIST, and the KL divergence of each channel."""
    classes = classes_by_channel(Run.open(folder.path / "runs" / "seed-0").sample(SAMPLES), mnist())
    labels = data.load("mnist", "train").labels
    assert labels is not None
    q = torch.bincount(labels).double() / len(labels)
    lines = []
    for of_channel in classes.T:
        p = torch.bincount(of_channel, minlength=len(q)).double() / len(of_channel)
        times = " ".join(f"{each:.2f}" for each in (p / q).tolist())
        lines.append(f"{times}: KL {torch.special.xlogy(p, p / q).sum():.4f}")
    return "\n".join(lines)


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="all, where none is named")
    parser.add_argument("--trials", nargs="+", choices=BESIDE, default=["ring", "grid"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--out", type=Path, default=Path("trials"))
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--channels", action="store_true")
    options = parser.parse_args()
    heads = [f"{trial}: {what}" for trial in options.trials for what in ("modes", BESIDE[trial][1])]
    print(row(["recipe", *heads]))
    print(row(["---"] * (1 + len(heads))))
    made = {}
    for name in options.recipes or recipe.names():
        cells = [f"`{name}`"]
        for trial in options.trials:
            made[name] = conduct(trial, name, options)
            found = means(made[name].results)
            cells += [f"{found['modes_found'].value:.4g}", f"{found[BESIDE[trial][0]].value:.3f}"]
        print(row(cells), flush=True)
    for name, folder in made.items() if options.channels else ():
        print(f"\n{name}, a line for each channel, digits 0 to 9:\n{channels(folder)}")
    if options.picture:
        mixture = points.by_name(options.trials[-1])
        shown = {name: folder.samples(0) for name, folder in made.items()}
        save(samples_over_modes(mixture, shown), options.picture)


if __name__ == "__main__":
    main()
