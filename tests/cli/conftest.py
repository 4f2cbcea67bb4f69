"""One small run for all tests of the command line, and a classifier that measures it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import TINY

from counterfeit import cli, data
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.train_classifier import classifier_for


@pytest.fixture(scope="session")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    cli.main(["train", "batchnorm-smoothing", *TINY, f"--out={out}"])
    (path,) = out.iterdir()
    return path


@pytest.fixture
def own_run(run_path: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be changed."""
    return Path(shutil.copytree(run_path, tmp_path / "own" / run_path.name))


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return classifier_for(data.load("digits"), tmp_path_factory.mktemp("classifier"), updates=20)


@pytest.fixture(autouse=True)
def no_kept_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has kept changes no test, and a report trains no classifier."""
    monkeypatch.setattr("counterfeit.measure.evaluate.kept_classifier", lambda *given: None)


@pytest.fixture
def quick_classifier(
    classifier: Classifier, no_kept_classifier: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluations read with a classifier that is barely trained."""
    monkeypatch.setattr("counterfeit.measure.evaluate.kept_classifier", lambda *given: classifier)
    monkeypatch.setattr(
        "counterfeit.measure.reference.classifier_for", lambda *given, **named: classifier
    )


@pytest.fixture
def read_only(own_run: Path, tmp_path: Path) -> Iterator[Path]:
    """The run where nothing can be written; a disk, where this user may write in every folder."""
    if os.getuid() != 0:
        change_modes(own_run, lambda mode: mode & ~0o222)
        yield own_run
        change_modes(own_run, lambda mode: mode | 0o200)
        return
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk takes rights that this user lacks")
    try:
        path = Path(shutil.copytree(own_run, disk / own_run.name))
        subprocess.run([*mount[:1], "-o", "remount,ro", str(disk)], check=True)
        yield path
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def change_modes(folder: Path, change: Callable[[int], int]) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(change(path.stat().st_mode))
