"""A run that is trained once, and copies of it."""

import shutil

import pytest

import counterfeit
from counterfeit.run import Run
from counterfeit.training import loop


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    spec = counterfeit.load_recipe("sgd").with_overrides(
        ["data.name=digits", "generator.hidden=[8]", "discriminator.hidden=[8]",
         "discriminator.dropout=0", "training.epochs=1"]
    )  # fmt: skip
    return loop.train(spec, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def copy(trained: Run, tmp_path) -> Run:
    shutil.copytree(trained.path, tmp_path / "copy")
    return Run(tmp_path / "copy")
