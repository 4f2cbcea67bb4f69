"""EMNIST's and QMNIST's files in a folder of the user's, whole and damaged."""

import gzip
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pytest

from counterfeit import data
from counterfeit.data.emnist import read_emnist
from counterfeit.errors import CounterfeitError, UsageError
from miniatures import emnist, emnist_files, idx, qmnist


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_one_of_emnist_s_splits_is_read_where_it_lies(
    tmp_path: Path, packed: bool
) -> None:
    made = emnist_files("letters")
    if packed:
        made.files = {f"{name}.gz": gzip.compress(b) for name, b in made.files.items()}
    made.write(tmp_path)
    test = data.load(tmp_path, "test")
    assert np.array_equal(test.images.numpy(), made.images["test"])
    assert test.labels is not None
    assert test.labels.tolist() == made.labels["test"].tolist()
    assert test.classes[:3] == ("a", "b", "c")


def test_of_several_splits_in_a_folder_none_is_guessed(tmp_path: Path) -> None:
    for part in ("letters", "digits"):
        emnist_files(part).write(tmp_path)
    with pytest.raises(UsageError, match=r"holds EMNIST's letters, digits; keep one .* emnist-le"):
        data.load(tmp_path)


def test_a_label_beyond_the_classes_is_damage(tmp_path: Path) -> None:
    made = emnist_files("letters")
    for label in (0, 27):
        labels = np.full(len(made.labels["test"]), label)
        made.files["emnist-letters-test-labels-idx1-ubyte"] = idx(labels)
        made.write(tmp_path)
        with pytest.raises(CounterfeitError, match="a label that is none of EMNIST's 26 letters"):
            data.load(tmp_path, "test")


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (whole,) = emnist().files.values()
    archive = tmp_path / "gzip.zip"
    flipped = bytearray(whole)
    flipped[200] ^= 8  # in the first member
    for content in (whole[:-100], b"", b"no archive"):
        archive.write_bytes(content)
        with pytest.raises(CounterfeitError, match=r"gzip\.zip.*replace it\.$"):
            read_emnist("byclass", tmp_path, "train")
    archive.write_bytes(flipped)
    with pytest.raises(CounterfeitError, match=r"gzip\.zip.*replace it\.$"):
        read_emnist("byclass", tmp_path, "train")
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("gzip/readme.txt", "nothing")
    with pytest.raises(CounterfeitError, match=r"gzip\.zip holds no gzip/emnist-balanced-train-im"):
        read_emnist("balanced", tmp_path, "train")


@pytest.mark.parametrize(
    ("pack", "suffix"), [(gzip.compress, ".gz"), (lzma.compress, ".xz"), (bytes, "")]
)
def test_a_folder_of_qmnist_s_files_is_read_where_it_lies(
    tmp_path: Path, pack, suffix: str
) -> None:
    made = qmnist(pack, suffix)
    made.write(tmp_path)
    test = data.load(tmp_path, "test")
    assert np.array_equal(test.images.numpy(), made.images["test"])
    assert test.labels is not None
    assert test.labels.tolist() == made.labels["test"].tolist()


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_truncated_file_of_labels_is_named(tmp_path: Path, suffix: str) -> None:
    made = qmnist(gzip.compress if suffix == ".gz" else lzma.compress, suffix)
    made.write(tmp_path)
    labels = tmp_path / f"qmnist-test-labels-idx2-int{suffix}"
    labels.write_bytes(labels.read_bytes()[:-20])
    with pytest.raises(CounterfeitError, match=rf"labels-idx2-int\{suffix}.*replace it\.$"):
        data.load(tmp_path, "test")
    labels.unlink()
    with pytest.raises(CounterfeitError, match="holds no qmnist-test-labels-idx2-int"):
        data.load(tmp_path, "test")


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 99)])
def test_an_encrypted_archive_or_one_of_another_packing_is_named(
    tmp_path: Path, offset: int, value: int
) -> None:
    """Both are said in the list of members at the end, 8 and 10 bytes into each entry."""
    (whole,) = emnist().files.values()
    changed = bytearray(whole)
    at = 0
    while (at := changed.find(b"PK\x01\x02", at)) != -1:
        changed[at + offset] = value
        at += 1
    (tmp_path / "gzip.zip").write_bytes(changed)
    with pytest.raises(CounterfeitError, match=r"cannot read .*gzip\.zip: .*; replace it\.$"):
        read_emnist("letters", tmp_path, "train")
