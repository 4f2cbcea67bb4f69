"""Files of arrays: whose names say what is what, and all others, which are asked about."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from counterfeit import data, environment
from counterfeit.data.array_files import choose, of_name, read_arrays
from counterfeit.data.fitting import Look
from counterfeit.errors import CounterfeitError, UsageError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 8, 8), np.uint8)
LABELS = RNG.integers(0, 3, 30)


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    match path.suffix:
        case ".npz":
            np.savez(path, **arrays)
        case ".npy":
            np.save(path, next(iter(arrays.values())))
        case ".safetensors":
            save_file({name: np.ascontiguousarray(each) for name, each in arrays.items()}, path)
        case _:
            torch.save({name: torch.from_numpy(each) for name, each in arrays.items()}, path)
    return path


def as_rows(images: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".safetensors", ".pt", ".pth"])
def test_each_kind_of_file_holds_a_set(tmp_path: Path, suffix: str) -> None:
    arrays = {"images": IMAGES} | ({} if suffix == ".npy" else {"labels": LABELS})
    path = write(tmp_path / f"set{suffix}", arrays)
    train, test = data.load(path), data.load(path, "test")
    assert train.shape == (1, 8, 8)
    assert as_rows(train.images) | as_rows(test.images) == as_rows(torch.from_numpy(IMAGES))
    assert len(train) + len(test) == 30
    if suffix == ".npy":
        assert train.labels is None
    else:
        known = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
        for image, label in zip(train.images, train.labels, strict=True):
            assert known[image.numpy().tobytes()] == label


def test_packed_and_plain_archives_of_arrays_are_one(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "packed.npz", images=IMAGES)
    np.savez(tmp_path / "plain.npz", images=IMAGES)
    np.savez(tmp_path / "fortran.npz", images=np.asfortranarray(IMAGES))
    sets = [data.load(path) for path in sorted(tmp_path.iterdir())]
    assert all(torch.equal(each.images, sets[0].images) for each in sets)
    assert isinstance(read_arrays(tmp_path / "plain.npz")["images"], np.memmap)


@pytest.mark.parametrize(
    ("train", "labels", "test"),
    [
        ("x_train", "y_train", "x_test"),  # Keras
        ("X_train", "y_train", "X_test"),
        ("train_images", "train_labels", "test_images"),  # MedMNIST
        ("images_train", "targets_train", "images_test"),
    ],
)
def test_usual_names_are_splits(tmp_path: Path, train: str, labels: str, test: str) -> None:
    arrays = {train: IMAGES[:20], labels: LABELS[:20, None], test: IMAGES[20:]}
    path = write(tmp_path / "set.npz", arrays)
    assert as_rows(data.load(path).images) == as_rows(torch.from_numpy(IMAGES[:20]))
    assert np.array_equal(data.load(path, "test").images[:, 0], IMAGES[20:])
    assert sorted(data.load(path).labels.tolist()) == sorted(LABELS[:20])
    assert data.load(path, "test").labels is None


def test_validation_images_of_their_own_are_apart(tmp_path: Path) -> None:
    arrays = {"train_images": IMAGES[:20], "val_images": IMAGES[20:24], "test_images": IMAGES[24:]}
    path = write(tmp_path / "medmnist.npz", arrays)
    train = data.load(path)
    assert (len(train.first(None)), train.held_out) == (20, 4)
    assert np.array_equal(data.load(path, "validation").images[:, 0], IMAGES[20:24])


@pytest.mark.parametrize("names", [("arr_0",), ("arr_0", "arr_1"), ("anything", "class_of")])
def test_one_array_of_images_is_enough(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = write(tmp_path / "set.npz", dict(zip(names, (IMAGES, LABELS), strict=False)))
    train = data.load(path)
    assert (train.labels is None) == (len(names) == 1)


def test_a_pair_of_tensors_is_images_and_labels(tmp_path: Path) -> None:
    pair = torch.from_numpy(IMAGES), torch.from_numpy(LABELS)
    for legacy in (True, False):
        torch.save(pair, tmp_path / "training.pt", _use_new_zipfile_serialization=not legacy)
        assert data.load(tmp_path / "training.pt").labels is not None
    torch.save(pair[0], tmp_path / "one.pt")
    assert len(data.load(tmp_path / "one.pt").first(None)) > 20


def test_where_names_say_nothing_the_user_is_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "set.npz", {"a": IMAGES, "b": IMAGES[:20], "b_labels": LABELS[:20]})
    with pytest.raises(UsageError) as error:
        data.load(path)
    told = str(error.value)
    assert "a (30 x 8 x 8), b (20 x 8 x 8), b_labels (20)" in told
    named = told.rsplit(" ", 1)[1].rstrip(".")  # the remedy works as it stands
    assert len(data.load(named)) > 20
    assert len(data.load(f"{path}:b")) + len(data.load(f"{path}:b", "test")) == 20
    with pytest.raises(UsageError, match="has no array 'c'"):
        data.load(f"{path}:c")
    assert data.anchored(f"{path}:a") == f"{path}:a"


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        (LABELS.astype(np.float32), LABELS, ()),
        (np.eye(3)[LABELS], LABELS, ()),
        (np.array(["cat", "dog", "emu"])[LABELS], LABELS, ("cat", "dog", "emu")),
        (LABELS - 1, LABELS, ("-1", "0", "1")),
    ],
)
def test_labels_come_in_many_forms(tmp_path: Path, labels, numbers, classes) -> None:
    path = write(tmp_path / "set.npz", {"x": IMAGES, "y": labels})
    train = data.load(path)
    known = {image.tobytes(): label for image, label in zip(IMAGES, numbers, strict=True)}
    assert train.labels.tolist() == [known[image.numpy().tobytes()] for image in train.images]
    assert train.classes == classes


def test_labels_that_are_no_classes_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    several = np.ones((30, 3), np.int64)
    train = data.load(write(tmp_path / "set.npz", {"x": IMAGES, "y": several}))
    assert train.labels is None
    assert any("not one class for each image" in each for each in data.doubts(train, Look()))
    with pytest.raises(UsageError, match="29 labels of 30 images"):
        data.load(write(tmp_path / "set.npz", {"x": IMAGES, "y": LABELS[1:]}))


def test_sets_of_two_sizes_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "set.npz", {"x_train": IMAGES, "x_test": IMAGES[:, :4]})
    with pytest.raises(UsageError, match="1 x 8 x 8 and of 1 x 4 x 8"):
        data.load(path)


@pytest.mark.parametrize(
    ("train", "test"),
    [(IMAGES.astype(np.uint16) * 16, IMAGES[:9].astype(np.uint16)),
     (IMAGES / 127.5 - 1, np.maximum(IMAGES[:9] / 127.5 - 1, 0))],
)  # fmt: skip
def test_black_and_white_are_those_of_all_splits(tmp_path: Path, train, test) -> None:
    path = write(tmp_path / "set.npz", {"x_train": train, "x_test": test})
    both = {"images": np.concatenate([train, test])}
    whole = write(tmp_path / "whole.npz", both)
    one = [data.load(path, split).images for split in ("train", "test")]
    other = [data.load(whole, split).images for split in ("train", "test")]
    assert as_rows(one[0]) | as_rows(one[1]) == as_rows(other[0]) | as_rows(other[1])


def test_colour_is_fitted_like_pictures(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (30, 12, 8, 4), np.uint8)
    path = write(tmp_path / "set.npy", {"": colours})
    assert data.load(path).shape == (3, 12, 8)
    assert data.load(path, image_size=6, channels=1).shape == (1, 6, 6)


def test_a_packed_file_beyond_memory_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, images=np.zeros((1000, 100, 100), np.uint8))
    monkeypatch.setattr(environment, "memory_bytes", lambda: 10**6)
    with pytest.raises(CounterfeitError, match=r"need .* of memory"):
        data.load(path)


def test_an_array_of_objects_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mixed.npz"
    np.savez(path, x_train=np.zeros((40, 8, 8), np.uint8), names=np.array(["a"], dtype=object))
    with pytest.raises(CounterfeitError, match="names holds objects; save numbers, or words"):
        read_arrays(path)


def test_an_array_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "set.npz", {"images": IMAGES})
    with zipfile.ZipFile(path) as archive:
        content = archive.read("images.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", content.replace(b"(30, 8, 8)", b"(99, 8, 8)"))
    with pytest.raises(CounterfeitError, match="not of the size that it claims"):
        data.load(path)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([".npz", ".npy", ".safetensors", ".pt"]), st.data())
def test_any_mutation_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, draw: st.DataObject
) -> None:
    path = write(tmp_path_factory.getbasetemp() / f"mutated{suffix}", {"images": IMAGES[:4]})
    content = path.read_bytes()
    start = draw.draw(st.integers(0, min(len(content), 400)))
    end = draw.draw(st.integers(start, len(content)))
    path.write_bytes(content[:start] + draw.draw(st.binary(max_size=20)) + content[end:])
    refusal = ""
    try:
        data.load(path)
    except CounterfeitError as error:
        refusal = str(error)
    assert "\n" not in refusal


@given(st.text(max_size=30))
def test_any_name_means_something_or_nothing(name: str) -> None:
    of_name(name)
    arrays = {name: IMAGES, "other": LABELS}
    assert [each.images for each in choose(arrays, Path("x"))] == [name]


@pytest.mark.parametrize(
    "made",
    [
        torch.zeros(1, 1, 1, dtype=torch.uint8).expand(200_000_000, 28, 28),
        {"images": torch.zeros(1, 28, 28, dtype=torch.uint8).expand(200_000_000, 28, 28)},
        torch.zeros(40, 1, 1, dtype=torch.uint8).expand(40, 2_000_000, 2_000_000),
        torch.sparse_coo_tensor(
            torch.zeros(3, 1).long(), [1.0], (10**7, 28, 28), check_invariants=True
        ),
    ],
)
def test_a_few_bytes_that_claim_to_be_many_images_are_one_line(
    tmp_path: Path, made: object
) -> None:
    torch.save(made, tmp_path / "x.pt")
    with pytest.raises(CounterfeitError, match=r"x.pt cannot be read"):
        data.load(tmp_path / "x.pt")


def test_what_is_repeated_within_reason_is_read(tmp_path: Path) -> None:
    gray = torch.randint(0, 256, (60, 1, 8, 8), dtype=torch.uint8)
    labels = torch.ones(1, dtype=torch.int64).expand(60)
    torch.save({"images": gray.expand(60, 3, 8, 8), "labels": labels}, tmp_path / "x.pt")
    assert data.load(tmp_path / "x.pt").shape == (3, 8, 8)
