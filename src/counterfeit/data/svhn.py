"""SVHN's digits of 32 x 32 pixels as they are published: Matlab's files, of version 5.

`X` is (32, 32, 3, N), rows first, of bytes; `y` is (N, 1), where the digit 0 has the label 10
(http://ufldl.stanford.edu/housenumbers/).
"""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from counterfeit.data.images import Split, Stored
from counterfeit.environment import require_memory
from counterfeit.errors import CounterfeitError

FILES: dict[Split, str] = {"train": "train_32x32.mat", "test": "test_32x32.mat"}


def holds_svhn(folder: Path) -> bool:
    """Whether one of SVHN's two files is in the folder."""
    return any((folder / file).is_file() for file in FILES.values())


def read_svhn(folder: Path, split: Split) -> Stored:
    """One split of a folder.

    Raises:
        CounterfeitError: its file is missing or damaged, or holds something else.
    """
    path = folder / FILES[split]
    if not path.is_file():
        raise CounterfeitError(f"{folder} holds no {path.name}; add it.")
    try:
        images, labels = _variables(path)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[2] != 3:
            raise ValueError("X is not (H, W, 3, N), of bytes")
        if not images.size or labels.size != images.shape[3]:
            raise ValueError("y has not a label for each image in X")
        if labels.dtype.kind not in "ui" or not 1 <= labels.min() <= labels.max() <= 10:
            raise ValueError("y is not of whole numbers from 1 to 10")
    except CounterfeitError:
        raise
    except Exception as error:  # scipy's reader of damaged files fails with many types
        why = " ".join(str(error).split()) or type(error).__name__
        raise CounterfeitError(f"{path} is no file of SVHN's: {why:.200}; replace it.") from error
    pixels = np.ascontiguousarray(images.transpose(3, 2, 0, 1))
    return Stored(torch.from_numpy(pixels), torch.from_numpy(labels.ravel() % 10).long())


def _variables(path: Path) -> list[Any]:
    """X and y, once it is known that they fit into memory."""
    from scipy.io import loadmat, whosmat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged files
        for _, shape, _ in whosmat(path, appendmat=False):
            require_memory(2 * math.prod(shape), f"the images of {path}", "replace it")
        found = loadmat(path, appendmat=False, variable_names=("X", "y"))
    return [np.asarray(found[name]) for name in ("X", "y")]
