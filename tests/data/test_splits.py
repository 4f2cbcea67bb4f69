"""Splits by content: what holds for any images, and for folders and files of them."""

import shutil
from itertools import pairwise
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from small_set import idx_bytes

from counterfeit import data
from counterfeit.data import splits
from counterfeit.data.images import SPLITS
from counterfeit.data.splits import KEYS, by_content

# Few keys, so that there are copies, and classes with none on one side.
PICTURE = st.tuples(st.sampled_from(range(0, KEYS, KEYS // 50)), st.integers(0, 3))
PICTURES = st.lists(PICTURE, min_size=1, max_size=40)


def split_of(pictures: list[tuple[int, int]], *, test: bool = True) -> list[str]:
    """The split of each picture, a key and a label."""
    keys, labels = map(list, zip(*pictures, strict=True))
    parts = by_content(keys, labels, test=test)
    assert sorted(parts.train + parts.test) == list(range(len(pictures)))
    names = dict.fromkeys(parts.test, "test") | dict.fromkeys(parts.train, "train")
    names |= dict.fromkeys(parts.train[len(parts.train) - parts.validation :], "validation")
    return [names[i] for i in range(len(pictures))]


@given(PICTURES, st.booleans())
def test_copies_are_on_one_side_and_no_class_is_without_training_images(
    pictures: list[tuple[int, int]], test: bool
) -> None:
    found = split_of(pictures, test=test)
    by_key = {(key, split) for (key, _), split in zip(pictures, found, strict=True)}
    assert len(by_key) == len({key for key, _ in pictures})
    trained = {label for (_, label), split in zip(pictures, found, strict=True) if split == "train"}
    assert trained == {label for _, label in pictures}


@given(st.lists(st.sets(st.integers(0, KEYS - 1), min_size=1, max_size=30), max_size=4))
def test_a_class_of_enough_images_has_some_in_every_split(classes: list[set[int]]) -> None:
    pictures = [(key, label) for label, keys in enumerate(classes) for key in keys]
    if len({key for key, _ in pictures}) < len(pictures) or not pictures:
        return  # what classes share is decided once
    found = split_of(pictures)
    for label, keys in enumerate(classes):
        own = [split for (_, each), split in zip(pictures, found, strict=True) if each == label]
        if len(keys) >= 7:
            assert "test" in own
        if len(own) - own.count("test") >= 6:
            assert "validation" in own


def by_number(pictures: list[tuple[int, int]]) -> list[str]:
    """The split that each picture's key says, whatever else there is."""
    seventh = KEYS // 7
    return [
        "test" if key < seventh else "validation" if key < 2 * seventh else "train"
        for key, _ in pictures
    ]


@given(PICTURES)
def test_where_a_class_has_images_on_every_side_all_depends_on_each_alone(
    pictures: list[tuple[int, int]],
) -> None:
    """So that nothing which is added or removed moves another."""
    everywhere = [(i * (KEYS // 7) + label, label) for label in range(4) for i in (0, 1, 5)]
    assert split_of(pictures + everywhere) == by_number(pictures + everywhere)


@given(PICTURES)
def test_a_class_makes_one_exception_for_each_split_at_most(
    pictures: list[tuple[int, int]],
) -> None:
    odd = {
        key
        for (key, _), split, own in zip(
            pictures, split_of(pictures), by_number(pictures), strict=True
        )
        if split != own
    }
    classes = len({label for _, label in pictures})
    assert len(odd) <= 2 * (classes + 1)  # all images together are one more group


@hypothesis.settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_large_classes_are_split_alike_and_nothing_moves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, KEYS, 900, np.uint64).tolist()
    pictures = [(key, i % 3) for i, key in enumerate(keys)]
    found = split_of(pictures)
    for label in range(3):
        own = found[label::3]  # 300: a share of 1/7 is 43 with a deviation of 6.1
        assert 13 < own.count("test") < 73
        assert 13 < own.count("validation") < 73
    kept = sorted(rng.choice(900, 600, replace=False).tolist())
    assert split_of([pictures[i] for i in kept]) == [found[i] for i in kept]


@given(PICTURES, PICTURES)
def test_the_order_of_training_images_is_theirs_alone(
    before: list[tuple[int, int]], added: list[tuple[int, int]]
) -> None:
    """So that the first n stay among the first m, and an added image shifts the others by one."""
    for pictures in (before, before + added):
        keys, labels = map(list, zip(*pictures, strict=True))
        parts = by_content(keys, labels, test=True)
        end = len(parts.train) - parts.validation
        assert all(keys[i] >= keys[j] for i, j in pairwise(parts.train[:end]))


@pytest.fixture(scope="module")
def sorted_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 700 digits, a sub-folder for each class."""
    digits = data.load("digits").first(700)
    assert digits.labels is not None
    folder = tmp_path_factory.mktemp("digits")
    for i, (image, label) in enumerate(zip(digits.images, digits.labels.tolist(), strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        Image.fromarray(image[0].numpy()).save(folder / str(label) / f"{i:03}.pgm")
    return folder


def pictures_in(folder: Path) -> dict[str, list[bytes]]:
    """The images of each split, as bytes."""
    loaded = {split: data.load(str(folder), split, image_size=8) for split in SPLITS}
    loaded["train"] = loaded["train"].without_validation
    return {
        split: sorted(image.numpy().tobytes() for image in each.images)
        for split, each in loaded.items()
    }


def test_a_sorted_folder_is_split_across_its_classes(sorted_digits: Path) -> None:
    counts = {}
    for split in SPLITS:
        labels = data.load(str(sorted_digits), split).labels
        assert labels is not None
        counts[split] = labels.bincount(minlength=10).tolist()
    for split in ("test", "validation"):
        assert min(counts[split]) >= 1
        assert 60 <= sum(counts[split]) <= 140  # of 700; the deviation is 9.3
    few = data.load(str(sorted_digits)).first(100).labels
    assert few is not None
    assert min(few.bincount(minlength=10).tolist()) >= 1


def test_files_added_removed_and_renamed_move_no_other_image(
    sorted_digits: Path, tmp_path: Path
) -> None:
    before = pictures_in(sorted_digits)
    folder = Path(shutil.copytree(sorted_digits, tmp_path / "changed"))
    first = sorted((folder / "0").iterdir())[0]
    Image.new("L", (8, 8), 7).save(folder / "0" / "0.pgm")
    for path in sorted((folder / "5").iterdir()):
        path.rename(path.with_name(f"renamed-{path.stem[::-1]}.pgm"))
    added = bytes([7]) * 64
    after = {
        split: [i for i in images if i != added] for split, images in pictures_in(folder).items()
    }
    assert after == before

    with Image.open(first) as image:
        removed = np.asarray(image).tobytes()
    first.unlink()
    after = pictures_in(folder)
    assert {
        split: [image for image in images if image != removed] for split, images in before.items()
    } == {split: [image for image in images if image != added] for split, images in after.items()}


def test_a_copy_is_on_the_side_of_its_picture(sorted_digits: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sorted_digits, tmp_path / "copies"))
    for path in sorted(folder.glob("*/*.pgm")):
        shutil.copy(path, folder / "9" / f"copy-{path.name}")
    found = {split: set(images) for split, images in pictures_in(folder).items()}
    assert found["train"].isdisjoint(found["test"] | found["validation"])
    assert found["validation"].isdisjoint(found["test"])


@pytest.mark.parametrize("count", range(1, 30))
def test_small_folders_train_and_test_where_they_can(tmp_path: Path, count: int) -> None:
    for i in range(count):
        Image.new("L", (4, 4), 8 * i).save(tmp_path / f"{i:02}.pgm")
    train = data.load(str(tmp_path))
    assert len(train.without_validation) >= 1
    if count >= 7:
        test = data.load(str(tmp_path), "test")
        assert len(test) + len(train) == count
        assert len(test) <= count / 2


def test_idx_files_keep_their_test_split_and_validate_by_content(tmp_path: Path) -> None:
    digits = data.load("digits")
    assert digits.labels is not None
    order = digits.labels.argsort(stable=True)  # sorted by class
    images, labels = digits.images[order, 0].numpy(), digits.labels[order].numpy()
    for prefix, part in (("train", slice(0, None, 2)), ("t10k", slice(1, None, 2))):
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images[part]))
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels[part]))
    test = data.load(str(tmp_path), "test")
    assert np.array_equal(test.images[:, 0].numpy(), images[1::2])
    train = data.load(str(tmp_path))
    assert train.validation.labels is not None
    assert train.first(100).labels is not None
    for part in (train.validation.labels, train.first(100).labels):
        assert min(part.bincount(minlength=10).tolist()) >= 1
    pairs = {(i.numpy().tobytes(), int(j)) for i, j in zip(train.images, train.labels, strict=True)}
    assert pairs == {(i.tobytes(), int(j)) for i, j in zip(images[::2], labels[::2], strict=True)}


def test_published_sets_are_split_by_position() -> None:
    train = data.load("digits")
    assert train.held_out == len(train) // splits.VALIDATION_SHARE
    assert train.validation.images.equal(train.images[-239:])
    assert data.load("digits", "validation").images.equal(train.validation.images)
    assert train.without_validation.images.equal(train.images[:-239])
    assert train.first(1200).held_out == 2  # of 1,437 - 239 = 1,198
    assert train.first(1198).held_out == 0
