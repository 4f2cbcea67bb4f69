"""The two small sets, scikit-learn's digits and the emoji, from what they are kept as."""

from pathlib import Path

import torch

from counterfeit.data import splits
from counterfeit.data.idx import read_idx
from counterfeit.data.images import Split, Stored

EMOJI_FILE = "images-idx4-ubyte"
"""(N, 64, 64, 4): red, green, blue and opacity of each emoji, by its file's name."""


def read_digits(_: Path, split: Split) -> Stored:
    """scikit-learn's 8x8 digits. A value v of 0 to 16 becomes 255 v / 16, halves rounded up."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    values = torch.from_numpy(digits.images).long()  # (1797, 8, 8)
    images = ((255 * values + 8) // 16).to(torch.uint8).unsqueeze(1)
    first = len(images) - splits.DIGITS_TEST
    part = slice(first) if split == "train" else slice(first, None)
    return Stored(images[part], torch.from_numpy(digits.target).long()[part])


def read_emoji(folder: Path, split: Split) -> Stored:
    """One split's pictures, red, green, blue and opacity."""
    images = read_idx(folder / EMOJI_FILE, dimensions=4)  # (N, 64, 64, 4)
    keys = [splits.key(image.tobytes()) for image in images.numpy()]
    parts = splits.by_content(keys, None, test=True)
    part, held_out = (parts.train, parts.validation) if split == "train" else (parts.test, 0)
    return Stored(images[part].permute(0, 3, 1, 2), held_out=held_out)
