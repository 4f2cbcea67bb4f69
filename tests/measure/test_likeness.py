import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import avg_pool2d

from counterfeit import data
from counterfeit.measure.likeness import Usual, astray, looks, unlike


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
        for contrasted in (noise, noise // 4):
            assert looks(contrasted)[:, :2].mean(0).tolist() == pytest.approx([1, 1], abs=0.1)
    assert looks(torch.full((1, 1, 8, 8), 200).byte())[0, :2].tolist() == [0, 0]


def test_edges_are_rough_and_have_no_grain() -> None:
    stripes = torch.zeros(1, 1, 8, 8).byte()
    stripes[..., ::2] = 255
    roughness, grain = looks(stripes)[0, :2].tolist()
    assert roughness == pytest.approx(1, abs=0.01)
    assert grain == 0


def test_contrast_brightness_and_colour_are_what_they_say() -> None:
    red = torch.zeros(1, 3, 8, 8).byte()
    red[:, 0] = 255
    _, _, contrast, brightness, colourfulness, tint = looks(red)[0].tolist()
    assert brightness == pytest.approx(1 / 3)
    assert contrast == pytest.approx((2 / 9) ** 0.5, rel=0.01)
    assert colourfulness == tint == 1
    assert looks(red.float().mean(1, keepdim=True).byte())[0, 4:].tolist() == [0, 0]
    halves = torch.cat([red, red.roll(1, dims=1), red.roll(2, dims=1)], 2)  # red, green and blue
    assert looks(halves)[0, 4:].tolist() == pytest.approx([1, 0])


def test_what_is_beyond_its_place_counts_by_how_far_it_is() -> None:
    darkest, lightest = torch.full((1, 4, 4), 0.2), torch.full((1, 4, 4), 0.6)
    images = torch.full((3, 1, 4, 4), 102).byte()  # 0.4
    images[1, 0, 0] = 0  # a quarter of the pixels is 0.2 too dark
    images[2] = 255
    assert astray(images, darkest, lightest).tolist() == pytest.approx([0, 0.05, 0.4])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda images: 255 - images,
        lambda images: images // 4,
        lambda images: avg_pool2d(images.float(), 9, 1, 4).byte(),
        lambda images: torch.cat([images[:, :1], images[:, 1:] // 3], 1),
        lambda images: (images + 90 * torch.rand(images.shape)).clamp(0, 255).byte(),
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


def test_noise_in_gray_images_of_three_channels_is_not_unlike_them_and_a_tint_is(
    digits: Tensor,
) -> None:
    of_real = usual(digits[:800])
    noisy = digits[800:900].float()
    noisy += 20 * torch.randn(noisy.shape, generator=torch.Generator().manual_seed(0))
    noisy = torch.where(digits[800:900] > 40, noisy, 0).clamp(0, 255).byte()  # on the strokes
    assert looks(noisy)[:, 4].mean() > 0.05
    assert share(of_real, noisy) < 0.15
    tinted = digits[800:900].clone()
    tinted[:, 0] = tinted[:, 0].clamp(min=40)
    assert share(of_real, tinted) > 0.8


@pytest.mark.parametrize("count", [800, 100])
def test_a_faint_pattern_where_digits_are_never_bright_is_unlike_them(count: int) -> None:
    digits = data.load("digits").images  # of 8 x 8: as rough as their noise
    of_real = usual(digits[:count])
    rng = torch.Generator().manual_seed(0)
    pattern = 64 * torch.randn(8, 8, generator=rng).sign()
    others = digits[1000:1100]
    patterned = (others + pattern).clamp(0, 255).byte()
    assert share(of_real, patterned) > share(of_real, others) + 0.5


@pytest.mark.parametrize("contrast", [1, 0.2])
def test_how_much_of_a_tint_is_minded_depends_on_the_contrast_of_the_set(
    digits: Tensor, contrast: float
) -> None:
    paler = (digits * contrast).byte()
    of_real = usual(paler[:800])

    def redder(by: float) -> Tensor:
        tinted = paler[800:900].float()
        tinted[:, 0] += by * contrast
        return tinted.clamp(max=255).byte()

    assert share(of_real, redder(5)) < 0.15
    assert share(of_real, redder(30)) > 0.8
