"""Archives give what the same folder gives, and the hostile ones nothing else."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from counterfeit import data
from counterfeit.data import archives
from counterfeit.errors import CounterfeitError, UsageError

KINDS = ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    place = tmp_path / "set"
    for i in range(24):
        path = place / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).save(path)
    (place / "notes.txt").write_text("none")
    (place / ".hidden.png").write_text("none")
    return place


def pack(folder: Path, kind: str, root: str = "") -> Path:
    path = folder.with_name(f"set.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, root + str(file.relative_to(folder)))
    else:
        with tarfile.open(path, f"w:{kind.removeprefix('tar').removeprefix('.')}") as archive:
            archive.add(folder, root or ".")
    return path


@pytest.mark.parametrize("root", ["", "wrapped/up/"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_the_folder_that_it_holds(folder: Path, kind: str, root: str) -> None:
    path = pack(folder, kind, root)
    for split in ("train", "test"):
        ours, theirs = data.load(path, split), data.load(folder, split)
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)
        assert ours.classes == theirs.classes == ("cat", "dog")
        assert ours.source.sizes == theirs.source.sizes
        assert [each.why for each in ours.source.passed_over] == [".txt is no picture"]
    assert sorted(each.name for each in folder.parent.iterdir()) == ["set", path.name]


def test_stylegans_zip_has_its_labels(folder: Path) -> None:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))[1:]
    (folder / "dataset.json").write_text(
        json.dumps({"labels": [[name, len(name) % 2] for name in files]})
    )
    for place in (folder, pack(folder, "zip"), pack(folder, "tar", "top")):
        train = data.load(place)
        assert train.classes == ()
        assert set(train.labels.tolist()) == {0, 1}


def test_a_broken_member_is_named(folder: Path) -> None:
    (folder / "cat" / "0.png").write_bytes(b"\x89PNG nothing")
    for kind in KINDS:
        path = pack(folder, kind)
        with pytest.raises(CounterfeitError, match=rf"set\.{kind}/.*cat/0\.png"):
            data.load(path)
        assert len(data.load(path, skip_broken=True)) > 10


def test_links_and_paths_outside_are_passed_over(folder: Path) -> None:
    secret = folder.parent / "secret.png"
    Image.new("RGB", (9, 9), "red").save(secret)
    tar = pack(folder, "tar")
    with tarfile.open(tar, "a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            link = tarfile.TarInfo(f"cat/link{kind.decode()}.png")
            link.type, link.linkname = kind, str(secret)
            archive.addfile(link)
        archive.add(secret, "cat/../../../outside.png")
    packed = pack(folder, "zip")
    with zipfile.ZipFile(packed, "a") as archive:
        archive.write(secret, "../outside.png")
        archive.write(secret, "..\\..\\outside.png")
    for path in (tar, packed):
        both = [data.load(path, split) for split in ("train", "test")]
        assert sum(map(len, both)) == 24
        assert "a path out of the archive" in data.describe_source(*both)
    assert not list(folder.parent.rglob("outside.png"))


def test_a_member_without_a_name_is_passed_over(folder: Path) -> None:
    path = pack(folder, "zip")
    whole = data.load(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"nothing")
    assert data.load(path).images.equal(whole.images)


def test_members_beyond_any_picture_are_passed_over_unread(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "cat" / "bomb.png").write_bytes(bytes(100_000))
    monkeypatch.setattr(archives, "MOST_BYTES", 50_000)
    for kind in KINDS:
        train = data.load(pack(folder, kind))
        assert any("larger than" in each.why for each in train.source.passed_over)


def test_a_member_that_lies_about_its_size_is_broken(folder: Path) -> None:
    path = pack(folder, "zip")
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        real = archive.getinfo("cat/0.png").file_size
    path.write_bytes(content.replace(struct.pack("<I", real), struct.pack("<I", 10)))
    with pytest.raises(CounterfeitError, match=r"cat/"):
        data.load(path)


def test_a_header_that_claims_gigabytes_is_refused(tmp_path: Path) -> None:
    """A pax header, which tarfile would read whole, of 64 GiB of zeros."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**36
    path = tmp_path / "set.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)))
    with pytest.raises(CounterfeitError, match="claims too much"):
        data.load(path)


def test_an_encrypted_member_is_passed_over(folder: Path) -> None:
    path = pack(folder, "zip")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("cat/0.png").header_offset
    content[start + 6] |= 1
    table = content.rindex(b"PK\x01\x02", 0, content.rindex(b"cat/0.png"))
    content[table + 8] |= 1
    path.write_bytes(content)
    both = [data.load(path, split) for split in ("train", "test")]
    assert sum(map(len, both)) == 23
    assert "encrypted" in data.describe_source(*both)


@pytest.mark.parametrize("keep", [5, 40, 600, 2000])
@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_cut_short_gets_one_line(folder: Path, kind: str, keep: int) -> None:
    path = pack(folder, kind)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CounterfeitError) as error:
        data.load(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_an_archive_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.npy", b"")
    with pytest.raises(CounterfeitError, match=r"holds no images \(1 .npy is no picture\)"):
        data.load(path)
    path.write_bytes(io.BytesIO(b"just text").getvalue())
    with pytest.raises(UsageError, match="no kind that is read"):
        data.load(path)
