"""Classes are counted from 0 in the order of their labels."""

import torch

from counterfeit import data
from counterfeit.data import ImageData


def images_of(labels: list[int] | None, classes: tuple[str, ...] = ()) -> ImageData:
    count = 3 if labels is None else len(labels)
    tensor = None if labels is None else torch.tensor(labels)
    return ImageData("x", "train", torch.zeros(count, 1, 2, 2, dtype=torch.uint8), tensor, classes)


def test_labels_become_numbers_in_their_order() -> None:
    everything = images_of([5, 9, 2, 9])
    assert data.class_numbers(everything, everything).tolist() == [1, 2, 0, 2]
    assert data.class_numbers(images_of([9, 3, 2, 77]), everything).tolist() == [2, -1, 0, -1]
    assert data.class_numbers(images_of(None), everything) is None


def test_sizes_have_names() -> None:
    everything = images_of([1, 2, 0, 2], ("cat", "dog", "eel"))
    numbered = images_of([1, 2], ("cat", "dog", "eel"))
    assert data.class_sizes(everything, numbered) == {"cat": 0, "dog": 1, "eel": 1}
    assert data.class_sizes(images_of([5, 9]), images_of([0, 0])) == {"5": 2, "9": 0}
    assert data.class_sizes(images_of(None), images_of(None)) == {}
