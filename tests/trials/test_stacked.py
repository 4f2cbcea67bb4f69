"""Stacked MNIST: its images, and what is counted of a generator's."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from counterfeit import data, recipe
from counterfeit.data.images import Split
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure.classifier import Classifier, Reading
from counterfeit.run import Run
from counterfeit.trials import stacked
from counterfeit.trials.folder import Folder
from counterfeit.trials.stacked import StackedTrial, suited
from counterfeit.trials.trial import DIVERGED
from miniatures import Miniature

CPU = torch.device("cpu")
SMALL: dict[str, object] = {
    "training.epochs": 2,
    "training.batch_size": 32,
    "generator.hidden": [8],
    "discriminator.hidden": [8],
    "discriminator.dropout": 0.0,
}
PLAYERS = ("generator", "discriminator")


def trial(tmp_path: Path, **values: object) -> StackedTrial:
    spec = suited(recipe.load("adam")).with_values(SMALL | values)
    return StackedTrial(spec, CPU, tmp_path / "data")


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "SAMPLES", 64)


@pytest.mark.parametrize(("split", "count"), [("train", 64), ("test", 32)])
def test_images_are_three_digits_of_their_split(
    split: Split, count: int, mnist: Miniature, tmp_path: Path
) -> None:
    loaded = data.load("stacked-mnist", split, tmp_path / "data")
    assert loaded.images.shape == (count, 3, 28, 28)
    assert loaded.labels is None
    digits = {image.tobytes() for image in mnist.images[split][:, 0]}
    channels = loaded.images.flatten(0, 1).numpy()
    assert {channel.tobytes() for channel in channels} <= digits
    alike = [np.array_equal(*image[:2]) for image in loaded.images.numpy()]
    assert len(alike) - sum(alike) > 0  # drawn for each channel
    again = data.load("stacked-mnist", split, tmp_path / "data")
    assert torch.equal(again.images, loaded.images)


def test_both_lie_in_mnist_s_folder(mnist: Miniature, tmp_path: Path) -> None:
    assert data.fetch("stacked-mnist", tmp_path / "data") == tmp_path / "data" / "mnist"


def by_brightness(images: torch.Tensor) -> Reading:
    return Reading(torch.empty(0), torch.eye(10)[images[:, 0, 0, 0].long()])


@pytest.mark.usefixtures("mnist")
def test_what_is_found_is_what_the_classifier_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Classifier, "read", lambda self, images: by_brightness(images))
    asked = trial(tmp_path)
    one = torch.tensor([3, 1, 4], dtype=torch.uint8)[None, :, None, None].expand(100, 3, 28, 28)
    collapsed = asked.result(0, one, 1.0).scores
    shares = torch.tensor([3, 3, 3, 3, 2, 2, 2, 2, 2, 2]) / 24  # labels count up, 24 images
    assert collapsed["modes_found"] == 1
    likely = (shares[3] * shares[1] * shares[4]).item()
    assert collapsed["mode_kl"] == pytest.approx(-math.log(likely))
    every = torch.cartesian_prod(*[torch.arange(10, dtype=torch.uint8)] * 3)
    all_modes = every[..., None, None].expand(1000, 3, 28, 28)
    assert asked.result(0, all_modes, 1.0).scores["modes_found"] == 1000


@pytest.mark.usefixtures("mnist", "few_samples")
def test_a_run_is_trained_once_and_gone_on_with(tmp_path: Path) -> None:
    folder, asked = Folder(tmp_path / "trial"), trial(tmp_path)
    done: list[float] = []

    def stop(share: float) -> None:
        raise CounterfeitError("the disk is full")

    with pytest.raises(CounterfeitError, match="full"):
        asked.perform(0, folder, stop)
    first = asked.perform(0, folder, done.append)
    assert done[-1] == 1.0
    assert Run.open(folder.path / "runs" / "seed-0").log[-1]["epoch"] == 2
    assert first.seconds > 0
    assert asked.perform(0, folder, done.append).scores == first.scores
    assert done.count(1.0) == 1
    assert asked.picture(folder, [first]).mode == "RGB"


@pytest.mark.usefixtures("mnist", "few_samples")
def test_a_run_that_diverges_finds_nothing_and_others_go_on(tmp_path: Path) -> None:
    values: dict[str, object] = {f"{player}.optimizer.lr": 1e30 for player in PLAYERS}
    asked = trial(tmp_path, **values | {"loss.name": "wasserstein"})
    folder = Folder(tmp_path / "trial")
    for _ in range(2):
        result = asked.perform(0, folder, lambda share: None)
        assert result.why == DIVERGED
        assert result.scores["modes_found"] == 0
        assert math.isnan(result.scores["mode_kl"])
    assert asked.picture(folder, [result]) is None


def test_a_condition_is_left_out_as_there_are_no_labels() -> None:
    spec = suited(recipe.load("conditional"))
    assert spec.condition is None
    assert spec.generator.name == recipe.load("conditional").generator.name


def test_what_means_nothing_is_refused_before_it_begins() -> None:
    spec = suited(recipe.load("dcgan")).with_values({"penalties.r1.weight": 1.0})
    with pytest.raises(UsageError, match="BatchNorm"):
        StackedTrial(spec, CPU)
