"""A data set in memory, from whatever its name means."""

from typing import Literal, SupportsIndex

import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data import splits
from counterfeit.data.folders import read_folder
from counterfeit.data.idx import holds_idx, read_idx_split
from counterfeit.data.images import SPLITS, ImageData, Split, fit
from counterfeit.data.published import DIGIT_NAMES, PUBLISHED, fetch, find_folder, is_published
from counterfeit.errors import UsageError

MAX_IMAGE_SIZE = 1024


def load(
    name: StrPath,
    split: Split = "train",
    data_dir: StrPath | None = None,
    image_size: SupportsIndex | None = None,
    channels: Literal[1, 3] | None = None,
) -> ImageData:
    """A data set in memory.

    Args:
        name: `mnist`, `fashion-mnist`, `digits`, or a path: a folder of images, or one that holds
            IDX files under MNIST's names, plain or gzipped. A path that equals a name needs `./`.
        split: `train`, `test` or `validation`, which is the last part of `train`. Published sets
            are split as their sources say: `digits` has 1,437 images and the last 360 for testing,
            and the validation split is the last sixth of the training images. The user's images
            are split by content, about 5 : 1 : 1, or 5 : 1 where test images are files of their
            own, in the order of their hashes; `splits` says how.
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
    name = arguments.text("name", name)
    if not isinstance(split, str) or split not in SPLITS:
        raise UsageError(
            f"there is no split {arguments.shown(split)}; use train, validation or test."
        )
    if data_dir is not None:
        data_dir = arguments.path("data_dir", data_dir)
    if image_size is not None:
        image_size = arguments.whole_number("image_size", image_size, least=1, most=MAX_IMAGE_SIZE)
    if channels is not None and not (isinstance(channels, int) and channels in (1, 3)):
        raise UsageError(f"channels must be 1 (gray) or 3 (RGB), not {arguments.shown(channels)}.")

    if split == "validation":
        return load(name, "train", data_dir, image_size, channels).validation
    if is_published(name):
        if name == "digits":
            images, labels = _read_digits(split)
            classes = DIGIT_NAMES
        else:
            images, labels = read_idx_split(fetch(name, data_dir), split)
            classes = PUBLISHED[name].classes
        held_out = splits.published_validation(len(images)) if split == "train" else 0
    else:
        folder = find_folder(name)
        if not holds_idx(folder):
            return read_folder(name, folder, split, image_size, channels)
        images, labels = read_idx_split(folder, split)
        classes, held_out = (), 0
        if split == "train":
            keys = [splits.key(image.tobytes()) for image in images.numpy()]
            order, held_out, _ = splits.by_content(keys, labels.tolist(), test=False)
            images, labels = images[order], labels[order]

    if image_size is not None and images.shape[2:] != (image_size, image_size):
        stored = (Image.fromarray(image[0].numpy()) for image in images)
        images = fit(stored, len(images), image_size, channels=1)
    if channels == 3:
        images = images.repeat(1, 3, 1, 1)
    return ImageData(name, split, images, labels, classes, held_out)


def anchored(name: str) -> str:
    """The name under which the same data are found from every working directory.

    A published name is one, whatever folders there are; of a folder it is the whole path. What is
    neither stays as it is.
    """
    if is_published(name):
        return name
    try:
        return str(find_folder(name).resolve())
    except UsageError:
        return name


def _read_digits(split: Split) -> tuple[UInt8[Tensor, "N 1 8 8"], Int64[Tensor, " N"]]:
    """scikit-learn's 8x8 digits. A value v of 0 to 16 becomes 255 v / 16, halves rounded up."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    values = torch.from_numpy(digits.images).long()  # (1797, 8, 8)
    images = ((255 * values + 8) // 16).to(torch.uint8).unsqueeze(1)
    first = len(images) - splits.DIGITS_TEST
    part = slice(first) if split == "train" else slice(first, None)
    return images[part], torch.from_numpy(digits.target).long()[part]
