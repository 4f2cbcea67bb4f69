"""USPS's lines of text, whole, damaged, and of something else."""

import bz2
from pathlib import Path

import numpy as np
import pytest

from counterfeit import data
from counterfeit.data import usps as reader
from counterfeit.errors import CounterfeitError
from miniatures import usps


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_usps_s_files_is_read_where_it_lies(tmp_path: Path, packed: bool) -> None:
    made = usps()
    if not packed:
        made.files = {n.removesuffix(".bz2"): bz2.decompress(b) for n, b in made.files.items()}
    made.write(tmp_path)
    test = data.load(tmp_path, "test")
    assert np.array_equal(test.images.numpy(), made.images["test"])
    assert test.labels is not None
    assert test.labels.tolist() == made.labels["test"].tolist()


def test_a_pixel_that_is_left_out_is_0_and_values_go_to_the_nearest_byte(tmp_path: Path) -> None:
    (tmp_path / "usps.t").write_text("10 1:-1 2:1 4:0.5 \n")
    test = data.load(tmp_path, "test")
    assert test.images[0, 0, 0, :5].tolist() == [0, 255, 128, 191, 128]
    assert test.labels is not None
    assert test.labels.tolist() == [9]


LINE = b"1 1:0.5 256:-1\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b"no numbers\n", "no file of USPS's"),
        (LINE + b"0 1:1\n", "a label is no whole number from 1 to 10"),
        (LINE + b"11 1:1\n", "a label is no whole number from 1 to 10"),
        (LINE + b"1.5 1:1\n", "a label is no whole number from 1 to 10"),
        (LINE + b"nan 1:1\n", "a label is no whole number from 1 to 10"),
        (LINE + b"1 1:1.01\n", "a value is not from -1 to 1"),
        (LINE + b"1 1:nan\n", "a value is not from -1 to 1"),
        (LINE + b"1 257:1\n", "no file of USPS's"),
        (LINE + b"1 0:1\n", "no file of USPS's"),
        (LINE + b"1 99999999999999999999:1\n", "no file of USPS's"),
        (LINE + b"1 x:1\n", "no file of USPS's"),
    ],
)
def test_something_else_is_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "usps.t.bz2").write_bytes(bz2.compress(content))
    with pytest.raises(CounterfeitError, match=rf"usps\.t\.bz2 .*{says}.*replace it\.$") as caught:
        data.load(tmp_path, "test")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-4], lambda b: b[:-9] + b"x" + b[-8:], lambda b: b"x"]
)
def test_damage_to_the_packing_is_named(tmp_path: Path, damage) -> None:
    (tmp_path / "usps.t.bz2").write_bytes(damage(bz2.compress(LINE * 100)))
    with pytest.raises(CounterfeitError, match=r"usps\.t\.bz2.*replace it\.$"):
        data.load(tmp_path, "test")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST", 1000)
    (tmp_path / "usps.t.bz2").write_bytes(bz2.compress(bytes(10_000)))
    with pytest.raises(CounterfeitError, match="holds more than 1,000 bytes"):
        data.load(tmp_path, "test")
