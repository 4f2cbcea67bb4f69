import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from PIL import Image

from counterfeit import data
from counterfeit.data.fitting import FITS, Fit, Look, fit_all, fitted, opaque

RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(width: int, height: int) -> Image.Image:
    """The left half red, the right half blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, BLUE
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("fit", "left", "top"), [("crop", RED, RED), ("pad", RED, (0, 255, 0)), ("stretch", RED, RED)]
)
def test_each_fit_keeps_what_it_says(fit: Fit, left: tuple, top: tuple) -> None:
    image = fitted(halves(32, 16), (8, 8), 3, Look(fit=fit, background="#00ff00"))  # (8, 8, 3)
    assert image[4, 0].tolist() == list(left)
    assert image[0, 0].tolist() == list(top)
    assert image[4, 7].tolist() == list(BLUE)


def test_a_tall_image_is_cropped_in_its_middle() -> None:
    tall = halves(32, 16).transpose(Image.Transpose.ROTATE_90)
    image = fitted(tall, (8, 8), 3, Look())
    assert image[0, 4].tolist() == list(BLUE)
    assert image[7, 4].tolist() == list(RED)


@given(
    alpha=st.integers(0, 255),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    ground=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_opacity_mixes_linearly(
    alpha: int, colour: tuple[int, ...], ground: tuple[int, ...]
) -> None:
    picture = Image.new("RGBA", (1, 1), (*colour, alpha))
    mixed = opaque(picture, "#{:02x}{:02x}{:02x}".format(*ground)).getpixel((0, 0))
    exact = (np.array(colour) * alpha + np.array(ground) * (255 - alpha)) / 255
    assert np.abs(np.array(mixed) - exact).max() <= 1


@pytest.mark.parametrize("fit", FITS)
def test_square_images_of_the_size_are_left_as_they_are(fit: Fit) -> None:
    digits = data.load("digits").first(20)
    assert torch.equal(fit_all(digits.images, Look(8, 1, fit)), digits.images)
    for image in digits.images:
        same = fitted(Image.fromarray(image[0].numpy()), (8, 8), 1, Look(fit=fit))
        assert np.array_equal(same[..., 0], image[0].numpy())
