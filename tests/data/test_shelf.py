"""Images that are too many for memory: the same bits, from files."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import counterfeit
from counterfeit import data, recipe
from counterfeit.data import shelf
from counterfeit.data.fitting import Look
from counterfeit.data.idx import write_idx
from counterfeit.data.images import SPLITS
from counterfeit.data.shelf import Shelf
from counterfeit.errors import CounterfeitError
from counterfeit.files import lock

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, 8, 8, 3), np.uint8)


@pytest.fixture(params=["npy", "npz", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        for number, image in enumerate(IMAGES):
            path = tmp_path / "set" / str(number % 3) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
        return tmp_path / "set"
    path = tmp_path / f"set.{request.param}"
    if request.param == "npy":
        np.save(path, IMAGES)
    else:
        np.savez(path, x_train=IMAGES[:40], y_train=np.arange(40) % 4, x_test=IMAGES[40:])
    return path


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory for images."""
    monkeypatch.setattr("counterfeit.data.shelf.MEMORY_SHARE", 2**60)


def load(place: Path, split: data.Split) -> data.ImageData:
    return data.load(place, split, place.parent / "kept", image_size=16)


def kept(place: Path) -> list[Path]:
    return sorted((place.parent / "kept" / "fitted").glob("*/*/images.npy"))


def is_mapped(split: data.ImageData) -> bool:
    """Whether its pixels lie in a file, as the system tells of this process."""
    address = split.images.data_ptr()
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(each, 16) for each in line.split()[0].split("-"))
        if start <= address < end:
            return line.endswith("images.npy")
    return False


def test_the_same_bits_come_from_files(place: Path, request: pytest.FixtureRequest) -> None:
    in_memory = {split: load(place, split) for split in SPLITS}
    assert not kept(place)
    request.getfixturevalue("little")
    for _ in range(2):  # as they are made, and as they are found
        for split, expected in in_memory.items():
            ours = load(place, split)
            assert is_mapped(ours)
            assert torch.equal(ours.images, expected.images)
            assert (ours.labels is None) == (expected.labels is None)
            assert ours.labels is None or torch.equal(ours.labels, expected.labels)
            assert (ours.held_out, ours.classes, ours.apart, ours.source) == (
                (expected.held_out, expected.classes, expected.apart, expected.source)
            )
            assert ours.sha256 == expected.sha256
    assert len(kept(place)) == 2
    assert not list((place.parent / "kept" / "fitted").glob(".new-*"))


def test_they_are_made_once(place: Path, little: None, monkeypatch: pytest.MonkeyPatch) -> None:
    load(place, "train")
    monkeypatch.setattr("counterfeit.data.own.read_pictures", None)
    monkeypatch.setattr("counterfeit.data.own.read_array_set", None)
    assert len(load(place, "train")) > 30


def test_other_files_and_other_looks_are_others(place: Path, little: None) -> None:
    before = load(place, "train")
    data.load(place, "train", place.parent / "kept", image_size=17)
    assert len(kept(place)) == 2
    if place.is_dir():
        (place / "0" / "0.png").unlink()
    else:
        np.save(place.with_suffix(".npy"), IMAGES[1:])
        place = place.with_suffix(".npy")
    assert load(place, "train").sha256 != before.sha256
    assert len(kept(place)) == 3


def test_labels_that_lie_beside_an_idx_file_are_looked_at(tmp_path: Path, little: None) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", IMAGES[..., 0])
    path = tmp_path / "train-labels-idx1-ubyte"
    found = []
    for first in (0, 1):
        write_idx(path, np.arange(first, 60 + first, dtype=np.uint8) % 3)
        os.utime(path, (first, first))  # not in the same tick
        found.append(load(tmp_path / "train-images-idx3-ubyte", "train").sha256)
    assert found[0] != found[1]


def test_two_threads_fill_two_rooms(tmp_path: Path, little: None) -> None:
    shape = (1, 1, 1, 1)
    mine = Shelf(tmp_path, tmp_path / "mine", Look())
    mine.room(shape).fill_(7)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(Shelf, tmp_path, tmp_path / "other", Look()).result()
        pool.submit(other.room, shape).result()
        pool.submit(other.clear).result()
    kept = mine.keep(data.ImageData("mine", "train", torch.full(shape, 7).byte(), None))
    assert kept.images.item() == 7
    assert is_mapped(kept)


@pytest.mark.parametrize("damage", ["pixel", "cut", "about", "gone"])
def test_what_is_damaged_is_made_again(place: Path, little: None, damage: str) -> None:
    expected = load(place, "train").sha256
    (images,) = kept(place)
    content = images.read_bytes()
    match damage:
        case "pixel":
            images.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "cut":
            images.write_bytes(content[:-1])
        case "about":
            about = images.with_name("about.json")
            about.write_text(json.dumps(json.loads(about.read_text()) | {"source": 3}))
        case "gone":
            images.unlink()
    assert load(place, "train").sha256 == expected
    assert images.read_bytes() == content


def test_nothing_that_is_done_to_them_reaches_the_file(place: Path, little: None) -> None:
    before = load(place, "train").sha256
    load(place, "train").images.zero_()
    assert load(place, "train").sha256 == before


def test_a_full_disk_is_one_line(
    place: Path, little: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 10

    monkeypatch.setattr("counterfeit.data.shelf.shutil.disk_usage", lambda path: Full)
    with pytest.raises(CounterfeitError, match="do not fit into memory, and need"):
        load(place, "train")
    assert not list((place.parent / "kept" / "fitted").iterdir())


def test_training_from_files_ends_at_the_same_bits(
    place: Path, request: pytest.FixtureRequest
) -> None:
    spec = recipe.load("sgd").with_overrides(
        ["generator.hidden=[8]", "discriminator.hidden=[8]", "discriminator.dropout=0.0",
         "training.epochs=2", "training.batch_size=10"]
    )  # fmt: skip
    kept_in = place.parent / "kept"
    runs = [counterfeit.train(spec, data=place, out=place.parent / "a", data_dir=kept_in)]
    request.getfixturevalue("little")
    runs.append(counterfeit.train(spec, data=place, out=place.parent / "b", data_dir=kept_in))
    assert kept(place)
    one, other = (run.checkpoint().tensors for run in runs)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_a_killed_process_had_begun_is_removed_by_the_next_one(
    place: Path, little: None
) -> None:
    fitted = place.parent / "kept" / "fitted"
    dead, live = fitted / ".new-1-1", fitted / ".new-2-2"
    for made in (dead, live):
        made.mkdir(parents=True)
        (fitted / f"{made.name}.lock").touch()
    with (fitted / ".new-2-2.lock").open("r+b", buffering=0) as held:
        assert lock(held)
        load(place, "train")
        assert [path.name for path in sorted(fitted.glob(".new-*"))] == [
            ".new-2-2",
            ".new-2-2.lock",
        ]


def test_what_is_in_use_is_not_freed(place: Path, little: None) -> None:
    fitted = place.parent / "kept" / "fitted"
    ours = load(place, "train")
    assert shelf.free(fitted) == 0
    assert is_mapped(ours)
    assert len(kept(place)) == 1
    for file in shelf._in_use.values():  # as when this process ends
        file.close()
    shelf._in_use.clear()
    size = shelf.kept_bytes(fitted)
    assert shelf.free(fitted) == size > 0
    assert list(fitted.iterdir()) == []
