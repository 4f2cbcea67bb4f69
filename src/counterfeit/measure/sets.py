"""Sets of images from anywhere, measured like a run's: files, arrays, folders."""

import os
from dataclasses import replace
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data.arrays import as_images
from counterfeit.data.own import KINDS, find_place, load_as_they_are
from counterfeit.errors import UsageError
from counterfeit.measure.evaluate import SAMPLES, require_samples
from counterfeit.measure.images import Measured, measure_images
from counterfeit.measure.inception import Inception
from counterfeit.measure.names import OTHER
from counterfeit.measure.reference import HeldOut, Reference, reference_of, subset
from counterfeit.run import Run
from counterfeit.run.stored import Samples

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
    rotnet: bool = False,
    data_dir: StrPath | None = None,
    skip_broken: bool = False,
) -> Measured:
    """Measure any images beside real ones; `counterfeit evaluate` says what the numbers mean.

    >>> counterfeit.evaluate(images, data="mnist").metrics["fid_mnist-v1-77eed34d_test_10k"]

    Args:
        images: an array or a tensor, (N, pixels), (N, H, W), (N, C, H, W) or (N, H, W, C), of bytes
            or in [0, 1], [-1, 1] or [0, 255]; a run; or a path of images: a folder, a zip or a tar,
            IDX files, or a .npz, .npy, .safetensors or .pt file.
        data: the data set that they are compared with, or a path.
        against: other images to compare with, as `images`; then `data` only lends its classifier.
        samples: so many of them are measured, at most; 40 or more.
        split: of the data.
        inception: for data without labels, or beside their classifier.
        rotnet: the same of a network that is trained to tell turned images of the data, once, in
            some minutes; where it was, it is used for data without labels anyway.
        data_dir: where data sets are kept; the user's cache folder when absent.
        skip_broken: whether to go on without pictures that cannot be read.

    Raises:
        UsageError: images of another size than the data's, too few, or of no known range; another
            split, or a number of samples that cannot be measured.
        CounterfeitError: something cannot be read or had.
    """
    require_samples(samples)
    kept_in = None if data_dir is None else arguments.path("data_dir", data_dir)
    reference = reference_of(
        data,
        split,
        inception=inception,
        rotnet=rotnet,
        data_dir=kept_in,
        skip_broken=skip_broken,
    )
    shape = reference.shape
    if against is not None:
        others = read_images(against, shape, data, skip_broken=skip_broken)
        reference = compared_with(others, reference)
    found = read_images(images, shape, data, samples, skip_broken=skip_broken)
    return measure_images(subset(found, samples), reference)


def read_images(
    source: Any,
    shape: tuple[int, int, int],
    wanted: str,
    count: int = SAMPLES,
    *,
    skip_broken: bool = False,
) -> UInt8[Tensor, "N C H W"]:
    """The images of an array, a file, a folder or a run, in bytes.

    Args:
        shape: (C, H, W) that they must have, as `wanted` has it.
        count: so many are drawn from a run; of what is there already all are read.
        skip_broken: whether to go on without pictures that cannot be read.

    Raises:
        UsageError, CounterfeitError: see `evaluate`.
    """
    of_wanted = f"{wanted}'s"
    if isinstance(source, Run):
        kept = source.newest()
        images = kept.images if isinstance(kept, Samples) else source.sample(count, step=kept)
        return as_images(images, shape, what=f"{source.path}'s images", wanted=of_wanted)
    if not isinstance(source, str | os.PathLike):
        return as_images(source, shape, what="the images", wanted=of_wanted)
    name = arguments.text("images", source)
    place = find_place(name)
    if place is None:
        raise UsageError(f"{name} does not exist; name a run, {KINDS}.")
    if (place.path / "recipe.toml").is_file():
        return read_images(Run.open(place.path), shape, wanted, count)
    return load_as_they_are(place, shape, of_wanted, skip_broken=skip_broken)


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
