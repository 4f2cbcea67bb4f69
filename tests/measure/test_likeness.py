import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import avg_pool2d

from counterfeit import data
from counterfeit.measure.likeness import Usual, looks, unlike


def usual(split: Tensor) -> Usual:
    found = Usual.of(split)
    assert found is not None
    return found


def share(among: Usual, images: Tensor) -> float:
    return float(among.unlike(images).float().mean())


@pytest.fixture(scope="module")
def digits() -> Tensor:
    return data.load("digits", image_size=16, channels=3).images


def test_noise_is_rough_at_any_size_and_a_flat_image_is_smooth() -> None:
    rng = torch.Generator().manual_seed(0)
    for size in (8, 28, 64):
        noise = torch.randint(0, 256, (200, 3, size, size), generator=rng).byte()
        assert looks(noise)[:, 0].mean() == pytest.approx(0, abs=0.1)
        assert looks(noise // 4)[:, 0].mean() == pytest.approx(0, abs=0.1)  # whatever its contrast
    assert looks(torch.full((1, 1, 8, 8), 200).byte())[0, 0] < -3


def test_contrast_brightness_and_colour_are_what_they_say() -> None:
    red = torch.zeros(1, 3, 8, 8).byte()
    red[:, 0] = 255
    _, contrast, brightness, colourfulness = looks(red)[0].tolist()
    assert brightness == pytest.approx(1 / 3)
    assert contrast == pytest.approx((2 / 9) ** 0.5, rel=0.01)
    assert colourfulness == 1
    assert looks(red.float().mean(1, keepdim=True).byte())[0, 3] == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda images: 255 - images,
        lambda images: images // 4,
        lambda images: avg_pool2d(images.float(), 9, 1, 4).byte(),
        lambda images: torch.cat([images[:, :1], images[:, 1:] // 3], 1),
        lambda images: (images + 60 * torch.rand(images.shape)).clamp(0, 255).byte(),
    ],
    ids=["inverted", "pale", "blurred", "coloured", "noisy"],
)
def test_spoilt_images_are_unlike_any(digits: Tensor, spoil) -> None:
    torch.manual_seed(0)
    of_real = usual(digits[:800])
    assert share(of_real, digits[800:]) < 0.15  # of other writers
    assert share(of_real, spoil(digits[800:900])) > 0.8


@settings(max_examples=25)
@given(st.integers(40, 300), st.integers(0, 100))
def test_real_images_are_like_real_images(digits: Tensor, count: int, seed: int) -> None:
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    of_real = usual(digits[order[:count]])
    assert share(of_real, digits[order[:count]]) <= 0.04 + 8 / count
    assert share(of_real, digits[order[count:]]) < 0.3


def test_too_few_real_images_say_nothing(digits: Tensor) -> None:
    assert Usual.of(digits[:39]) is None


def test_the_metric_is_the_share_with_its_spread(digits: Tensor) -> None:
    of_real = usual(digits[:800])
    half = torch.cat([digits[800:850], 255 - digits[800:850]])
    value, spread = unlike(half, of_real)
    assert value == pytest.approx(share(of_real, half))
    assert spread == pytest.approx((value * (1 - value) / 99) ** 0.5)


def test_a_trace_of_colour_in_gray_images_is_not_unlike_them(digits: Tensor) -> None:
    of_real = usual(digits[:800])  # gray, in three channels
    tinted = digits[800:900].clone()
    tinted[:, 0] = tinted[:, 0].clamp(min=4)
    assert share(of_real, tinted) < 0.15
    tinted[:, 0] = tinted[:, 0].clamp(min=40)
    assert share(of_real, tinted) > 0.8
