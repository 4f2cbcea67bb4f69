"""The property table of docs/metrics.md, on generators with known faults."""

import math

import pytest
import torch
from torch import Tensor

from counterfeit.errors import UsageError
from counterfeit.measure.images import measure_images
from counterfeit.measure.names import MetricName, left_out_line
from counterfeit.measure.reference import Reference, subset


def values(samples: Tensor, reference: Reference) -> dict[str, float]:
    """By the metric's short name."""
    assert reference.classifier is not None
    cut = (f"_{reference.classifier.name}", "_test_", "_200")
    return {
        min((name.split(part)[0] for part in cut), key=len): found.value
        for name, found in measure_images(samples, reference).metrics.items()
    }


@pytest.fixture(scope="module")
def real(training: tuple[Tensor, Tensor], reference: Reference) -> dict[str, float]:
    """Real images that the generator has not seen."""
    return values(training[0][1000:1200], reference)


def test_real_images_are_good_in_every_way(real: dict[str, float]) -> None:
    assert real["fid"] < 5
    assert real["kid"] < 0.05
    assert min(real["precision"], real["recall"]) > 0.7
    assert real["coverage"] > 0.5
    assert real["classes_found"] == 10
    assert real["class_tv"] < 0.15
    assert real["inception_score"] > 7
    assert 0.8 < real["nearest_ratio"] < 1.25
    assert real["copies"] < 0.05
    assert real["nearest_p"] > 1e-3


def test_one_image(
    reference: Reference, test: tuple[Tensor, Tensor], real: dict[str, float]
) -> None:
    found = values(test[0][:1].expand(200, -1, -1, -1), reference)
    assert found["fid"] > 10 * real["fid"]
    assert found["kid"] > 10 * real["kid"]
    assert found["precision"] == pytest.approx(1)
    assert found["recall"] < 0.02
    assert found["coverage"] < 0.05
    assert found["classes_found"] == 1
    assert found["class_tv"] == pytest.approx(0.9, abs=0.02)
    assert found["inception_score"] == pytest.approx(1)
    assert found["parzen"] < real["parzen"] - 100


def test_only_ones(
    reference: Reference, training: tuple[Tensor, Tensor], real: dict[str, float]
) -> None:
    images, labels = training
    ones = images[1000:][labels[1000:] == 1]
    found = values(ones.repeat(5, 1, 1, 1)[:200], reference)
    assert found["fid"] > 5 * real["fid"]
    assert found["precision"] > 0.7
    assert found["recall"] < 0.3
    assert found["coverage"] < 0.2
    assert found["share_1"] > 0.8
    assert found["classes_found"] <= 2
    assert found["class_tv"] > 0.75
    assert found["inception_score"] < 1.6


def test_training_images(
    reference: Reference, training: tuple[Tensor, Tensor], real: dict[str, float]
) -> None:
    found = values(training[0][:200], reference)
    assert found["fid"] < 2 * real["fid"]  # which no distance of distributions can see
    assert found["coverage"] > 0.5
    assert found["nearest_ratio"] == 0
    assert found["copies"] == 1
    assert found["nearest_p"] < 1e-30


def test_noise(reference: Reference, real: dict[str, float]) -> None:
    rng = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (200, 1, 28, 28), generator=rng, dtype=torch.uint8)
    found = values(noise, reference)
    assert found["fid"] > 10 * real["fid"]
    assert [found["precision"], found["recall"], found["coverage"]] == pytest.approx([0, 0, 0])
    assert found["unsure"] == 1
    assert found["classes_found"] == 0
    assert found["inception_score"] < 1.2
    assert found["parzen"] < real["parzen"] - 100


def test_names_carry_the_protocol(reference: Reference, training: tuple[Tensor, Tensor]) -> None:
    assert reference.classifier is not None
    features = reference.classifier.name
    found = measure_images(training[0][:1000], reference).metrics
    assert f"fid_{features}_test_1k" in found
    assert f"coverage_{features}_test_360" in found  # as many as there are test images
    assert f"class_tv_{features}_1k" in found
    assert {"parzen_test_1k", "parzen_sigma_1k", "nearest_ratio_test_1k"} <= found.keys()
    assert all(math.isfinite(m.value) for m in found.values())
    assert all(m.spread is None or math.isfinite(m.spread) for m in found.values())


def test_without_labels_there_are_looks_parzen_and_memorisation(
    training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]
) -> None:
    reference = Reference("validation", test[0], training[0][1200:], training[0][:1000])
    found = measure_images(training[0][1000:1200], reference).metrics
    assert found.keys() == {
        "support_size_validation_200",
        "unlike_validation_200",
        "nearest_ratio_validation_200",
        "nearest_p_validation_200",
        "copies_validation_200",
        "parzen_validation_200",
        "parzen_sigma_200",
    }


def test_without_held_out_images_there_is_no_memorisation(
    training: tuple[Tensor, Tensor],
) -> None:
    images = training[0]
    found = measure_images(images[:100], Reference("validation", images[1000:], images[1000:]))
    assert not found.metrics.keys() & {"nearest_ratio_validation_100", "copies_validation_100"}
    (line,) = found.left_out
    assert left_out_line(line) == (
        "nearest ratio, nearest p-value, copies: the validation images were trained on; none are"
        " held out"
    )


def test_few_and_odd_images_are_seen_without_labels(
    training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]
) -> None:
    reference = Reference("test", test[0], training[0][1200:], training[0][:1000])

    def measured(samples: Tensor) -> dict[str, float]:
        found = measure_images(samples, reference).metrics
        return {MetricName.parse(name).metric: found[name].value for name in found}

    real = measured(training[0][1000:1200])
    few = measured(training[0][1000:1005].repeat(40, 1, 1, 1))
    odd = measured(255 - training[0][1000:1200])
    assert real["support_size"] > 300
    assert few["support_size"] == pytest.approx(5, rel=0.1)
    assert real["unlike"] < 0.2
    assert odd["unlike"] > 0.9


def test_the_same_samples_get_the_same_numbers_in_any_order(
    reference: Reference, training: tuple[Tensor, Tensor], real: dict[str, float]
) -> None:
    assert values(training[0][1000:1200].flip(0), reference) == pytest.approx(real, rel=1e-3)


def test_progress_rises_to_one(reference: Reference, training: tuple[Tensor, Tensor]) -> None:
    seen: list[tuple[str, float]] = []
    measure_images(training[0][:50], reference, progress=lambda *told: seen.append(told))
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert seen[0][0] == "reading images"


def test_bad_input_is_a_clear_error(reference: Reference) -> None:
    with pytest.raises(UsageError, match="shape"):
        measure_images(torch.zeros(50, 3, 28, 28, dtype=torch.uint8), reference)
    with pytest.raises(UsageError, match="39 samples are too few"):
        measure_images(torch.zeros(39, 1, 28, 28, dtype=torch.uint8), reference)


def test_a_subset_is_always_the_same_and_follows_no_order() -> None:
    rows = torch.arange(10_000)
    chosen = subset(rows, 1_000)
    assert torch.equal(chosen, subset(rows, 1_000))
    assert len(chosen.unique()) == 1_000
    assert abs((chosen % 2).double().mean().item() - 0.5) < 0.05
    assert abs(chosen.double().mean().item() - 5_000) < 300
    assert subset(torch.arange(3), 5).tolist() == [0, 1, 2]
