"""Inception's features: only from the weights that everybody compares by."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure import inception
from counterfeit.measure.images import measure_images
from counterfeit.measure.inception import Inception
from counterfeit.measure.reference import Reference

extractors = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the right tensors, drawn at random: the real one is a download of 92 MB."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractors, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(extractors.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = extractors.FeatureExtractorInceptionV3("random", ["2048"])
    torch.save(network.state_dict(), path)
    return path


def test_another_file_is_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(CounterfeitError, match="another file, or damaged; get https"):
        Inception.load(weights)
    with pytest.raises(UsageError, match="cannot read"):
        Inception.load(tmp_path / "none.pth")


def test_images_without_labels_are_measured(test: tuple[Tensor, Tensor]) -> None:
    images, _ = test
    few_features = Inception(lambda part: (part[:, 0, 8:20, 8:20].flatten(1).float(),))
    reference = Reference(
        "test", images[:40], images[40:60], images[60:200], extractors=(few_features,)
    )
    measured = measure_images(images[200:240], reference).metrics
    assert "fid_inception-v3-6726825d_test_40" in measured
    assert "coverage_inception-v3-6726825d_test_40" in measured
    assert not any(name.startswith("inception_score") for name in measured)


def test_features_are_those_of_the_library(
    weights: Path, test: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, "SHA256_START", checksum[:8])
    network = Inception.load(weights)
    images = test[0][:3]
    (expected,) = network.network(images.repeat(1, 3, 1, 1))
    assert torch.allclose(network.read(images), expected)
