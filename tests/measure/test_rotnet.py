"""Features of images without labels, learned from how the images were turned."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit import data
from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts import write_each
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.distances import fid
from counterfeit.measure.images import measure_images
from counterfeit.measure.manifold import prdc
from counterfeit.measure.names import MetricName
from counterfeit.measure.reference import reference_of
from counterfeit.measure.rotnet import RotNet, kept_rotnet, rotnet_for, train
from counterfeit.measure.sets import evaluate
from counterfeit.measure.train_classifier import classifier_for
from own_data import barely_trained_classifier


@pytest.fixture(scope="module")
def digits() -> data.ImageData:
    return replace(data.load("digits", "train"), labels=None)


@pytest.fixture(scope="module")
def learned(digits: data.ImageData) -> Classifier:
    return Classifier("digits-rotnet", train(digits.images, updates=60))


def test_training_learns_which_way_up_images_are(learned: Classifier) -> None:
    held_out = data.load("digits", "test").images
    for turn in range(4):
        right = learned.read(held_out.rot90(turn, (2, 3))).classes == turn
        assert right.double().mean() > 0.6


def test_its_features_tell_images_from_what_is_none(learned: Classifier) -> None:
    real, test = data.load("digits", "train").images[:300], data.load("digits", "test").images
    read = RotNet(learned).read
    rng = torch.Generator().manual_seed(0)
    noise = torch.randint(256, real.shape, generator=rng, dtype=torch.uint8)
    cut = torch.cat([real[..., 4:], real.roll(1, 0)[..., :4]], 3)
    few = real[:5].repeat(60, 1, 1, 1)
    for wrong in (noise, cut):
        assert fid(read(wrong), read(test)).value > 2 * fid(read(real), read(test)).value
    coverage = [prdc(read(images), read(test))["coverage"].value for images in (few, real)]
    assert coverage[0] < 0.3 < 0.8 < coverage[1]


@settings(max_examples=20)
@given(st.sampled_from([1, 3]), st.integers(4, 20), st.integers(4, 20), st.integers(1, 5))
def test_images_of_any_size_have_features(
    channels: int, height: int, width: int, count: int
) -> None:
    images = torch.randint(256, (count, channels, height, width), dtype=torch.uint8)
    network = Classifier("x", train(images, updates=1))
    assert network.classes == (4 if height == width else 2)
    assert RotNet(network).read(images).shape == (count, 128)


def test_it_is_trained_once_and_kept(digits: data.ImageData, tmp_path: Path) -> None:
    assert kept_rotnet(digits, tmp_path) is None
    seen: list[float] = []
    first = rotnet_for(digits, tmp_path / "new", updates=2, progress=seen.append)
    assert seen == [0.5, 1.0]
    again = kept_rotnet(digits, tmp_path / "new")
    assert again is not None
    assert again.name == first.name
    name = MetricName("fid", first.name, "test", 40)
    assert MetricName.parse(str(name)) == name
    assert (name.kind, name.reader) == ("rotnet", "Digits RotNet")
    (path,) = (tmp_path / "new").iterdir()
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CounterfeitError, match="is damaged; remove it"):
        rotnet_for(digits, tmp_path / "new", updates=2)


@pytest.mark.parametrize("made", [rotnet_for, classifier_for])
def test_a_folder_that_cannot_be_made_is_said_before_minutes_of_training(
    made: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    seen: list[float] = []
    with pytest.raises(CounterfeitError, match="cannot make the folder"):
        made(data.load("digits"), tmp_path / "file" / "kept", updates=2, progress=seen.append)
    assert not seen


def test_training_repeats_itself_and_leaves_global_randomness_alone(
    digits: data.ImageData,
) -> None:
    state = torch.random.get_rng_state()
    one, two = (Classifier("x", train(digits.images, updates=3)) for _ in range(2))
    assert one.name == two.name
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two updates are enough where nothing is asked of the features."""
    monkeypatch.setattr("counterfeit.measure.reference.rotnet_for", partial(rotnet_for, updates=2))


@pytest.mark.usefixtures("quick")
def test_data_without_labels_have_fid_to_coverage_where_it_was_asked_for_once(
    digits: data.ImageData, tmp_path: Path
) -> None:
    write_each(digits.images[:400], tmp_path / "set")
    place, data_dir = str(tmp_path / "set"), tmp_path / "data"
    samples = data.load(place).images[:60]
    without = evaluate(samples, place, data_dir=data_dir)
    assert any("fid" in each.metrics and "--rotnet" in each.why for each in without.left_out)
    assert not any(name.startswith("fid") for name in without.metrics)
    asked = evaluate(samples, place, rotnet=True, data_dir=data_dir)
    for metric in ("fid", "kid", "precision", "recall", "density", "coverage"):
        assert any(name.startswith(f"{metric}_set-rotnet-v1-") for name in asked.metrics)
    assert not any("fid" in each.metrics for each in asked.left_out)
    assert evaluate(samples, place, data_dir=data_dir).metrics.keys() == asked.metrics.keys()
    brief = measure_images(samples, reference_of(place, data_dir=data_dir), brief=True)
    assert any(name.startswith("coverage_set-rotnet") for name in brief.metrics)


@pytest.mark.usefixtures("quick")
def test_beside_a_classifier_it_is_only_where_it_is_asked_for(tmp_path: Path) -> None:
    with_classifier = barely_trained_classifier(tmp_path)
    samples = data.load("digits", "test").images[:40]

    def kinds(**asked: bool) -> set[str | None]:
        found = evaluate(samples, "digits", data_dir=with_classifier, **asked).metrics
        return {MetricName.parse(name).kind for name in found if name.startswith("fid")}

    assert kinds() == {"classifier"}
    assert kinds(rotnet=True) == {"classifier", "rotnet"}
    assert kinds() == {"classifier"}
