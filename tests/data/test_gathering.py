"""Pictures that lie somewhere: their splits and classes, and what is done about broken ones."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from counterfeit import data
from counterfeit.data.fitting import Look
from counterfeit.data.gathering import BrokenImages
from counterfeit.errors import CounterfeitError


def save(path: Path, value: int, size: tuple[int, int] = (8, 8)) -> Path:
    """A picture of one gray value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)
    return path


def values(split: data.ImageData) -> list[int]:
    return sorted(split.images[:, 0, 0, 0].tolist())


@pytest.mark.parametrize("names", [("train", "test", "val"), ("Training", "testing", "VALID")])
def test_folders_called_train_test_and_val_are_splits(tmp_path: Path, names) -> None:
    for number, name in enumerate(names):
        for i in range(12):
            save(tmp_path / name / f"class {i % 2}" / f"{i}.png", 100 * number + i)
    train, test, validation = (
        data.load(tmp_path, split) for split in ("train", "test", "validation")
    )
    assert values(train.without_validation) == list(range(12))
    assert values(test) == list(range(100, 112))
    assert values(validation) == list(range(200, 212))
    assert train.apart
    assert len(train.first(None)) == 12  # never trained on
    with pytest.raises(CounterfeitError, match="use 1 to 12"):
        train.first(13)
    for split in (train, test, validation):
        assert split.classes == ("class 0", "class 1")
        assert torch.equal(split.labels, split.images[:, 0, 0, 0].long() % 2)


def test_without_a_test_folder_the_validation_folder_tests_and_that_is_said(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / "train" / f"{i}.png", i)
        save(tmp_path / "val" / f"{i}.png", 100 + i)
    train, test = data.load(tmp_path), data.load(tmp_path, "test")
    assert values(train) == list(range(12))
    assert not train.apart
    assert train.held_out >= 1
    assert values(test) == list(range(100, 112))
    assert any("are the test split" in each for each in data.doubts(train, Look()))


def test_without_a_second_split_folder_content_decides(tmp_path: Path) -> None:
    for i in range(20):
        save(tmp_path / "train" / ("cat", "dog")[i % 2] / f"{i}.png", i)
    train, test = data.load(tmp_path), data.load(tmp_path, "test")
    assert values(train) + values(test) != values(train)
    assert sorted(values(train) + values(test)) == list(range(20))
    assert train.classes == ("cat", "dog")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("train", "car", "plane"):
        save(tmp_path / name / "1.png", len(name))
    assert data.load(tmp_path).classes == ("car", "plane", "train")


def test_what_lies_beside_the_splits_is_passed_over(tmp_path: Path) -> None:
    for i in range(7):
        save(tmp_path / "train" / f"{i}.png", i)
        save(tmp_path / "test" / f"{i}.png", i)
    save(tmp_path / "cover.png", 200)
    train = data.load(tmp_path)
    assert len(train) == 7
    assert train.source is not None
    assert [each.name for each in train.source.passed_over] == [str(tmp_path / "cover.png")]


def test_labels_may_be_stylegans(tmp_path: Path) -> None:
    for i in range(20):
        save(tmp_path / f"{i // 10:05}" / f"img{i}.png", i)
    labels = [[f"{i // 10:05}/img{i}.png", i % 3] for i in range(20)]
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    train = data.load(tmp_path)
    assert torch.equal(train.labels, train.images[:, 0, 0, 0].long() % 3)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels[1:]}))
    for split in ("train", "test"):
        assert data.load(tmp_path, split).labels is None
    assert any("left out" in each for each in data.doubts(data.load(tmp_path), Look()))
    (tmp_path / "dataset.json").write_text('{"labels": null}')
    assert data.load(tmp_path).labels is None  # those folders are no classes
    wrongs = [
        json.dumps({"labels": wrong}) for wrong in ([1], *([["a", n]] for n in (1.5, -1, 10**20)))
    ]
    for wrong in (*wrongs, "[]", "nonsense", "[" * 10_000):
        (tmp_path / "dataset.json").write_text(wrong)
        with pytest.raises(CounterfeitError, match=r"dataset\.json is not StyleGAN's"):
            data.load(tmp_path)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """40 pictures, of which every fifth is broken, whatever its split."""
    for i in range(40):
        path = save(tmp_path / "set" / f"{i:02}.png", i)
        if i % 5 == 0:
            path.write_bytes(path.read_bytes()[:47])
    return tmp_path / "set"


def test_all_broken_pictures_are_named_at_once(damaged: Path) -> None:
    for split in ("train", "test"):
        with pytest.raises(BrokenImages, match=r"cannot read 8 of 40 images \(.*00\.png") as error:
            data.load(damaged, split)
        assert "and 5 more" in str(error.value)
        assert "--skip-broken" in str(error.value)
        assert "\n" not in str(error.value)


def test_broken_pictures_can_be_skipped(damaged: Path) -> None:
    train, test = (data.load(damaged, split, skip_broken=True) for split in ("train", "test"))
    sound = [i for i in range(40) if i % 5]
    assert sorted(values(train) + values(test)) == sound
    told = data.describe_source(train, test)
    assert "passed over" in told
    assert "00.png" in told
    assert len(train.validation) == train.held_out > 0


def test_a_skipped_picture_moves_no_other(damaged: Path) -> None:
    before = data.load(damaged, skip_broken=True)
    for i in range(0, 40, 5):
        (damaged / f"{i:02}.png").unlink()
    after = data.load(damaged)
    assert torch.equal(before.images, after.images)
    assert before.held_out == after.held_out


def test_where_nothing_can_be_read_nothing_is_loaded(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(b"nothing")
    with pytest.raises(CounterfeitError, match="no images that can be read"):
        data.load(tmp_path, skip_broken=True)


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    far = tmp_path / "far"
    for i in range(7):
        save(far / "cats" / f"{i}.png", i)
        save(far / "dogs" / f"{i}.png", 100 + i)
    place = tmp_path / "set"
    place.mkdir()
    (place / "cat").symlink_to(far / "cats", target_is_directory=True)
    (place / "dog").mkdir()
    for i in range(7):
        (place / "dog" / f"{i}.png").symlink_to(far / "dogs" / f"{i}.png")
    (place / "dog" / "up").symlink_to(place, target_is_directory=True)
    (place / "dog" / "self").symlink_to(place / "dog" / "self")
    (place / "dog" / "gone.png").symlink_to(tmp_path / "nothing.png")
    train, test = data.load(place), data.load(place, "test")
    assert train.classes == ("cat", "dog")
    assert sorted(values(train) + values(test)) == [*range(7), *range(100, 107)]
    told = data.describe_source(train)
    assert "a link to nothing" in told
    assert "a link to a folder that was read" in told


def test_many_links_to_the_same_folders_end_too(tmp_path: Path) -> None:
    """Two links in each of 40 folders to the next one: 2^40 ways."""
    for i in range(40):
        (tmp_path / str(i)).mkdir()
        for name in ("a", "b"):
            (tmp_path / str(i) / name).symlink_to(tmp_path / str(i + 1), target_is_directory=True)
    save(tmp_path / "40" / "1.png", 1)
    assert len(data.load(tmp_path)) == 1


def test_12_bits_become_visible_and_that_is_said(tmp_path: Path) -> None:
    for i in range(8):
        pixels = np.full((8, 8), 4095 - i, np.uint16)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    train = data.load(tmp_path)
    assert train.images.min() >= 254
    assert any("use 12 of them: 4,095 becomes white" in each for each in data.doubts(train, Look()))
    Image.fromarray(np.full((8, 8), 65535, np.uint16)).save(tmp_path / "white.png")
    assert data.load(tmp_path).images.min() < 20


def test_sizes_before_fitting_are_counted(tmp_path: Path) -> None:
    for i in range(20):
        save(tmp_path / f"{i}.png", i, (30, 10) if i % 4 else (8, 8))
    train, test = data.load(tmp_path), data.load(tmp_path, "test")
    assert "before fitting: 10 x 30 (15), 8 x 8 (5)" in data.describe_source(train, test)
