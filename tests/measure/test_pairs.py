import pytest
import torch

from counterfeit.measure import pairs
from counterfeit.measure.pairs import as_points, nearest, squared_distances


def test_distances_agree_with_float64() -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.rand(30, 784, generator=rng), torch.rand(40, 784, generator=rng)
    expected = torch.cdist(a.double(), b.double()).square()
    assert torch.allclose(squared_distances(a, b).double(), expected, rtol=1e-5)


def test_the_distance_of_equal_rows_is_exactly_zero() -> None:
    a = torch.rand(200, 784, generator=torch.Generator().manual_seed(0))
    assert squared_distances(a, a).diagonal().eq(0).all()
    assert squared_distances(a, a).eq(0).sum() == 200


def test_the_nearest_image_is_found_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "CHUNK", 7)
    rng = torch.Generator().manual_seed(0)
    among = torch.randint(0, 256, (50, 1, 8, 8), generator=rng, dtype=torch.uint8)
    images = torch.cat([among[[3, 49]], among[[20]] // 2])
    distance, index = nearest(images, among)
    expected = torch.cdist(as_points(images).double(), as_points(among).double()).min(1)
    assert index.tolist() == expected.indices.tolist()
    assert distance[:2].tolist() == [0, 0]
    assert distance[2] == pytest.approx(float(expected.values[2]))


def test_one_pixel_of_difference_is_seen() -> None:
    image = torch.full((1, 1, 28, 28), 200, dtype=torch.uint8)
    other = image.clone()
    other[0, 0, 5, 5] += 1
    distance, _ = nearest(image, other)
    assert distance.item() == pytest.approx(1 / 255, rel=1e-4)
