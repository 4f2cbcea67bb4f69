import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from counterfeit import recipe
from counterfeit.insight import charts
from counterfeit.insight.charts.grids import cell_scale
from counterfeit.insight.charts.maxout import filters, maxout_shapes
from counterfeit.networks import Maxout, SharedMaxout
from counterfeit.run import Run, checkpoint
from counterfeit.training import loop


def test_maxout_shapes_draw_the_lines_and_their_maximum() -> None:
    layer = SharedMaxout(2, trainable=False)
    layer.weight.copy_(torch.tensor([1.0, -1.0]))
    layer.bias.zero_()
    axes = maxout_shapes([("epoch 1", [layer])]).axes[0]
    *lines, maximum = axes.lines
    assert [line.is_dashed() for line in lines] == [True, True]
    assert not maximum.is_dashed()
    x, y = maximum.get_data()
    np.testing.assert_allclose(y, np.abs(np.asarray(x)), atol=1e-6)


def test_maxout_shapes_reach_the_corners() -> None:
    layer = SharedMaxout(2, trainable=False)
    layer.weight.copy_(torch.tensor([1.0, 0.0]))
    layer.bias.copy_(torch.tensor([0.0, 5.0]))
    axes = maxout_shapes([("epoch 1", [layer])]).axes[0]
    assert axes.lines[-1].get_xdata()[-1] > 5


def test_maxout_shapes_survive_enormous_lines() -> None:
    layer = SharedMaxout(3, trainable=False)
    torch.nn.init.constant_(layer.weight, 3e38)
    maxout_shapes([("epoch 1", [layer])]).savefig(io.BytesIO())


def test_filters_show_the_units_with_the_largest_weights() -> None:
    layer = Maxout(16, units=3, pieces=2)
    with torch.no_grad():
        layer.linear.weight.zero_()
        layer.linear.weight.view(2, 3, 16)[0, 2] = 1.0
        layer.linear.weight.view(2, 3, 16)[1, 2] = -1.0
        picture = filters(layer.linear.weight.view(2, 3, 1, 4, 4), units=2)
    shades = np.asarray(picture)
    cell = shades.shape[1] // 2
    assert (shades[:cell, :cell] == 255).all()
    assert (shades[cell:, :cell] == 0).all()
    assert set(np.unique(shades[:, cell:])) <= {127, 128}


def test_maxout_is_drawn_at_the_epochs_that_are_kept(
    small_recipe: recipe.Recipe, tmp_path: Path
) -> None:
    spec = small_recipe.with_values({"discriminator.activation": "maxout"})
    run = loop.train(spec, seed=1, epochs=3, device="cpu", out=tmp_path)
    with Image.open(charts.write(run, "maxout-history")) as picture:
        width, height = picture.size
    columns, rows = 4, 2 * spec.discriminator.pieces  # epochs 0, 1, 2 and 3
    side = 2 * cell_scale(8, 8) * 8
    assert (width, height - rows * side) == (columns * side, 64)


def test_maxout_is_drawn_without_a_checkpoint_that_goes_meanwhile(
    small_recipe: recipe.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small_recipe.with_values({"discriminator.activation": "maxout"})
    run = loop.train(spec, seed=1, epochs=3, device="cpu", out=tmp_path)
    listed = run.checkpoint_steps
    run.remove_checkpoint(listed[0])
    monkeypatch.setattr(Run, "checkpoint_steps", listed)
    with Image.open(charts.write(run, "maxout-history")) as picture:
        assert picture.width == 3 * 2 * cell_scale(8, 8) * 8  # epochs 0, 2 and 3


def test_maxout_is_drawn_of_the_newest_checkpoint_though_it_goes_once_it_is_read(
    small_recipe: recipe.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small_recipe.with_values({"discriminator.activation": "maxout"})
    run = loop.train(spec, seed=1, epochs=1, device="cpu", out=tmp_path)
    newest = checkpoint.newest

    def then_gone(folder: Path) -> checkpoint.Checkpoint | None:
        state = newest(folder)
        for step in checkpoint.steps(folder):
            checkpoint.remove(folder, step)
        return state

    monkeypatch.setattr(checkpoint, "newest", then_gone)
    with Image.open(charts.write(run, "maxout-history")) as picture:
        assert picture.width == 2 * 2 * cell_scale(8, 8) * 8  # epochs 0 and 1
