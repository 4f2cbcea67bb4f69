"""The emoji set in miniature: PNG files in a package, some transparent, some with a palette."""

import hashlib
import io
import shutil
import tarfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_set import names_in

from counterfeit import data
from counterfeit.data import sources, splits
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.data.idx import read_idx, write_idx
from counterfeit.data.small import EMOJI_FILE
from counterfeit.data.sources import Source
from counterfeit.errors import CounterfeitError

COUNT = 60
PLACE = "img/twitter/64"


def drawn() -> np.ndarray:
    """A disc of one colour each, on nothing that has another colour: (60, 64, 64, 4)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    pictures = np.zeros((COUNT, 64, 64, 4), np.uint8)
    for picture in pictures:
        disc = (y - 32) ** 2 + (x - 32) ** 2 < rng.integers(100, 900)
        picture[..., :3] = rng.integers(0, 256, 3)
        picture[disc] = (*rng.integers(0, 256, 3), 255)
    return pictures


def packed(path: Path, pictures: np.ndarray) -> str:
    """A package that holds them, and what is to be left out; its SHA-256."""
    with tarfile.open(path, "w:gz") as archive:

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))

        for number in reversed(range(len(pictures))):  # an archive's order is no order
            png = io.BytesIO()
            Image.fromarray(pictures[number]).save(png, "PNG")
            add(f"package/{PLACE}/{number:04}.png", png.getvalue())
        add(f"package/{PLACE}/readme.txt", b"no picture")
        add(f"package/{PLACE}/sub/0000.png", b"too deep")
        link = tarfile.TarInfo(f"package/{PLACE}/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def publish(monkeypatch: pytest.MonkeyPatch, archive: Path, sha256: str, wanted: bytes) -> None:
    def pack(package: str, target: str, _: object) -> None:
        shutil.copyfile(archive, target)

    monkeypatch.setattr(sources, "_npm_pack", pack)
    unpack = partial(sources.pictures, PLACE, EMOJI_FILE)
    source = Source("npm", "mend it", partial(sources.from_npm, "package@1", sha256, unpack))
    checksums = {EMOJI_FILE: hashlib.sha256(wanted).hexdigest()}
    small = replace(PUBLISHED["emoji"], checksums=checksums, sources=(source,), credit="by someone")
    monkeypatch.setitem(PUBLISHED, "emoji", small)


@pytest.fixture
def emoji(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The pictures, which are now the set `emoji`."""
    pictures = drawn()
    sha256 = packed(tmp_path / "package.tgz", pictures)
    write_idx(tmp_path / "wanted", pictures)
    publish(monkeypatch, tmp_path / "package.tgz", sha256, (tmp_path / "wanted").read_bytes())
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path / "cache"))
    return pictures


def test_pictures_become_one_verified_file_by_their_names(emoji: np.ndarray) -> None:
    folder = data.fetch("emoji")
    assert names_in(folder) == [EMOJI_FILE]
    assert np.array_equal(read_idx(folder / EMOJI_FILE, dimensions=4).numpy(), emoji)
    assert data.credit("emoji") == "by someone"
    assert data.credit("digits") == data.credit("some/folder") == ""


def test_a_package_without_pictures_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = packed(tmp_path / "package.tgz", drawn()[:0])
    publish(monkeypatch, tmp_path / "package.tgz", sha256, b"")
    with pytest.raises(CounterfeitError) as caught:
        data.fetch("emoji", tmp_path)
    assert "holds no img/twitter/64/*.png" in caught.value.__notes__[1]


def test_splits_are_by_content_whatever_the_options(emoji: np.ndarray) -> None:
    parts = splits.by_content([splits.key(one.tobytes()) for one in emoji], None, test=True)
    train, test = data.load("emoji"), data.load("emoji", "test", background="black", channels=1)
    assert (len(train), train.held_out, len(test)) == (
        len(parts.train),
        parts.validation,
        len(parts.test),
    )
    centres = torch.from_numpy(emoji[parts.train, 32, 32, :3])
    assert data.load("emoji", image_size=64).images[:, :, 32, 32].equal(centres)
    assert train.labels is None
    assert train.shape == (3, 32, 32)
    assert test.shape == (1, 32, 32)


def test_what_is_transparent_shows_the_background_and_nothing_else(emoji: np.ndarray) -> None:
    for colour, value in (("white", 255), ("black", 0)):
        corner = data.load("emoji", image_size=64, background=colour).images[:, :, 0, 0]
        assert corner.unique().tolist() == [value]
    yellow = data.load("emoji", image_size=16, background="#ffcc00").images
    assert yellow[:, :, 0, 0].unique(dim=0).tolist() == [[255, 204, 0]]
