"""Sets of images from anywhere, measured like a run's: files, arrays, folders."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open
from torch import Tensor

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data.arrays import as_images, words
from counterfeit.data.folders import read_as_they_are
from counterfeit.environment import require_memory
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure.evaluate import SAMPLES, require_samples
from counterfeit.measure.images import Measured, measure_images
from counterfeit.measure.inception import Inception
from counterfeit.measure.names import OTHER
from counterfeit.measure.reference import HeldOut, Reference, reference_of, subset
from counterfeit.run import Run
from counterfeit.run.snapshots import DAMAGED_ARCHIVE
from counterfeit.run.stored import Samples

SUFFIXES = (".npz", ".npy", ".safetensors")

VALIDATION_SHARE = 6
"""One in so many images that are compared with chooses Parzen's bandwidth."""


def evaluate(
    images: Any,
    data: str = "mnist",
    *,
    against: Any = None,
    samples: int = SAMPLES,
    split: HeldOut = "test",
    inception: Inception | None = None,
    data_dir: StrPath | None = None,
) -> Measured:
    """Measure any images beside real ones; `counterfeit evaluate` says what the numbers mean.

    >>> counterfeit.evaluate(images, data="mnist").metrics["fid_mnist-v1-77eed34d_test_10k"]

    Args:
        images: an array or a tensor, (N, pixels), (N, H, W), (N, C, H, W) or (N, H, W, C), of bytes
            or in [0, 1], [-1, 1] or [0, 255]; a run; a folder of images; or a .npz, .npy or
            .safetensors file.
        data: the data set that they are compared with, or a folder.
        against: other images to compare with, as `images`; then `data` only lends its classifier.
        samples: so many of them are measured, at most; 40 or more.
        split: of the data.
        inception: for data without labels, or beside their classifier.
        data_dir: where data sets are kept; the user's cache folder when absent.

    Raises:
        UsageError: images of another size than the data's, too few, or of no known range; another
            split, or a number of samples that cannot be measured.
        CounterfeitError: something cannot be read or had.
    """
    require_samples(samples)
    kept_in = None if data_dir is None else arguments.path("data_dir", data_dir)
    reference = reference_of(data, split, inception=inception, data_dir=kept_in)
    if against is not None:
        reference = compared_with(read_images(against, reference.shape, data), reference)
    found = read_images(images, reference.shape, data, samples)
    return measure_images(subset(found, samples), reference)


def read_images(
    source: Any, shape: tuple[int, int, int], wanted: str, count: int = SAMPLES
) -> UInt8[Tensor, "N C H W"]:
    """The images of an array, a file, a folder or a run, in bytes.

    Args:
        shape: (C, H, W) that they must have, as `wanted` has it.
        count: so many are drawn from a run; of what is there already all are read.

    Raises:
        UsageError, CounterfeitError: see `evaluate`.
    """
    of_wanted = f"{wanted}'s"
    if isinstance(source, Run):
        kept = source.newest()
        images = kept.images if isinstance(kept, Samples) else source.sample(count, step=kept)
        return as_images(images, shape, what=f"{source.path}'s images", wanted=of_wanted)
    if not isinstance(source, str | Path):
        return as_images(source, shape, what="the images", wanted=of_wanted)
    path = arguments.path("images", source)
    if path.is_dir():
        if (path / "recipe.toml").is_file():
            return read_images(Run.open(path), shape, wanted, count)
        return read_as_they_are(path, shape, of_wanted)
    if not path.is_file():
        raise UsageError(f"{path} does not exist; name a run, a folder of images or a file.")
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"{path} is no set of images; name a run, a folder or a {', '.join(SUFFIXES)} file."
        )
    arrays = _arrays(path)
    return as_images(_only(arrays, path), shape, what=f"{path}'s images", wanted=of_wanted)


def compared_with(images: UInt8[Tensor, "M C H W"], reference: Reference) -> Reference:
    """A reference of these images, read by another's classifier.

    Nothing is known of what was trained on, nor of their classes.
    """
    validation = subset(images, max(1, len(images) // VALIDATION_SHARE))
    return replace(
        reference,
        split=OTHER,
        images=images,
        validation=validation,
        training=None,
        labels=None,
        real=None,
        unseen=None,
    )


def _arrays(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if path.suffix == ".npy":
            return {"images": np.load(path, allow_pickle=False)}
        with zipfile.ZipFile(path) as archive:  # before what is packed is unpacked
            size = sum(each.file_size for each in archive.infolist())
        require_memory(2 * size, f"the arrays of {path}", "keep fewer images in it")
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (*DAMAGED_ARCHIVE, SafetensorError) as error:
        raise CounterfeitError(f"{path} cannot be read: {error}.") from None


def _only(arrays: dict[str, Any], path: Path) -> Any:
    """The array that must be meant."""
    for name in ("images", "x_test", "test_images", "x_train", "train_images"):
        if name in arrays:
            return arrays[name]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    known = ", ".join(f"{name} ({words(each.shape)})" for name, each in arrays.items()) or "nothing"
    raise UsageError(f"{path} holds {known}; call the one to measure `images`.")
