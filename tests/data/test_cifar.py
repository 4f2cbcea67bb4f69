"""CIFAR's four publications in a folder of the user's, whole and damaged."""

import gzip
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from counterfeit import data
from counterfeit.errors import CounterfeitError
from miniatures import CIFAR10, CIFAR100, Miniature, cifar, cifar_binary, cifar_python, python2, tar
from traps import Trap

PUBLICATIONS: dict[str, Callable[[], Miniature]] = {
    "10, binary": cifar_binary,
    "100, binary": lambda: cifar_binary(100),
    "10, packed": cifar,
    "100, packed": lambda: cifar(100),
    "10, of Python 2": cifar_python,
    "100, of Python 2": lambda: cifar_python(100),
    "10, of Python 3": lambda: cifar_python(10, 4),
}


@pytest.mark.parametrize("publication", PUBLICATIONS)
def test_a_folder_of_cifar_s_files_is_read_where_it_lies(tmp_path: Path, publication: str) -> None:
    made = PUBLICATIONS[publication]()
    made.write(tmp_path)

    train, test = (data.load(tmp_path, split) for split in ("train", "test"))

    assert np.array_equal(test.images.numpy(), made.images["test"])
    assert test.labels is not None
    assert test.labels.tolist() == made.labels["test"].tolist()
    assert train.classes == tuple(CIFAR100 if publication.startswith("100") else CIFAR10)
    # The user's own images are in the order of their hashes.
    assert train.labels is not None
    assert sorted(pairs(train.images.numpy(), train.labels)) == sorted(
        pairs(made.images["train"], made.labels["train"])
    )


def pairs(images: np.ndarray, labels: Iterable[int]) -> list[tuple[bytes, int]]:
    return [(i.tobytes(), int(label)) for i, label in zip(images, labels, strict=True)]


def test_python_s_archives_are_read_packed(tmp_path: Path) -> None:
    made = cifar_python()
    inside = {f"cifar-10-batches-py/{name}": content for name, content in made.files.items()}
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tar(inside))
    assert np.array_equal(data.load(tmp_path, "test").images.numpy(), made.images["test"])


def refused(folder: Path, split: data.Split = "train") -> str:
    with pytest.raises(CounterfeitError) as caught:
        data.load(folder, split)
    (line,) = str(caught.value).splitlines()
    assert line.endswith(".")
    return line


def test_a_damaged_or_missing_batch_is_named(tmp_path: Path) -> None:
    made = cifar_binary()
    made.write(tmp_path)
    batch = tmp_path / "data_batch_3.bin"
    whole = batch.read_bytes()
    for content, says in (
        (whole[:-1], "no row of records of 3,073 bytes"),
        (b"", "no row of records"),
        (b"\xc8" + whole[1:], "a label is none of the 10 classes"),
    ):
        batch.write_bytes(content)
        assert f"{batch} is no file of CIFAR's: " in refused(tmp_path)
        assert says in refused(tmp_path)
    batch.unlink()
    assert refused(tmp_path) == f"{tmp_path} holds no data_batch_3.bin; add it."
    assert len(data.load(tmp_path, "test")) == len(made.labels["test"])


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"labels": [1]}, "holds no labels and data"),
        ([1, 2], "holds no labels and data"),
        ({"labels": [1, 2], "data": np.zeros((1, 3072), np.uint8)}, "3,072 bytes for each label"),
        ({"labels": [1], "data": np.zeros((1, 3071), np.uint8)}, "3,072 bytes for each label"),
        ({"labels": [], "data": np.zeros((0, 3072), np.uint8)}, "3,072 bytes for each label"),
        ({"labels": ["x"], "data": np.zeros((1, 3072), np.uint8)}, "labels are no whole numbers"),
        ({"labels": [10], "data": np.zeros((1, 3072), np.uint8)}, "none of the 10 classes"),
        ({"labels": [-1], "data": np.zeros((1, 3072), np.uint8)}, "none of the 10 classes"),
        ({"labels": [1], "data": "x"}, "3,072 bytes for each label"),
    ],
)
def test_a_pickle_of_something_else_is_one_line(tmp_path: Path, table: object, says: str) -> None:
    made = cifar_python()
    made.files["test_batch"] = python2(table)
    made.write(tmp_path)
    assert says in refused(tmp_path, "test")


@pytest.mark.parametrize("name", ["test_batch", "batches.meta"])
def test_a_batch_that_would_run_code_runs_none(tmp_path: Path, name: str) -> None:
    made = cifar_python()
    made.files[name] = pickle.dumps(Trap(tmp_path / "it-ran"))
    made.write(tmp_path)
    assert "which is no data" in refused(tmp_path, "test")
    assert not (tmp_path / "it-ran").exists()


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (whole,) = cifar().files.values()
    archive = tmp_path / "cifar-10-binary.tar.gz"
    for content in (whole[: len(whole) // 2], b"", b"no archive", gzip.compress(b"no archive")):
        archive.write_bytes(content)
        assert str(archive) in refused(tmp_path) or "holds no" in refused(tmp_path)
    archive.write_bytes(tar({"cifar-10-batches-bin/batches.meta.txt": b"a\nb\n"}))
    assert refused(tmp_path) == f"{tmp_path} holds no data_batch_1.bin; add it."


def test_an_archive_of_gigabytes_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they are in a file that nobody wants."""
    monkeypatch.setattr("counterfeit.data.cifar.MOST", 10_000)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(tar({"surprise": bytes(20_000)}))
    assert "holds more than 10,000 bytes" in refused(tmp_path)


def test_names_that_could_move_a_terminal_s_cursor_are_shown(tmp_path: Path) -> None:
    made = cifar_binary()
    made.files["batches.meta.txt"] = b"\n".join([b"\x1b[2J", *(b"b",) * 9])
    made.write(tmp_path)
    assert data.load(tmp_path, "test").classes[0] == r"'\x1b[2J'"


def test_a_folder_of_pictures_with_files_of_such_names_stays_one(tmp_path: Path) -> None:
    for split in ("train", "test", "meta"):
        (tmp_path / split).mkdir()
        for shade in range(9):
            Image.new("L", (8, 8), 10 * shade).save(tmp_path / split / f"{shade}.png")
    assert data.load(tmp_path, "train").shape == (1, 28, 28)
