import hashlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from torch import Tensor

from counterfeit import data
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure import classifier
from counterfeit.measure.classifier import Classifier, FeatureNetwork
from counterfeit.measure.train_classifier import classifier_for, moved, nothing, train

WEIGHTS = files("counterfeit.measure") / "weights" / "mnist-v1.safetensors"


def has_mnist() -> bool:
    return (data.data_folder() / "mnist" / "t10k-images-idx3-ubyte").is_file()


@pytest.mark.skipif(
    not has_mnist(), reason="MNIST has not been fetched; `counterfeit data mnist` does it"
)
def test_at_least_99_4_percent_of_mnists_test_images_are_right(
    mnist_classifier: Classifier,
) -> None:
    images = data.load("mnist", "test")
    assert images.labels is not None
    right = mnist_classifier.read(images.images).classes == images.labels
    assert right.double().mean() >= 0.994


def test_reads_other_peoples_digits(
    mnist_classifier: Classifier, training: tuple[Tensor, Tensor]
) -> None:
    images, labels = training
    assert (mnist_classifier.read(images).classes == labels).double().mean() > 0.94


def test_loading_it_draws_nothing() -> None:
    state = torch.random.get_rng_state()
    classifier.mnist()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_is_unsure_of_noise(mnist_classifier: Classifier) -> None:
    rng = torch.Generator().manual_seed(0)
    uniform = torch.randint(0, 256, (100, 1, 28, 28), generator=rng, dtype=torch.uint8)
    sparse = (torch.rand(100, 1, 28, 28, generator=rng) < 0.1).to(torch.uint8) * 255
    flat = torch.arange(0, 256, 5, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    for images in (uniform, uniform // 4, sparse, flat):
        assert mnist_classifier.read(images).probabilities.max(1).values.max() < 0.9


def test_the_shipped_weights_are_small_and_those_of_the_checksum() -> None:
    content = WEIGHTS.read_bytes()
    assert len(content) < 2_000_000
    assert hashlib.sha256(content).hexdigest() == classifier.MNIST_SHA256


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "MNIST_SHA256", "0" * 64)
    with pytest.raises(CounterfeitError, match="damaged; install"):
        classifier.mnist()
    with pytest.raises(CounterfeitError, match="not the weights"):
        classifier.network_from(b"nonsense")


def test_the_name_says_data_version_and_weights(mnist_classifier: Classifier) -> None:
    assert mnist_classifier.name == f"mnist-v1-{classifier.MNIST_SHA256[:8]}"
    other = classifier.network_from(WEIGHTS.read_bytes())
    torch.nn.init.zeros_(other.head.bias)
    assert Classifier("mnist", other).name != mnist_classifier.name


def test_does_not_depend_on_batches_and_order(
    mnist_classifier: Classifier, training: tuple[Tensor, Tensor]
) -> None:
    images = training[0][:100]
    whole = mnist_classifier.read(images)
    parts = mnist_classifier.read(images.flip(0), batch=7)
    assert torch.allclose(parts.features.flip(0), whole.features, atol=1e-5)
    assert torch.allclose(parts.probabilities.flip(0), whole.probabilities, atol=1e-5)
    assert whole.probabilities.sum(1).sub(1).abs().max() < 1e-12


def test_reading_reports_its_progress(mnist_classifier: Classifier) -> None:
    seen: list[float] = []
    mnist_classifier.read(
        torch.zeros(25, 1, 28, 28, dtype=torch.uint8), batch=10, progress=seen.append
    )
    assert seen == pytest.approx([0.4, 0.8, 1])


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (3, 33, 40)])
def test_features_are_128_for_any_image(shape: tuple[int, int, int]) -> None:
    reader = Classifier("any", FeatureNetwork(shape[0], 4))
    found = reader.read(torch.zeros(3, *shape, dtype=torch.uint8))
    assert found.features.shape == (3, 128)
    assert found.probabilities.shape == (3, 4)
    assert reader.classes == 4


def test_training_learns() -> None:
    digits, held_out = data.load("digits", "train"), data.load("digits", "test")
    assert digits.labels is not None
    trained = Classifier("digits", train(digits.images, digits.labels, updates=25))
    assert (trained.read(held_out.images).classes == held_out.labels).double().mean() > 0.5


def test_training_repeats_itself_and_leaves_global_randomness_alone() -> None:
    digits = data.load("digits", "train")
    assert digits.labels is not None
    state = torch.random.get_rng_state()
    one, two = (Classifier("", train(digits.images, digits.labels, updates=4)) for _ in range(2))
    assert one.name == two.name
    assert torch.equal(torch.random.get_rng_state(), state)


def test_other_data_get_a_classifier_once(tmp_path: Path) -> None:
    digits = data.load("digits", "train")
    seen: list[float] = []
    first = classifier_for(digits, tmp_path, updates=3, progress=seen.append)
    assert first.name.startswith("digits-v1-")
    assert seen == pytest.approx([1 / 3, 2 / 3, 1])
    again = classifier_for(digits, tmp_path, updates=3, progress=seen.append)
    assert again.name == first.name
    assert len(seen) == 3
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-10])
    with pytest.raises(CounterfeitError, match="is damaged; remove it"):
        classifier_for(digits, tmp_path, updates=3)
    classifier_for(replace(digits, name="/home/me/My Digits"), tmp_path, updates=1)
    assert any(path.name.startswith("my-digits-v1-") for path in tmp_path.iterdir())


def test_labels_may_be_any_numbers(tmp_path: Path) -> None:
    digits = data.load("digits", "train").first(60)
    assert digits.labels is not None
    halves = digits.labels % 2
    plain, odd = (train(digits.images, labels, updates=2) for labels in (halves, 4 * halves + 3))
    assert Classifier("", plain).name == Classifier("", odd).name
    for _ in range(2):  # trained, then kept
        found = classifier_for(replace(digits, labels=4 * halves + 3), tmp_path, updates=2)
        assert found.classes == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_no_images_are_read_as_nothing(mnist_classifier: Classifier) -> None:
    found = mnist_classifier.read(torch.zeros(0, 1, 28, 28, dtype=torch.uint8))
    assert found.features.shape == (0, 128)


def test_mnist_has_its_own(tmp_path: Path, mnist_classifier: Classifier) -> None:
    images = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    found = classifier_for(data.ImageData("mnist", "train", images, None), tmp_path)
    assert found.name == mnist_classifier.name


def test_data_without_classes_cannot_have_one(tmp_path: Path) -> None:
    digits = data.load("digits", "train")
    for labels in (None, torch.zeros(len(digits), dtype=torch.int64)):
        with pytest.raises(UsageError, match="no labels of two or more classes"):
            classifier_for(replace(digits, labels=labels), tmp_path)


def test_moved_images_stay_close_and_nothing_has_the_range_of_pixels() -> None:
    images = torch.zeros(32, 1, 28, 28)
    images[:, :, 12:16, 12:16] = 1
    rng = torch.Generator().manual_seed(0)
    shifted = moved(images, rng)
    assert not torch.equal(shifted, images)
    assert shifted[:, :, 6:22, 6:22].sum() == pytest.approx(float(shifted.sum()))
    empty = nothing(images, rng)
    assert empty.shape == images.shape
    assert empty.min() >= 0
    assert empty.max() <= 1
