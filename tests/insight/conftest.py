from pathlib import Path

import pytest

from counterfeit import recipe
from counterfeit.run import Run
from counterfeit.run.rows import Measurement
from counterfeit.training import loop

SMALL = """
name = "small"
title = "A small run on 8x8 digits"
source = "made for <these> tests"
data = { name = "digits" }
latent = { dim = 8 }
loss = { real_labels = [0.9, 1.0] }
training = { epochs = 3, batch_size = 128 }
[generator]
hidden = [16]
batch_norm = true
optimizer = { name = "adam", lr = 0.001 }
[discriminator]
hidden = [16]
train_shared_maxout = true
optimizer = { name = "adam", lr = 0.001 }
"""


@pytest.fixture(scope="session")
def small_recipe(tmp_path_factory: pytest.TempPathFactory) -> recipe.Recipe:
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(SMALL)
    return recipe.load(path)


@pytest.fixture(scope="session")
def small_run(small_recipe: recipe.Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = loop.train(small_recipe, seed=1, device="cpu", out=tmp_path_factory.mktemp("runs"))
    for epoch, fid in ((1, 90.0), (3, 70.0), (2, 80.0)):
        values = {"fid_digits-v1_validation_100": [fid, 1.5]}
        for metric in ("precision", "recall", "density", "coverage"):
            values[f"{metric}_digits-v1_validation_100"] = [epoch / 4, 0.01]
        run.append_metrics({"step": 11 * epoch, "epoch": epoch, "metrics": values})
    run.add_real_scores({"fid_digits-v1_validation_100": Measurement(0.5, 0.1)})
    return run


@pytest.fixture
def empty_run(small_recipe: recipe.Recipe, tmp_path: Path) -> Run:
    """A run that was stopped before it wrote anything."""
    return Run.create(tmp_path, small_recipe, {"seed": 0, "image_shape": [1, 8, 8]})
