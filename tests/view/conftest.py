import shutil
from pathlib import Path

import pytest

from counterfeit import recipe
from counterfeit.run import Run
from counterfeit.session import train
from own_data import quick_classifier, with_classifier, with_data_in

__all__ = ["quick_classifier", "with_classifier"]


@pytest.fixture(scope="session")
def trained(with_classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs of three epochs on digits, of other learning rates, to be copied."""
    folder = tmp_path_factory.mktemp("trained")
    for seed, lr in ((1, 0.001), (2, 0.002)):
        spec = recipe.load("batchnorm-smoothing").with_overrides(
            [
                "data.name=digits",
                "generator.hidden=[16, 16]",
                "discriminator.hidden=[16, 16]",
                "training.epochs=3",
                f"generator.optimizer.lr={lr}",
            ]
        )
        with with_data_in(with_classifier):
            run = train(spec, seed=seed, device="cpu", out=folder, evaluate_every=3, progress=False)
        run.path.rename(folder / f"run-{seed}")
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    """A run of its own for a test."""
    return Run(Path(shutil.copytree(trained / "run-1", tmp_path / "runs/run-1")))
