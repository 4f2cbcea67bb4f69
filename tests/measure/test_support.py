import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from counterfeit import data
from counterfeit.measure.support import Nearness, sketches, support_size

COUNT = 100

SHAPES = st.sampled_from([(1, 8, 8), (3, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 9, 13)])


def images(count: int, shape: tuple[int, int, int], seed: int) -> Tensor:
    """Smooth images of random blobs, as different as real ones: noise of 4 x 4 cells, enlarged."""
    rng = torch.Generator().manual_seed(seed)
    cells = torch.rand(count, shape[0], 4, 4, generator=rng)
    return (255 * torch.nn.functional.interpolate(cells, shape[1:], mode="bilinear")).byte()


def repeated(patterns: Tensor, noise: float, seed: int) -> Tensor:
    """A hundred images, each one of these patterns, with noise of that standard deviation."""
    rng = torch.Generator().manual_seed(seed)
    chosen = patterns[torch.arange(COUNT) % len(patterns)].float()
    return (chosen + 255 * noise * torch.randn(chosen.shape, generator=rng)).clamp(0, 255).byte()


@settings(max_examples=25)
@given(SHAPES, st.integers(1, 10), st.floats(0, 0.05), st.integers(0, 1000))
def test_k_patterns_and_a_little_noise_are_seen_as_k(
    shape: tuple[int, int, int], k: int, noise: float, seed: int
) -> None:
    nearness = Nearness.of(images(300, shape, seed))
    assert nearness is not None
    found = nearness.support(repeated(images(k, shape, seed + 1), noise, seed))
    # n of each of k patterns make k n (n - 1) / 2 pairs, not n^2 k / 2.
    exact = (COUNT - 1) / (COUNT / k - 1)
    assert found == pytest.approx(exact, rel=0.35)


@settings(max_examples=25)
@given(SHAPES, st.integers(0, 1000))
def test_different_real_images_are_never_few(shape: tuple[int, int, int], seed: int) -> None:
    nearness = Nearness.of(images(400, shape, seed))
    assert nearness is not None
    assert nearness.real_support == pytest.approx(1000, rel=0.01)
    assert nearness.support(images(COUNT, shape, seed + 1)) > nearness.real_support / 20


def test_digits_and_a_part_of_them() -> None:
    digits = data.load("digits")
    nearness = Nearness.of(digits.images[:1000])
    assert nearness is not None
    assert nearness.support(digits.images[1000:1100]) > 300
    assert digits.labels is not None
    ones = digits.images[digits.labels == 1][:COUNT]
    assert nearness.support(ones) < 200  # one class is less various, and no collapse
    assert nearness.support(digits.images[:7].repeat(15, 1, 1, 1)[:COUNT]) < 8


def test_images_that_repeat_each_other_say_so_themselves() -> None:
    few = repeated(images(5, (1, 8, 8), 0), 0.0, 0).repeat(3, 1, 1, 1)
    nearness = Nearness.of(few)
    assert nearness is not None
    assert nearness.real_support == pytest.approx(5, rel=0.05)


def test_flat_images_are_copies_whatever_their_grey() -> None:
    flat = torch.arange(COUNT, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 16, 16)
    nearness = Nearness.of(images(300, (3, 16, 16), 0))
    assert nearness is not None
    assert nearness.support(flat) == 1
    assert sketches(flat).abs().max() < 1e-6


def test_too_few_real_images_say_nothing() -> None:
    assert Nearness.of(images(39, (1, 8, 8), 0)) is None


def test_the_metric_is_the_same_number_with_its_spread() -> None:
    nearness = Nearness.of(images(400, (1, 16, 16), 0))
    assert nearness is not None
    samples = repeated(images(8, (1, 16, 16), 1), 0.01, 0)
    measured = support_size(samples, nearness)
    assert measured.value == pytest.approx(nearness.support(samples))
    assert measured.spread is not None
    assert 0 < measured.spread < measured.value
    none_near = support_size(images(60, (1, 16, 16), 2), Nearness(-1.0, 1000.0))
    assert none_near.value == 60 * 59 / 2
    assert not math.isnan(none_near.spread or 0.0)
