"""Small real data for all tests: scikit-learn's digits, which need no download."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch

from chromium import find_chromium
from counterfeit import data, recipe

# No deadlines: a busy machine is no failure. The same examples every time where CI asks for them.
hypothesis.settings.register_profile("counterfeit", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("counterfeit")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests run side by side; more threads each would only wait for each other.

    The same for the processes that they start.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def in_english() -> None:
    """Whatever the developer's language is, in this process and those that tests start."""
    os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def in_english_again(in_english: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a test that chose another language."""
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def tiny() -> recipe.Recipe:
    """Stage 3 of the article on 8x8 digits with small networks: an epoch takes milliseconds."""
    return recipe.load("batchnorm-smoothing").with_overrides(
        [
            "data.name=digits",
            "generator.hidden=[32, 32]",
            "discriminator.hidden=[32, 16]",
            "training.batch_size=64",
            "training.epochs=2",
        ]
    )


@pytest.fixture(scope="session")
def digits28(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits at MNIST's size, in a folder of IDX files."""
    folder = tmp_path_factory.mktemp("digits28")
    for split, name in (("train", "train"), ("test", "t10k")):
        digits = data.load("digits", split)  # type: ignore[arg-type]
        images = torch.nn.functional.interpolate(digits.images.float(), size=28).to(torch.uint8)
        header = np.array([0x803, len(images), 28, 28], dtype=">u4").tobytes()
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images.numpy().tobytes())
        assert digits.labels is not None
        labels = digits.labels.to(torch.uint8)
        header = np.array([0x801, len(labels)], dtype=">u4").tobytes()
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.numpy().tobytes())
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        path = find_chromium(Path(driver.chromium.executable_path))
        # The sandbox needs rights that containers withhold; the pages are our own.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
