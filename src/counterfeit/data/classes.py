"""The classes of labelled images, counted from 0 in the order of their labels."""

from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from counterfeit.data.images import ImageData


class Classes(NamedTuple):
    """The classes among some labels, which may be any whole numbers."""

    labels: Int64[Tensor, " classes"]
    """The different ones, in rising order: what a classifier's columns stand for."""
    which: Int64[Tensor, " N"]
    """Which of them each label is, from 0."""
    sizes: Int64[Tensor, " classes"]
    """How often each occurs."""


def classes_of(labels: Int64[Tensor, " N"]) -> Classes:
    return Classes(*torch.unique(labels, return_inverse=True, return_counts=True))


def class_numbers(images: ImageData, everything: ImageData) -> Int64[Tensor, " N"] | None:
    """The number of each image's class among those of the whole training split; -1 for another."""
    if images.labels is None or everything.labels is None:
        return None
    among = classes_of(everything.labels).labels
    places = torch.searchsorted(among, images.labels).clamp(max=len(among) - 1)
    return places.where(among[places] == images.labels, -1)


def class_sizes(everything: ImageData, images: ImageData) -> dict[str, int]:
    """How many of the images are of each class of the whole split, by its name, in order.

    Nothing where there are no labels. A class without a name is called by its label.

    Args:
        images: of the split, with the classes' numbers as their labels.
    """
    if everything.labels is None or images.labels is None:
        return {}
    labels = classes_of(everything.labels).labels.tolist()
    names = [everything.classes[each] if everything.classes else str(each) for each in labels]
    sizes = images.labels.bincount(minlength=len(names)).tolist()
    return dict(zip(names, sizes, strict=True))
