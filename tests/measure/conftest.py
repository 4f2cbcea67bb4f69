"""Real digits for the shipped classifier, without a download, and generators with known faults."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from counterfeit import data
from counterfeit.measure import classifier
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.reference import Reference


def as_mnist(split: data.Split) -> tuple[Tensor, Tensor]:
    """scikit-learn's 8x8 digits drawn as MNIST draws its own: 20 pixels high, in a frame of 4."""
    digits = data.load("digits", split)
    assert digits.labels is not None
    large = interpolate(digits.images.float(), size=(20, 20), mode="bicubic").clamp(0, 255)
    return pad(large, (4, 4, 4, 4)).round().to(torch.uint8), digits.labels


@pytest.fixture(scope="session")
def training() -> tuple[Tensor, Tensor]:
    return as_mnist("train")


@pytest.fixture(scope="session")
def test() -> tuple[Tensor, Tensor]:
    return as_mnist("test")


@pytest.fixture(scope="session")
def mnist_classifier() -> Classifier:
    return classifier.mnist()


@pytest.fixture(scope="session")
def reference(
    training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], mnist_classifier: Classifier
) -> Reference:
    images, labels = training
    return Reference(
        split="test",
        images=test[0],
        training=images[:1000],
        validation=images[1200:],
        labels=labels,
        classifier=mnist_classifier,
    )
