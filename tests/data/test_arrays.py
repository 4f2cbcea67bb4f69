"""Images as numbers: whatever comes, it is images of the right shape in bytes, or one line."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from counterfeit.data.arrays import as_images
from counterfeit.errors import UsageError

SHAPE = (3, 2, 4)

NUMBERS = st.sampled_from(
    [np.uint8, np.int64, np.float16, np.float32, np.float64, np.bool_, np.complex64, np.dtype("U2")]
)
SHAPES = st.one_of(
    st.sampled_from([(5, 3, 2, 4), (5, 2, 4, 3), (5, 24), (5, 4, 2, 3), (0, 3, 2, 4), (5, 8)]),
    arrays.array_shapes(min_dims=0, max_dims=5, max_side=4),
)


def read(values: object) -> torch.Tensor:
    return as_images(values, SHAPE, what="the images", wanted="the data's")


@given(NUMBERS.flatmap(lambda kind: arrays.arrays(kind, SHAPES)))
def test_any_array_is_read_or_refused_in_one_line(values: np.ndarray) -> None:
    refusal = ""
    try:
        images = read(values)
    except UsageError as error:
        refusal = str(error)
    assert "\n" not in refusal
    if not refusal:
        assert (images.dtype, images.shape) == (torch.uint8, (len(values), *SHAPE))


@pytest.mark.parametrize("scale", [lambda x: x / 255, lambda x: x / 127.5 - 1, lambda x: x / 1.0])
def test_every_range_gives_the_same_bytes(scale) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (5, *SHAPE), generator=generator)
    images[0, 0, 0, :2] = torch.tensor([0, 255])
    for values in (scale(images), scale(images).permute(0, 2, 3, 1), scale(images).flatten(1)):
        assert torch.equal(read(values), images.to(torch.uint8))


def test_bytes_are_taken_as_they_are() -> None:
    dark = torch.ones(5, *SHAPE, dtype=torch.uint8)  # and not white, as 1.0 would be
    assert torch.equal(read(dark), dark)


def test_standardised_numbers_are_taken_where_any_are() -> None:
    values = torch.linspace(-0.4, 2.8, 5 * 24).view(5, *SHAPE)
    with pytest.raises(UsageError, match=r"from -0.4 to 2.8"):
        read(values)
    images = as_images(values, SHAPE, what="data", wanted="G's", any_range=True)
    assert (int(images.min()), int(images.max())) == (0, 255)
