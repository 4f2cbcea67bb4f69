import io

import numpy as np
from example_log import random_images
from PIL import Image

from counterfeit.insight import charts
from counterfeit.insight.charts.grids import cell_scale
from counterfeit.insight.charts.history import animation, labelled_frame
from counterfeit.run import Run


def test_the_history_shows_the_first_latent_after_each_epoch(small_run: Run) -> None:
    picture = np.asarray(Image.open(charts.write(small_run, "history")))
    scale = cell_scale(8, 8)
    for n, epoch in enumerate(e for e in small_run.snapshot_epochs if e > 0):
        cell = picture[::scale, ::scale, 0][:8, 8 * n : 8 * n + 8]  # the red of gray is gray
        np.testing.assert_array_equal(cell, small_run.snapshot(epoch)[0, 0])


def test_an_animation_is_lossless_and_keeps_to_its_limit() -> None:
    images = random_images(30, 1, 8)
    frames = [labelled_frame(np.roll(images, n, axis=0), f"epoch {n}") for n in range(20)]
    with Image.open(io.BytesIO(animation(frames))) as picture:
        assert picture.n_frames == 20
        picture.seek(19)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.asarray(frames[19]))
    limit = 20_000
    small = animation(frames, limit)
    assert len(small) <= limit
    with Image.open(io.BytesIO(small)) as picture:
        picture.seek(picture.n_frames - 1)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.asarray(frames[19]))
