import io
import itertools
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_finding import finding
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.files import Row
from counterfeit.game.losses import LOSSES, Scores, discriminator_loss
from counterfeit.insight import figures
from counterfeit.networks import Maxout, SharedMaxout
from counterfeit.run import Run
from counterfeit.run.rows import Measurement
from counterfeit.training import loop


def random_images(count: int, channels: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, channels, size, size), dtype=np.uint8)


EVEN = figures.Equilibrium(0.5, math.log(2), math.log(2))


def loss_curves(rows: list[Row], findings=()) -> Figure:
    return figures.loss_curves(rows, EVEN, findings)


def output_bands(rows: list[Row], findings=()) -> Figure:
    return figures.output_bands(rows, EVEN, findings)


def log_row(step: int, epoch: float, **values: float) -> Row:
    row: Row = {"step": step, "epoch": epoch}
    for name in ("d_loss", "g_loss", "d_loss_last", "g_loss_last", "d_grad_norm", "g_grad_norm"):
        row[name] = 1.0
    for name in ("d_real", "d_fake"):
        row |= {f"{name}_q{q}": 0.5 for q in ("05", "25", "50", "75", "95")}
    return row | values


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_is_its_images_pixel_by_pixel(channels: int) -> None:
    images = random_images(6, channels, 8)
    picture = np.asarray(figures.grid(images, columns=3, scale=2)).reshape(32, 48, channels)
    for i, image in enumerate(images):
        row, column = divmod(i, 3)
        cell = picture[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        for dy in (0, 1):
            for dx in (0, 1):
                np.testing.assert_array_equal(cell[dy::2, dx::2], image.transpose(1, 2, 0))


def test_cells_left_over_in_a_grid_are_transparent() -> None:
    picture = np.asarray(figures.grid(random_images(5, 1, 8), columns=3, scale=1))
    assert picture.shape == (16, 24, 4)
    assert (picture[8:, 16:, 3] == 0).all()
    assert (picture[:8, :, 3] == 255).all()


@given(st.integers(1, 300), st.integers(2, 100))
def test_evenly_keeps_both_ends_and_equal_distances(length: int, count: int) -> None:
    chosen = figures.evenly(range(length), count)
    assert len(chosen) == min(length, count)
    assert chosen[0] == 0
    assert chosen[-1] == length - 1
    gaps = np.diff(chosen)
    assert len(gaps) == 0 or (gaps.min() >= 1 and gaps.max() - gaps.min() <= 1)


def test_nearest_agrees_with_all_distances() -> None:
    images = torch.from_numpy(random_images(57, 3, 4))
    queries = images[[3, 50, 20]].clone()
    queries[:, 0, 0, 0] ^= 1
    assert figures.nearest(queries, images, chunk=10).tolist() == [3, 50, 20]
    others = torch.from_numpy(random_images(40, 3, 4)[20:])
    expected = torch.cdist(others.flatten(1).double(), images.flatten(1).double()).argmin(dim=1)
    torch.testing.assert_close(figures.nearest(others, images, chunk=7), expected)


def test_an_epochs_mean_weighs_rows_by_their_updates() -> None:
    rows = [
        log_row(100, 100 / 120, d_loss=1.0, d_loss_last=9.0),
        log_row(120, 1.0, d_loss=4.0, d_loss_last=5.0),
        log_row(180, 1.5, d_loss=7.0, d_loss_last=8.0),
    ]
    last, mean = figures.epoch_losses(rows)
    np.testing.assert_allclose(last, [[1, 5, 1], [1.5, 8, 1]])
    np.testing.assert_allclose(mean, [[1, (100 * 1 + 20 * 4) / 120, 1], [1.5, 7, 1]])


@pytest.mark.parametrize(
    "chart", [loss_curves, output_bands, figures.gradient_norms], ids=["loss", "output", "gradient"]
)
@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf])
def test_charts_survive_what_a_broken_run_logs(chart, bad: float) -> None:
    keys = [key for key in log_row(1, 1) if key not in ("step", "epoch")]
    broken = dict.fromkeys(keys, bad)
    for rows in ([log_row(1, 1.0, **broken)], [log_row(1, 1.0), log_row(2, 2.0, **broken)]):
        chart(rows).savefig(io.BytesIO(), format="png", dpi=30)


def test_labels_at_the_right_edge_do_not_overlap() -> None:
    figure = loss_curves([log_row(n, n, d_loss=0.69, g_loss=0.7) for n in range(1, 40)])
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
        assert len(boxes) == 3
        assert all(low.y1 <= high.y0 + 1 for low, high in itertools.pairwise(boxes))


def test_maxout_shapes_draw_the_lines_and_their_maximum() -> None:
    layer = SharedMaxout(2, trainable=False)
    layer.weight.copy_(torch.tensor([1.0, -1.0]))
    layer.bias.zero_()
    axes = figures.maxout_shapes([("epoch 1", [layer])]).axes[0]
    *lines, maximum = axes.lines
    assert [line.is_dashed() for line in lines] == [True, True]
    assert not maximum.is_dashed()
    x, y = maximum.get_data()
    np.testing.assert_allclose(y, np.abs(np.asarray(x)), atol=1e-6)


def test_maxout_shapes_reach_the_corners() -> None:
    layer = SharedMaxout(2, trainable=False)
    layer.weight.copy_(torch.tensor([1.0, 0.0]))
    layer.bias.copy_(torch.tensor([0.0, 5.0]))
    axes = figures.maxout_shapes([("epoch 1", [layer])]).axes[0]
    assert axes.lines[-1].get_xdata()[-1] > 5


def test_filters_show_the_units_with_the_largest_weights() -> None:
    layer = Maxout(16, units=3, pieces=2)
    with torch.no_grad():
        layer.linear.weight.zero_()
        layer.linear.weight.view(2, 3, 16)[0, 2] = 1.0
        layer.linear.weight.view(2, 3, 16)[1, 2] = -1.0
        picture = figures.filters(layer.linear.weight.view(2, 3, 1, 4, 4), units=2)
    shades = np.asarray(picture)
    cell = shades.shape[1] // 2
    assert (shades[:cell, :cell] == 255).all()
    assert (shades[cell:, :cell] == 0).all()
    assert set(np.unique(shades[:, cell:])) <= {127, 128}


def test_an_animation_is_lossless_and_keeps_to_its_limit() -> None:
    images = random_images(30, 1, 8)
    frames = [figures.frame(np.roll(images, n, axis=0), f"epoch {n}") for n in range(20)]
    with Image.open(io.BytesIO(figures.animation(frames))) as picture:
        assert picture.n_frames == 20
        picture.seek(19)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.asarray(frames[19]))
    limit = 20_000
    small = figures.animation(frames, limit)
    assert len(small) <= limit
    with Image.open(io.BytesIO(small)) as picture:
        picture.seek(picture.n_frames - 1)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.asarray(frames[19]))


def test_every_figure_of_a_run_is_a_picture(small_run: Run) -> None:
    for name in figures.FIGURES:
        if name in ("animation", "classes", "maxout-history"):  # tested on their own
            continue
        with Image.open(figures.write(small_run, name)) as picture:
            picture.load()
            assert picture.width > 100


def test_metric_curves_need_two_epochs_of_one_protocol(small_run: Run, empty_run: Run) -> None:
    rows = small_run.metrics
    assert figures.has_metric_curves(small_run)
    empty_run.append_metrics(rows[0])
    assert not figures.has_metric_curves(empty_run)
    other = {"step": 22, "epoch": 2, "metrics": {"fid_digits-v1_test_100": [1.0, 0.1]}}
    empty_run.append_metrics(other)
    assert not figures.has_metric_curves(empty_run)
    real = {
        f"fid_digits-v1_{split}_100": Measurement(value, 0.1)
        for split, value in (("validation", 0.5), ("test", 7.0))
    }
    upper, lower = figures.metric_curves(figures.comparable(rows), real).axes
    np.testing.assert_array_equal(upper.lines[0].get_xydata(), [[1, 90], [2, 80], [3, 70]])
    assert upper.lines[1].is_dashed()
    assert list(upper.lines[1].get_ydata()) == [0.5, 0.5]
    assert len(lower.lines) == 4


def test_the_history_shows_the_first_latent_after_each_epoch(small_run: Run) -> None:
    picture = np.asarray(Image.open(figures.write(small_run, "history")))
    scale = figures.cell_scale(8, 8)
    for n, epoch in enumerate(e for e in small_run.snapshot_epochs if e > 0):
        cell = picture[::scale, ::scale, 0][:8, 8 * n : 8 * n + 8]  # the red of gray is gray
        np.testing.assert_array_equal(cell, small_run.snapshot(epoch)[0, 0])


def test_a_figure_that_cannot_be_drawn_says_why(empty_run: Run) -> None:
    for name in ("samples", "history", "animation", "losses", "maxout", "nearest"):
        with pytest.raises(CounterfeitError, match=r"\.$"):
            figures.write(empty_run, name)


def test_samples_are_written_as_a_grid_or_an_array(tmp_path) -> None:
    images = torch.from_numpy(random_images(12, 1, 8))
    figures.write_samples(images, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["images"], images.numpy())
        assert archive["images"].dtype == np.uint8
    figures.write_samples(images, tmp_path / "x.png")
    assert Image.open(tmp_path / "x.png").size == (800, 160)
    with pytest.raises(UsageError, match=r"\.png or \.npz"):
        figures.write_samples(images, tmp_path / "x.jpg")
    with pytest.raises(CounterfeitError, match="cannot write"):
        figures.write_samples(images, tmp_path / "missing" / "x.png")


def test_charts_leave_matplotlibs_global_state_alone() -> None:
    import sys

    assert isinstance(loss_curves([log_row(1, 1.0)]), Figure)
    assert "matplotlib.pyplot" not in sys.modules


def test_metric_curves_survive_missing_and_undefined_metrics() -> None:
    rows: list[Row] = [
        {
            "step": 1,
            "epoch": 1,
            "metrics": {
                "fid_x-v1_10": Measurement(math.nan, None),
                "recall_x-v1_10": Measurement(0.5, 0.1),
            },
        },
        {"step": 2, "epoch": 2, "metrics": {"fid_x-v1_10": Measurement(3.0, 0.1)}},
    ]
    figures.metric_curves(figures.comparable(rows), {}).savefig(io.BytesIO())


def test_a_log_of_words_is_named() -> None:
    with pytest.raises(CounterfeitError, match="not every d_loss is a number"):
        loss_curves([log_row(1, 0.5), log_row(2, 1.0) | {"d_loss": "low"}])


def test_maxout_shapes_survive_enormous_lines() -> None:
    layer = SharedMaxout(3, trainable=False)
    torch.nn.init.constant_(layer.weight, 3e38)
    figures.maxout_shapes([("epoch 1", [layer])]).savefig(io.BytesIO())


@pytest.mark.parametrize("generator", ["non-saturating", "minimax"])
@pytest.mark.parametrize("labels", [(1.0, 1.0), (0.7, 0.9)])
def test_the_equilibrium_is_where_the_discriminator_gains_nothing(
    small_recipe: recipe.Recipe, generator: str, labels: tuple[float, float]
) -> None:
    spec = small_recipe.with_values({"loss.generator": generator, "loss.real_labels": labels})
    even = figures.equilibrium(spec)
    logit = torch.tensor([even.output], dtype=torch.float64).logit().requires_grad_()
    loss = discriminator_loss(logit, logit, sum(labels) / 2)
    (slope,) = torch.autograd.grad(loss, logit)
    assert slope.item() == pytest.approx(0, abs=1e-12)
    assert loss.item() == pytest.approx(even.d_loss)
    g_loss = LOSSES[generator](torch.ones(1)).generator(Scores(logit), None)
    assert g_loss.item() == pytest.approx(even.g_loss)
    if labels == (1.0, 1.0):
        assert even.d_loss == pytest.approx(math.log(4) / 2)


def test_findings_are_named_above_a_chart_and_tinted_in_it() -> None:
    rows = [log_row(n, n) for n in range(1, 11)]
    late = finding("dead_units", severity="note", first_epoch=8, last_epoch=99)
    figure = loss_curves(rows, [finding(first_epoch=2, last_epoch=5), late])
    ribbon, *charts = figure.axes
    assert [text.get_text() for text in ribbon.texts] == ["mode collapse", "dead units"]
    assert len(charts) == 2
    for axes in charts:
        spans = [patch.get_extents() for patch in axes.patches]
        assert len(spans) == 2
        left, right = axes.transData.transform([[2, 0], [5, 0]])[:, 0]
        assert (spans[0].x0, spans[0].x1) == pytest.approx((left, right))
    figure.draw_without_rendering()
    assert charts[0].get_xlim()[1] < 11  # a finding reaches no further than the log


def test_the_longest_protocol_is_drawn() -> None:
    measured = [
        (1, "validation", 3.0),
        (2, "validation", 2.0),
        (2, "validation", 1.0),
        (2, "test", 9.0),
    ]
    rows: list[Row] = [
        {"step": 1, "epoch": epoch, "metrics": {f"fid_x-v1_{split}_10": Measurement(value, None)}}
        for epoch, split, value in measured
    ]
    assert [row["metrics"] for row in figures.comparable(rows)] == [
        {"fid_x-v1_validation_10": Measurement(3.0, None)},
        {"fid_x-v1_validation_10": Measurement(1.0, None)},
    ]
    assert figures.comparable([]) == []


def test_class_shares_are_those_of_the_newest_evaluation(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(CounterfeitError, match="counterfeit evaluate"):
        figures.class_shares(small_run)
    shutil.copytree(small_run.path, tmp_path / "run")
    run = Run(tmp_path / "run")
    for epoch, share in ((3, 0.9), (2, 0.5)):
        rest = (1 - share) / 9
        values = {f"share_{c}_digits-v1-ab_10k": [rest, 0.01] for c in range(1, 10)}
        values = {"share_0_digits-v1-ab_10k": [share, 0.02]} | values
        run.append_metrics({"step": 11 * epoch, "epoch": epoch, "metrics": values})
    shares = figures.class_shares(run)
    assert shares.generated[0] == 0.9
    assert shares.errors[0] == 0.02
    assert shares.real.sum() == pytest.approx(1)
    assert (shares.counted, shares.reader) == ("epoch 3, 10,000 samples", "digits-v1-ab")
    data_bars, generated_bars = figures.class_bars(shares).axes[0].containers[:2]
    assert [bar.get_height() for bar in data_bars] == list(shares.real)
    assert [bar.get_height() for bar in generated_bars] == list(shares.generated)


def test_classes_are_those_of_the_labels_whatever_their_values(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = replace(small_run.load_data(), classes=())
    odd = replace(digits, labels=torch.where(torch.arange(len(digits)) % 4 == 0, 7, 3))
    monkeypatch.setattr(Run, "load_data", lambda run, split="train": odd)
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    values = {"share_3_digits-v1-ab_1k": [0.6, 0.1], "share_7_digits-v1-ab_1k": [0.4, 0.1]}
    run.append_metrics({"step": 33, "epoch": 3, "metrics": values})
    shares = figures.class_shares(run)
    assert list(shares.classes) == ["3", "7"]
    np.testing.assert_allclose(shares.real, [0.75, 0.25], atol=0.01)
    assert list(shares.generated) == [0.6, 0.4]


def test_maxout_is_drawn_at_the_epochs_that_are_kept(
    small_recipe: recipe.Recipe, tmp_path: Path
) -> None:
    spec = small_recipe.with_values({"discriminator.activation": "maxout"})
    run = loop.train(spec, seed=1, epochs=3, device="cpu", out=tmp_path)
    with Image.open(figures.write(run, "maxout-history")) as picture:
        width, height = picture.size
    columns, rows = 4, 2 * spec.discriminator.pieces  # epochs 0, 1, 2 and 3
    side = 2 * figures.cell_scale(8, 8) * 8
    assert (width, height - rows * side) == (columns * side, 64)
