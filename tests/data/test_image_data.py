import pytest
import torch

from counterfeit import data
from counterfeit.errors import UsageError


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0)])
def test_every_pixel_value_survives_the_round_trip(low: float, high: float) -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    floats = data.as_float(pixels, low, high)
    assert floats.dtype == torch.float32
    assert (floats.min().item(), floats.max().item()) == (low, high)
    assert torch.equal(data.as_uint8(floats, low, high), pixels)


def test_as_float_equals_to_tensor_of_the_article() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(data.as_float(pixels, 0, 1), pixels.float() / 255)


def test_as_uint8_rounds_and_clamps() -> None:
    values = torch.tensor([-9.0, 0.0, 0.49 / 255, 0.51 / 255, 1.0, 9.0])
    assert data.as_uint8(values, 0, 1).tolist() == [0, 0, 0, 1, 255, 255]


def test_mean_image_is_the_mean_pixel_by_pixel() -> None:
    images = torch.randint(0, 256, (5000, 1, 2, 3), generator=torch.Generator().manual_seed(0))
    mean = data.ImageData("x", "train", images.to(torch.uint8), None).mean_image()
    torch.testing.assert_close(mean, (images.double() / 255).mean(0).float())


def test_first_takes_images_and_labels_alike() -> None:
    digits = data.load("digits")
    part = digits.first(10)
    assert len(part) == 10
    assert digits.labels is not None
    assert part.labels is not None
    assert torch.equal(part.labels, digits.labels[:10])
    assert digits.first(None) is digits
    with pytest.raises(UsageError, match="1,437"):
        digits.first(1438)
