"""Images that are handed over in Python, whatever holds them, and their labels of whatever type."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

import counterfeit
from counterfeit import data, recipe
from counterfeit.data import Look, NoSuchSplit
from counterfeit.data.given import find, take
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.recipe.sections import Data
from counterfeit.run.stored import read_data, write_data
from counterfeit.training.fork import fork


class Labelled(Dataset):  # type: ignore[type-arg]
    """Digits with labels of one type."""

    def __init__(self, label: Any) -> None:
        self.images, self.label = data.load("digits").images[:40], label

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, Any]:
        return self.images[index], self.label(index % 3)


@pytest.mark.parametrize(
    "label",
    [
        int,
        np.int64,
        np.uint8,
        float,
        np.float32,
        torch.tensor,
        np.array,
        lambda number: torch.tensor([number]),
        lambda number: np.array([[number]]),
    ],
)
def test_a_whole_number_is_a_label(label: Any) -> None:
    found = find(Labelled(label), (1, 8, 8), None)
    assert found is not None
    train = found.train
    assert train.labels is not None
    assert train.labels.dtype == torch.int64
    assert set(train.labels.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    "label",
    [
        str,
        np.str_,
        lambda number: None,
        lambda number: number + 0.5,
        lambda number: torch.full((2,), number),
        lambda number: np.zeros(4),
        lambda number: torch.tensor(float("nan")),
        lambda number: number if number else None,
    ],
)
def test_what_is_none_is_no_label(label: Any) -> None:
    found = find(Labelled(label), (1, 8, 8), None)
    assert found is not None
    train = found.train
    assert train.labels is None


IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
LABELS = np.arange(40) % 3


@pytest.mark.parametrize(
    "given",
    [
        IMAGES,
        torch.from_numpy(IMAGES).unsqueeze(1),
        IMAGES[..., None] / 255,
        IMAGES / 127.5 - 1,
        list(IMAGES),
        TensorDataset(torch.from_numpy(IMAGES)),
        DataLoader(TensorDataset(torch.from_numpy(IMAGES)), batch_size=7),
        [Image.fromarray(image) for image in IMAGES],
    ],
    ids=["array", "tensor", "last", "signed", "list", "dataset", "loader", "pictures"],
)
def test_whatever_holds_them_the_images_are_the_same(given: Any) -> None:
    real = take(given, Data(), None)
    expected = take(IMAGES, Data(), None)
    assert real.kept
    assert [len(each) for each in real.splits] == [len(each) for each in expected.splits]
    for ours, theirs in zip(real.splits, expected.splits, strict=True):
        assert ours.labels is None
        assert torch.equal(ours.images, theirs.images)


@pytest.mark.parametrize(
    "given",
    [
        (IMAGES, LABELS),
        (torch.from_numpy(IMAGES), torch.from_numpy(LABELS)),
        (IMAGES.reshape(40, 64), LABELS),
        (IMAGES, torch.from_numpy(LABELS).bfloat16()),
        TensorDataset(torch.from_numpy(IMAGES), torch.from_numpy(LABELS)),
        list(zip(IMAGES, LABELS.tolist(), strict=True)),
    ],
)
def test_labels_come_with_their_images(given: Any) -> None:
    known = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    for split in take(given, Data(), None).splits:
        assert split.labels is not None
        assert split.labels.tolist() == [known[each.numpy().tobytes()] for each in split.images]


def test_of_a_subset_only_its_own_images_are_taken() -> None:
    whole = TensorDataset(torch.from_numpy(IMAGES), torch.from_numpy(LABELS))
    for given in (Subset(whole, range(20)), DataLoader(Subset(whole, range(20)))):
        real, expected = take(given, Data(), None), take((IMAGES[:20], LABELS[:20]), Data(), None)
        for ours, theirs in zip(real.splits, expected.splits, strict=True):
            assert torch.equal(ours.images, theirs.images)
            assert torch.equal(ours.labels, theirs.labels)


def test_words_in_an_array_of_objects_are_labels() -> None:
    words = np.array(["cat", "dog"] * 20, dtype=object)
    train = take((IMAGES, words), Data(), None).train
    assert train.classes == ("cat", "dog")


def test_that_labels_are_no_classes_is_said() -> None:
    for labels in (np.eye(40) / 2, np.full(40, np.inf)):
        train = take((IMAGES, labels), Data(), None).train
        assert train.labels is None
        assert any("left out" in each for each in data.doubts(train, Look()))


def test_the_section_says_how_given_images_are_to_look() -> None:
    train = take(IMAGES, Data(image_size=4, channels=3), None).train
    assert train.shape == (3, 4, 4)


def test_a_name_a_path_and_a_loaded_set_are_data_too(tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", IMAGES)
    named = take(tmp_path / "set.npy", Data(), None)
    assert named.section.name == str(tmp_path / "set.npy")
    assert not named.kept
    again = take(data.load("digits", "test"), Data(), None)
    assert again.kept
    assert again.train.classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (7, "data must be a data set's name"),
        (iter(IMAGES), "data must be a data set's name"),
        ([], "holds no images"),
        ([{"image": 1}], "data must hold images"),
        ([IMAGES[0], IMAGES[0, :4]], "one size and type"),
        (np.zeros((5, 2, 7, 9, 3)), "neither"),
        ((IMAGES, LABELS[1:]), "39 labels of 40 images"),
        ((IMAGES, [[1], [1, 2]] * 20), "one for each image, or as many for each"),
        (np.array(["a"]), "must be numbers"),
        (np.full((5, 8, 8), np.nan), "NaN"),
        ("nowhere/at/all", "neither a data set nor a path"),
    ],
)
def test_what_is_none_gets_one_line(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        take(given, Data(), None)
    assert "\n" not in str(error.value)


def test_too_much_to_keep_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfeit.data.given.MOST_BYTES", 1000)
    read: list[int] = []

    class Large(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 10**9

        def __getitem__(self, index: int) -> torch.Tensor:
            read.append(index)
            return torch.zeros(1, 8, 8)

    for given in (IMAGES, Large()):
        with pytest.raises(UsageError, match=r"name the file: data='images\.npz'"):
            take(given, Data(), None)
    assert read == [0]


def test_a_run_on_an_array_keeps_it_resumes_and_forks(tmp_path: Path) -> None:
    images, labels = data.load("digits").images[:200], data.load("digits").labels[:200]
    spec = recipe.load("sgd").with_overrides(
        ["generator.hidden=[8]", "discriminator.hidden=[8]", "discriminator.dropout=0.0",
         "training.epochs=2", "training.batch_size=20"]
    )  # fmt: skip
    whole = counterfeit.train(spec, data=(images, labels), out=tmp_path / "whole")
    half = counterfeit.train(spec, data=(images, labels), out=tmp_path / "half", epochs=1)
    resumed = counterfeit.resume(half.path, epochs=2)
    one, other = whole.checkpoint().tensors, resumed.checkpoint().tensors
    assert all(torch.equal(one[name], other[name]) for name in one)
    held = take((images, labels), Data(), None)
    assert torch.equal(resumed.load_split("train").images, held.train.images)
    assert torch.equal(resumed.load_split("test").labels, held.test.labels)
    with pytest.raises(CounterfeitError, match="keeps a copy"):
        resumed.find_data("digits")
    child = fork(resumed, resumed.recipe)
    shutil.rmtree(resumed.path)
    assert torch.equal(child.load_split("train").images, held.train.images)
    assert counterfeit.resume(child, epochs=3).log[-1]["epoch"] == 3


def test_too_few_to_test_with_are_said_to_be(tmp_path: Path) -> None:
    images = IMAGES[:6]
    write_data(tmp_path, take(images, Data(), None).splits)
    assert len(read_data(tmp_path, "x", "train", (1, 8, 8))) <= 6
    (tmp_path / "data.npz").unlink()
    write_data(tmp_path, [take(images, Data(), None).train])
    with pytest.raises(NoSuchSplit):
        read_data(tmp_path, "x", "test", (1, 8, 8))
