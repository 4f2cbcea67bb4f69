import numpy as np
import pytest
from example_log import random_images
from hypothesis import given
from hypothesis import strategies as st

from counterfeit.insight.charts.grids import evenly, grid


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_is_its_images_pixel_by_pixel(channels: int) -> None:
    images = random_images(6, channels, 8)
    picture = np.asarray(grid(images, columns=3, scale=2)).reshape(32, 48, channels)
    for i, image in enumerate(images):
        row, column = divmod(i, 3)
        cell = picture[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        for dy in (0, 1):
            for dx in (0, 1):
                np.testing.assert_array_equal(cell[dy::2, dx::2], image.transpose(1, 2, 0))


def test_cells_left_over_in_a_grid_are_transparent() -> None:
    picture = np.asarray(grid(random_images(5, 1, 8), columns=3, scale=1))
    assert picture.shape == (16, 24, 4)
    assert (picture[8:, 16:, 3] == 0).all()
    assert (picture[:8, :, 3] == 255).all()


@given(st.integers(1, 300), st.integers(2, 100))
def test_evenly_keeps_both_ends_and_equal_distances(length: int, count: int) -> None:
    chosen = evenly(range(length), count)
    assert len(chosen) == min(length, count)
    assert chosen[0] == 0
    assert chosen[-1] == length - 1
    gaps = np.diff(chosen)
    assert len(gaps) == 0 or (gaps.min() >= 1 and gaps.max() - gaps.min() <= 1)
