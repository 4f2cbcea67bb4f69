"""One small run for all tests of the command line."""

from pathlib import Path

import pytest
from command import TINY

from counterfeit import cli


@pytest.fixture(scope="session")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    cli.main(["train", "batchnorm-smoothing", *TINY, f"--out={out}"])
    (path,) = out.iterdir()
    return path
