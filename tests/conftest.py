"""Small real data for all tests: scikit-learn's digits, which need no download."""

import asyncio
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image

from chromium import PATIENCE, find_chromium
from counterfeit import data, recipe

# No deadlines: a busy machine is no failure. The same examples every time where CI asks for them.
hypothesis.settings.register_profile(
    "counterfeit",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
hypothesis.settings.load_profile("counterfeit")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What a test draws from the global generators is the same, whatever ran before in its
    process."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests run side by side; more threads each would only wait for each other.

    The same for the processes that they start.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


OF_THE_DEVELOPER = (
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    *("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"),
)
"""What a shell may set that changes what commands say."""


@pytest.fixture(scope="session", autouse=True)
def as_anywhere() -> None:
    """Whatever the developer's language, terminal and settings are, in this process and those that
    tests start."""
    os.environ["LANGUAGE"] = "en"
    for name in OF_THE_DEVELOPER:
        os.environ.pop(name, None)


def of_the_process() -> dict[str, object]:
    """What all tests of a process share, and any of them could change."""
    return {f"${name}": value for name, value in os.environ.items()} | {
        "folder": Path.cwd(),
        "event loop": asyncio._get_running_loop(),
        "threads": torch.get_num_threads(),
        "precision": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


@pytest.fixture(scope="session", autouse=True)
def at_first(one_thread: None, as_anywhere: None) -> dict[str, object]:
    return of_the_process()


@pytest.fixture(scope="module", autouse=True)
def put_back(at_first: dict[str, object]) -> Iterator[None]:
    """Which module comes next in a process is chance: what one changes for its tests ends with it,
    so that no other passes or fails by it."""
    yield
    at_last = of_the_process()
    new = {name for name in at_last.keys() - at_first.keys() if "COUNTERFEIT" in name}
    names = new | at_first.keys() - {"$PYTEST_CURRENT_TEST"}  # libraries may add what we don't read
    changed = {name for name in names if at_first.get(name) != at_last.get(name)}
    assert {name: at_last.get(name) for name in changed} == {}


@pytest.fixture(autouse=True)
def in_english_again(as_anywhere: None, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.fixture
def blank_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report draws its images but no charts, which take most of its time."""
    from counterfeit.insight import charts

    blank = dict.fromkeys(charts.DRAWINGS, lambda run, findings: Image.new("L", (8, 8)))
    monkeypatch.setattr(charts, "DRAWINGS", blank)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Of a module: while it is open, its event loop runs in this thread, where no other can."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        path = find_chromium(Path(driver.chromium.executable_path))
        # The sandbox needs rights that containers withhold; the pages are our own.
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=PATIENCE
        )
        make = browser.new_context

        def patient(**how: Any) -> Any:
            context = make(**how)
            context.set_default_timeout(PATIENCE)
            return context

        browser.new_context = patient
        yield browser
        browser.close()
