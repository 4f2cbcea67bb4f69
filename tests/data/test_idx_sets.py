"""IDX files under whatever usual names and of whatever type."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from counterfeit import data
from counterfeit.data.idx import TYPES, open_idx
from counterfeit.errors import CounterfeitError, UsageError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 5, 6), np.uint8)
LABELS = RNG.integers(0, 3, 20).astype(np.uint8)


def idx(values: np.ndarray, kind: int = 0x08) -> bytes:
    header = bytes((0, 0, kind, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(TYPES[kind]).tobytes()


def write(folder: Path, name: str, values: np.ndarray, kind: int = 0x08) -> Path:
    content = idx(values, kind)
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder / name


@pytest.mark.parametrize(
    "pattern",
    [
        "{}-images-idx3-ubyte",
        "{}-images.idx3-ubyte",
        "{}-images-idx3-ubyte.gz",
        "{}_images.idx",
        "faces-of-mine-{}-images-idx3-ubyte.gz",
    ],
)
@pytest.mark.parametrize("test", ["t10k", "test"])
def test_usual_names_are_splits(tmp_path: Path, pattern: str, test: str) -> None:
    for split, part in (("train", slice(12)), (test, slice(12, None))):
        path = write(tmp_path, pattern.format(split), IMAGES[part])
        name = path.name.replace("images", "labels").replace("idx3", "idx1")
        write(tmp_path, name, LABELS[part])
    for place in (tmp_path, tmp_path / pattern.format("train")):
        train, tested = data.load(place), data.load(place, "test")
        assert (len(train), len(tested)) == (12, 8)
        assert np.array_equal(tested.images[:, 0], IMAGES[12:])
        assert tested.labels.tolist() == LABELS[12:].tolist()
        assert sorted(train.labels.tolist()) == sorted(LABELS[:12].tolist())


def test_a_file_of_emnist_is_turned_upright(tmp_path: Path) -> None:
    path = write(tmp_path, "emnist-letters-train-images-idx3-ubyte.gz", IMAGES)
    got = {image.numpy().tobytes() for image in data.load(path).images[:, 0]}
    assert got < {image.T.tobytes() for image in IMAGES}


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "faces.idx", "images.idx3.gz"])
def test_one_file_of_images_is_split_by_content(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, IMAGES)
    for place in (path, tmp_path):
        both = [data.load(place, split) for split in ("train", "test")]
        assert sum(map(len, both)) == 20
        assert all(each.labels is None for each in both)


def test_images_of_no_split_beside_training_images_are_asked_about(tmp_path: Path) -> None:
    write(tmp_path, "images.idx", IMAGES[:8])
    train = write(tmp_path, "train-images.idx", IMAGES)
    with pytest.raises(UsageError, match="name the images of one"):
        data.load(tmp_path)
    assert len(data.load(train)) + len(data.load(train, "test")) == 20


def test_of_several_sets_one_is_named(tmp_path: Path) -> None:
    for part in ("letters", "digits"):
        write(tmp_path, f"my-{part}-train-images-idx3-ubyte", IMAGES)
    with pytest.raises(UsageError, match="several sets") as error:
        data.load(tmp_path)
    named = str(error.value).rsplit(" ", 1)[1].rstrip(".")
    assert len(data.load(named)) > 10


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (0x08, 0, 255),
        (0x09, -128, 127),
        (0x0B, 0, 255),
        (0x0B, 0, 4095),
        (0x0C, 0, 255),
        (0x0C, 0, 65535),
        (0x0D, 0, 1),
        (0x0D, -1, 1),
        (0x0E, 0, 255),
    ],
)
def test_every_type_and_range_gives_the_same_bytes(
    tmp_path: Path, kind: int, low: int, high: int
) -> None:
    full = IMAGES.copy()
    full[0, 0, :2] = 0, 255
    exact = low + full / 255 * (high - low)
    values = exact if TYPES[kind].kind == "f" else exact.round()
    path = write(tmp_path, "images.idx", values, kind)
    images = torch.cat([data.load(path, split).images for split in ("train", "test")])
    got = {image.numpy().tobytes() for image in images}
    assert got == {image.tobytes() for image in full}


@settings(deadline=None)
@given(
    st.sampled_from(sorted(TYPES)).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            arrays.arrays(
                TYPES[kind],
                arrays.array_shapes(min_dims=1, max_dims=4, max_side=4),
                elements={"allow_nan": False} if TYPES[kind].kind == "f" else None,
            ),
        )
    ),
    st.booleans(),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, what: tuple[int, np.ndarray], zipped: bool
) -> None:
    kind, values = what
    name = f"written.idx{'.gz' if zipped else ''}"
    path = write(tmp_path_factory.getbasetemp(), name, values, kind)
    assert np.array_equal(open_idx(path), values)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=24), st.binary(max_size=60), st.booleans())
def test_any_header_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, header: bytes, rest: bytes, sound: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "header-images.idx"
    path.write_bytes((b"\0\0" if sound else b"") + header + rest)
    try:
        assert open_idx(path).size > 0
    except CounterfeitError as error:
        assert str(path) in str(error)  # noqa: PT017
