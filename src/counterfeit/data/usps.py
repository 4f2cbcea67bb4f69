"""USPS as LIBSVM publishes it: bzipped lines of text, each a label and 256 numbered values.

Labels are 1 to 10 for the digits 0 to 9; values are 16 x 16 pixels from -1 to 1, row by row, those
of 0 left out (https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps).
"""

import io
from pathlib import Path

import numpy as np
import torch

from counterfeit.data.images import Split, Stored, as_uint8
from counterfeit.data.packed import read
from counterfeit.errors import CounterfeitError

FILES: dict[Split, str] = {"train": "usps", "test": "usps.t"}

MOST = 256 * 1024**2
"""Bytes of a file, unpacked; the larger one has about 20 million."""


def _find(folder: Path, split: Split) -> Path | None:
    name = FILES[split]
    return next((p for p in (folder / f"{name}.bz2", folder / name) if p.is_file()), None)


def holds_usps(folder: Path) -> bool:
    """Whether one of USPS's two files is in the folder, packed or unpacked."""
    return any(_find(folder, split) for split in FILES)


def read_usps(folder: Path, split: Split) -> Stored:
    """One split of a folder, whose values become bytes by rounding.

    Raises:
        CounterfeitError: its file is missing or damaged, or holds something else.
    """
    from sklearn.datasets import load_svmlight_file

    path = _find(folder, split)
    if path is None:
        raise CounterfeitError(f"{folder} holds no {FILES[split]}, packed as .bz2 or not; add it.")
    content = read(path, MOST)
    try:
        table, labels = load_svmlight_file(io.BytesIO(content), n_features=256, zero_based=False)
        values = table.toarray()  # (N, 256)
        if not len(values):
            raise ValueError("it is empty")
        if not set(np.unique(labels)) <= set(range(1, 11)):
            raise ValueError("a label is no whole number from 1 to 10")
        if not (np.abs(values) <= 1).all():
            raise ValueError("a value is not from -1 to 1")
    except Exception as error:  # scikit-learn's parser fails with many types
        why = " ".join(str(error).split()) or type(error).__name__
        raise CounterfeitError(f"{path} is no file of USPS's: {why:.200}; replace it.") from error
    images = as_uint8(torch.from_numpy(values).view(-1, 1, 16, 16), -1, 1)
    return Stored(images, torch.from_numpy(labels).long() - 1)
