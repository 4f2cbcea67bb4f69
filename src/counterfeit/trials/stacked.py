"""Stacked MNIST: a recipe, its own networks among it, on images whose channels are digits.

Source of the protocol: Metz et al. 2017, "Unrolled Generative Adversarial Networks" (arXiv
1611.02163), section 3.3.1: 25,600 samples. Lin et al. 2018, "PacGAN" (arXiv 1712.04086), section
4.2, trains on as many images as here, and finds a mode that one sample shows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from counterfeit.data import load
from counterfeit.data.stacked import COUNTS, DIGITS
from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts.grids import grid
from counterfeit.insight.columns import spent
from counterfeit.language import tr
from counterfeit.measure.classifier import mnist
from counterfeit.measure.stacked import classes_by_channel, stacked_coverage
from counterfeit.recipe import Data, Recipe
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import LogRow
from counterfeit.training import loop
from counterfeit.trials.folder import Folder
from counterfeit.trials.trial import DIVERGED, OnProgress, Result

NAME = "stacked-mnist"
SAMPLES = 25_600
SHOWN = 100


def suited(spec: Recipe) -> Recipe:
    """The recipe on Stacked MNIST, without a condition, as there are no labels."""
    return spec.model_copy(update={"data": Data(name=NAME), "condition": None})


class StackedTrial:
    """A recipe on Stacked MNIST.

    Args:
        spec: see `suited`.
        data_dir: where data sets are kept; the user's cache folder when absent.
    """

    name = NAME
    modes = 10**DIGITS

    def __init__(self, spec: Recipe, device: torch.device, data_dir: Path | None = None) -> None:
        spec.require_trainable()
        self.spec = spec
        self.device = device
        self.data_dir = data_dir

    @property
    def protocol(self) -> dict[str, Any]:
        """See `Trial`."""
        return {
            "modes": self.modes,
            "samples": SAMPLES,
            "classifier": mnist().name,
            "found": "modes of one sample, or more",
            "train_images": self.spec.data.train_images or COUNTS["train"],
            "epochs": self.spec.training.epochs,
        }

    def perform(self, seed: int, folder: Folder, on_progress: OnProgress) -> Result:
        """Train, or go on from where a run of that seed is, and read the digits of its samples."""
        run = self._run(folder, seed)
        if not _diverged(run):
            try:
                self._train(run, seed, on_progress)
            except CounterfeitError:
                if not _diverged(run):
                    raise
        trained = Run.open(run)
        _, _, seconds = spent(trained)
        took = float(seconds[-1]) if len(seconds) else 0.0
        if _diverged(run):
            return Result(seed, {"modes_found": 0.0, "mode_kl": float("nan")}, took, DIVERGED)
        return self.result(seed, trained.sample(SAMPLES), took)

    def result(self, seed: int, images: UInt8[Tensor, "N 3 28 28"], seconds: float) -> Result:
        """What a generator that makes these images came to."""
        found = stacked_coverage(classes_by_channel(images, mnist()), self._shares())
        return Result(seed, {name: each.value for name, each in found.items()}, seconds)

    def picture(self, folder: Folder, results: Sequence[Result]) -> Image.Image | None:
        """Images of the first seed that ended well."""
        for each in results:
            if each.why is None:
                return grid(Run.open(self._run(folder, each.seed)).sample(SHOWN).numpy())
        return None

    def notes(self) -> list[str]:
        """See `Trial`."""
        return [
            tr(
                "Of {samples} samples of each seed, whose digits a fixed classifier reads; a mode"
                " is found that one shows. As many images of the data itself have a KL divergence"
                " of about {least}.",
                samples=f"{SAMPLES:,}",
                least=f"{(self.modes - 1) / (2 * SAMPLES):.3f}",
            )
        ]

    def _train(self, run: Path, seed: int, on_progress: OnProgress) -> None:
        def on_row(row: LogRow) -> None:
            on_progress(row["epoch"] / self.spec.training.epochs)

        if run.exists():
            loop.resume(run, device=self.device, on_row=[on_row])
            return
        loop.train(
            self.spec,
            seed=seed,
            device=self.device,
            out=run.parent,
            name=run.name,
            data_dir=self.data_dir,
            on_row=[on_row],
        )

    def _shares(self) -> Float[Tensor, "10"]:
        """Of each digit among those that images are stacked from."""
        labels = load("mnist", "train", self.data_dir).labels
        assert labels is not None
        return torch.bincount(labels).double() / len(labels)

    def _run(self, folder: Folder, seed: int) -> Path:
        return folder.path / "runs" / f"seed-{seed}"


def _diverged(run: Path) -> bool:
    found = Run.open(run).findings if run.exists() else []
    return any(Finding.from_row(row).name == "non-finite" for row in found)
