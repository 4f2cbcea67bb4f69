import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_set import IMAGES, LABELS, idx_bytes, small_set, write

from counterfeit import data, environment
from counterfeit.data.idx import read_idx
from counterfeit.errors import CounterfeitError


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_of_idx_files_is_a_data_set(tmp_path: Path, zipped: bool) -> None:
    files = small_set()
    if zipped:
        files = {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    write(tmp_path, files)

    train, test = data.load(str(tmp_path), "train"), data.load(str(tmp_path), "test")

    assert train.images.shape == (6, 1, 4, 5)
    assert test.images.shape == (3, 1, 4, 5)
    assert train.labels is not None
    assert train.labels.dtype == torch.int64
    assert sorted(train.labels.tolist()) == list(range(6))
    in_order = train.images[train.labels.argsort()]
    assert in_order.numpy().tobytes() == small_set()[IMAGES][16:]


def magic(content: bytes) -> bytes:
    return b"\1" + content[1:]


def floats(content: bytes) -> bytes:
    return content[:2] + b"\x0d" + content[3:]


def two_dimensions(content: bytes) -> bytes:
    return content[:3] + b"\2" + content[4:]


def one_image_more(content: bytes) -> bytes:
    return content[:7] + b"\7" + content[8:]


def huge(content: bytes) -> bytes:
    return content[:4] + b"\xff" * 12 + content[16:]


def no_images(content: bytes) -> bytes:
    return content[:4] + bytes(4) + content[8:16]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda content: content[:-1], "cut short"),
        (lambda content: content[:9], "cut short"),
        (lambda content: b"", "not an IDX file"),
        (lambda content: content + b"x", "longer"),
        (magic, "not an IDX file"),
        (floats, "cut short"),
        (two_dimensions, "longer"),
        (one_image_more, "cut short"),
        (huge, "cut short"),
        (no_images, "no data"),
    ],
)
def test_a_damaged_idx_file_is_named(
    tmp_path: Path, damage: Callable[[bytes], bytes], says: str, zipped: bool
) -> None:
    files = small_set()
    content = damage(files.pop(IMAGES))
    name = f"{IMAGES}.gz" if zipped else IMAGES
    write(tmp_path, files | {name: gzip.compress(content) if zipped else content})
    with pytest.raises(CounterfeitError, match=rf"{name}.*{says}.*\.$"):
        data.load(str(tmp_path))


def test_one_changed_byte_of_a_gzipped_file_is_seen(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(small_set()[IMAGES]))
    packed[-6] ^= 1  # in its checksum
    write(tmp_path, small_set() | {f"{IMAGES}.gz": bytes(packed)})
    (tmp_path / IMAGES).unlink()
    with pytest.raises(CounterfeitError, match=rf"{IMAGES}\.gz"):
        data.load(str(tmp_path))


def test_labels_may_be_absent_and_must_be_as_many_as_images(tmp_path: Path) -> None:
    files = small_set()
    write(tmp_path / "few", files | {LABELS: idx_bytes(np.arange(5))})
    with pytest.raises(CounterfeitError, match="5 labels of 6 images"):
        data.load(str(tmp_path / "few"))
    del files[LABELS]
    write(tmp_path / "none", files)
    assert data.load(str(tmp_path / "none")).labels is None
    assert data.load(str(tmp_path / "none"), "test").labels is not None


@settings(max_examples=300, deadline=None)
@given(
    position=st.integers(0, 140),
    inserted=st.binary(max_size=20),
    removed=st.integers(0, 140),
    zipped=st.booleans(),
)
def test_any_mutation_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    position: int,
    inserted: bytes,
    removed: int,
    zipped: bool,
) -> None:
    content = small_set()[IMAGES]
    if zipped:
        content = gzip.compress(content)
    path = tmp_path_factory.getbasetemp() / ("mutated.gz" if zipped else "mutated")
    path.write_bytes(content[:position] + inserted + content[position + removed :])
    try:
        array = read_idx(path, dimensions=3)
    except CounterfeitError:
        return
    assert array.ndim == 3
    assert array.numel() > 0


def test_more_than_this_machine_can_hold_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, small_set())
    held = data.load(str(tmp_path))
    monkeypatch.setattr(environment, "memory_bytes", lambda: 100)
    mapped = data.load(str(tmp_path), data_dir=tmp_path / "kept")
    assert mapped.images.equal(held.images)
    assert list(tmp_path.glob("kept/fitted/*/*/images.npy"))
