"""The published sets by their names, each from files of its format that a script makes."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import EMNIST, KMNIST, QMNIST, USPS, FashionMNIST

from counterfeit import data
from counterfeit.data import emnist
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.errors import CounterfeitError
from miniatures import SETS, TEST, TRAIN, Miniature, kmnist


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Miniature]:
    """Makes a name the miniature of its set, whose files lie in the data folder."""

    def named(name: str) -> Miniature:
        made = SETS[name]()
        small = replace(PUBLISHED[name], checksums=made.checksums, sources=())
        assert small.checksums.keys() == PUBLISHED[name].checksums.keys(), "the names of its files"
        monkeypatch.setitem(PUBLISHED, name, small)
        made.write(tmp_path / (small.folder or name))
        return made

    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path))
    return named


@pytest.mark.parametrize("name", SETS)
def test_a_name_gives_the_images_upright_their_labels_and_their_source_s_splits(
    named: Callable[[str], Miniature], name: str
) -> None:
    made = named(name)
    train, test = data.load(name, "train"), data.load(name, "test")
    for split in (train, test):
        assert np.array_equal(split.images.numpy(), made.images[split.split])
        assert split.labels is not None
        assert split.labels.tolist() == made.labels[split.split].tolist()
    assert (len(train), len(test), train.held_out) == (TRAIN, TEST, TRAIN // 6)
    validation = data.load(name, "validation")
    assert np.array_equal(validation.images.numpy(), made.images["train"][-(TRAIN // 6) :])
    assert len(train.classes) == {**dict.fromkeys(SETS, 10), **CLASSES}[name]


CLASSES = {
    "emnist": 47,
    "emnist-byclass": 62,
    "emnist-bymerge": 47,
    "emnist-balanced": 47,
    "emnist-letters": 26,
    "cifar100": 100,
}


def test_the_names_of_classes_are_those_of_torchvision() -> None:
    assert list(PUBLISHED["kmnist"].classes) == KMNIST.classes
    assert list(PUBLISHED["fashion-mnist"].classes) == FashionMNIST.classes
    theirs = EMNIST.classes_split_dict | {"letters": EMNIST.classes_split_dict["letters"][1:]}
    assert {part: list(classes) for part, classes in emnist.CLASSES.items()} == theirs


def test_checksums_are_torchvision_s_where_it_has_them_and_no_stronger_one_is_known() -> None:
    theirs = {
        "qmnist": {
            url.rpartition("/")[2]: md5
            for part in ("train", "test")
            for url, md5 in QMNIST.resources[part]
        },
        "usps": {file: md5 for _, file, md5 in USPS.split_list.values()},
    }
    for name, sums in theirs.items():
        assert PUBLISHED[name].checksums == {file: f"md5:{md5}" for file, md5 in sums.items()}


def test_every_set_has_a_title_a_licence_and_a_source_in_print() -> None:
    for name, published in PUBLISHED.items():
        assert published.title, name
        assert published.credit or published.licence, name
        assert published.paper or name == "emoji", name


def test_a_file_of_another_content_is_set_aside_whatever_its_checksum_s_kind(
    named: Callable[[str], Miniature], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = named("usps")
    sums = {name: f"md5:{hashlib.md5(content).hexdigest()}" for name, content in made.files.items()}
    monkeypatch.setitem(PUBLISHED, "usps", replace(PUBLISHED["usps"], checksums=sums))
    assert len(data.load("usps")) == TRAIN
    (tmp_path / "usps" / "usps.t.bz2").write_bytes(b"another")
    with pytest.raises(CounterfeitError, match="cannot get usps: every source failed") as caught:
        data.load("usps")
    assert "no whole usps.t.bz2" in caught.value.__notes__[0]
    assert (tmp_path / "usps" / "usps.t.bz2.damaged").read_bytes() == b"another"


def test_emnist_s_splits_share_one_file(named: Callable[[str], Miniature], tmp_path: Path) -> None:
    named("emnist-letters")
    named("emnist-digits")
    for name in ("emnist-letters", "emnist-digits"):
        data.load(name)
        assert data.fetch(name) == tmp_path / "emnist"
    assert [path.name for path in tmp_path.iterdir()] == ["emnist"]


def test_a_sound_archive_of_something_else_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checksum would be wrong; here it is right, and what is inside is not."""
    made = kmnist()
    made.files["train-images-idx3-ubyte.gz"] = gzip.compress(b"no images")
    made.write(tmp_path / "kmnist")
    small = replace(PUBLISHED["kmnist"], checksums=made.checksums, sources=())
    monkeypatch.setitem(PUBLISHED, "kmnist", small)
    with pytest.raises(CounterfeitError, match=r"train-images-idx3-ubyte\.gz is not an IDX file"):
        data.load("kmnist", data_dir=tmp_path)
