import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_study import barely_trained_classifier, with_data_in

from counterfeit import recipe
from counterfeit.data.published import data_folder
from counterfeit.run import Run
from counterfeit.session import train


@pytest.fixture(scope="session")
def with_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data with a quick classifier, and what the machine has for the explorer."""
    folder = barely_trained_classifier(tmp_path_factory.mktemp("data"))
    for runtime in data_folder().glob("onnxruntime-web-*"):
        (folder / runtime.name).symlink_to(runtime)
    return folder


@pytest.fixture(scope="module", autouse=True)
def quick_classifier(with_classifier: Path) -> Iterator[None]:
    """For this process and the servers that it starts, whatever the machine has."""
    with with_data_in(with_classifier):
        yield


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
