"""How often the class that was asked for is the class seen, on answers that are known."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from counterfeit.measure.conditions import class_accuracy, intra_fid
from counterfeit.measure.distances import fid
from counterfeit.measure.images import Measured, measure_images, measure_real
from counterfeit.measure.names import MetricName, class_accuracies, class_shares, named
from counterfeit.measure.reference import Reference


def test_accuracies_are_shares_of_each_class() -> None:
    seen, asked = torch.tensor([0, 0, 1, 2, 2, 1]), torch.tensor([0, 0, 1, 1, 2, 2])
    measured = class_accuracy(seen, asked, torch.tensor([5, 6, 7, 8]))
    values = {name: value for name, (value, _) in measured.items()}
    assert values == {
        "class_accuracy": pytest.approx(4 / 6),
        "class_accuracy_5": 1.0,
        "class_accuracy_6": 0.5,
        "class_accuracy_7": 0.5,
    }  # nothing was asked of the fourth


def test_the_distance_within_classes_sees_what_was_swapped() -> None:
    rng = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [8.0, 0.0]])
    labels = torch.arange(400) % 2
    real, samples = (
        centres[labels] + torch.randn(400, 2, generator=rng) for _ in ("real", "samples")
    )
    right, swapped = (intra_fid(samples, asked, real, labels) for asked in (labels, 1 - labels))
    assert right is not None
    assert swapped is not None
    assert right.value == pytest.approx(
        sum(fid(samples[labels == k], real[labels == k]).value for k in (0, 1)) / 2
    )
    assert right.value < 0.3
    assert swapped.value == pytest.approx(64, rel=0.1)
    assert fid(samples, real).value < 0.3  # which the whole does not see
    assert swapped.spread is not None
    assert 0 < swapped.spread < 5


def test_a_class_with_few_images_has_no_distance() -> None:
    x = torch.randn(100, 3, generator=torch.Generator())
    few, half = torch.tensor([0] * 70 + [1] * 30), torch.arange(100) % 2
    assert intra_fid(x, few, x, half) is None
    assert intra_fid(x, half, x, torch.tensor([0] * 99 + [1])) is None


@pytest.fixture(scope="module")
def asked(
    reference: Reference, training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]
) -> Reference:
    """With real images to spare, and the classes of all."""
    images, labels = (values[:1200] for values in training)
    return replace(reference, real=images, image_classes=test[1], real_classes=labels)


def value(measured: Measured, metric: str) -> float:
    name = named(metric, measured.metrics)
    assert name is not None
    return measured.metrics[name].value


def test_real_images_are_what_their_labels_say_and_not_what_others_say(
    training: tuple[Tensor, Tensor], asked: Reference
) -> None:
    images, labels = training[0][:1000], training[1][:1000]
    right = measure_images(images, asked, asked=labels)
    wrong = measure_images(images, asked, asked=(labels + 1) % 10)
    assert value(right, "class_accuracy") > 0.95
    assert value(wrong, "class_accuracy") < 0.05
    assert value(wrong, "intra_fid") > 3 * value(right, "intra_fid")
    assert value(right, "fid") == value(wrong, "fid")
    accuracies = class_accuracies(right.metrics)
    assert [name.of_class for name in accuracies] == list(range(10))
    assert [name.of_class for name in class_shares(right.metrics)] == list(range(10))
    mean = sum(
        found.value * int((labels == name.of_class).sum()) for name, found in accuracies.items()
    )
    assert mean / 1000 == pytest.approx(value(right, "class_accuracy"))


def test_real_images_have_a_ceiling_of_the_same_names(
    training: tuple[Tensor, Tensor], asked: Reference
) -> None:
    images, labels = training[0][:1000], training[1][:1000]
    samples, real = measure_images(images, asked, asked=labels), measure_real(asked, 1000)
    assert {"class_accuracy", "intra_fid"} <= {
        MetricName.parse(name).metric for name in samples.metrics.keys() & real.metrics.keys()
    }


def test_nothing_is_said_where_nothing_was_asked_for(
    training: tuple[Tensor, Tensor], asked: Reference
) -> None:
    metrics = measure_images(training[0][:200], asked).metrics
    assert not any("accuracy" in name or "intra" in name for name in metrics)


def test_a_brief_evaluation_says_the_accuracy_alone(
    training: tuple[Tensor, Tensor], asked: Reference
) -> None:
    images, labels = training[0][:200], training[1][:200]
    brief = measure_images(images, asked, asked=labels, brief=True)
    assert named("class_accuracy", brief.metrics)
    assert not named("intra_fid", brief.metrics)
    full = measure_images(images, asked, asked=labels)  # about 20 of each class
    assert ("intra_fid",) in {line.metrics for line in full.left_out}
