import io

import numpy as np
from PIL import Image

from counterfeit.insight.charts.grids import SHADE
from counterfeit.insight.report import film
from counterfeit.run import Run


def test_a_frame_is_its_images_in_sixteen_shades() -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, 1, 8, 8), dtype=np.uint8)
    with Image.open(io.BytesIO(film.frame(images))) as picture:
        shown = np.asarray(picture.convert("L")).astype(int)
    cell = images[57, 0].astype(int)
    assert shown.shape == (80, 80)
    assert np.abs(shown[5 * 8 : 6 * 8, 7 * 8 : 8 * 8] - cell).max() <= SHADE / 2 + 0.5
    assert set(np.unique(shown)) <= set(range(0, 256, 17))


def test_a_film_has_every_epoch_while_that_fits(small_run: Run) -> None:
    (whole,) = film.films([small_run], limit=10**9)
    assert whole.epochs == small_run.snapshot_epochs == [0, 1, 2, 3]
    size = sum(map(len, whole.frames))
    (thinned,) = film.films([small_run], limit=size - 1)
    assert thinned.epochs[0] == 0
    assert thinned.epochs[-1] == 3
    assert sum(map(len, thinned.frames)) < size


def test_runs_share_the_limit_and_keep_their_own_ends(small_run: Run, empty_run: Run) -> None:
    for epoch in (0, 1):
        path = f"snapshots/epoch-{epoch:04d}.npz"
        (empty_run.path / path).write_bytes((small_run.path / path).read_bytes())
    long, short = film.films([small_run, empty_run], limit=1)
    assert (long.epochs, short.epochs) == ([0, 3], [0, 1])


def test_a_run_without_a_film_says_why(small_run: Run, empty_run: Run) -> None:
    there, none = film.films([small_run, empty_run], limit=10**9)
    assert there.frames
    assert "no snapshots" in none.missing
