"""Features of images without labels: of a network that was trained to say which way up they are.

To tell how far an image was turned, a network must know what is drawn on it, and nobody has to
label anything. It is of the classifier's kind and trained in the same way: its hidden layer is
standardised, and pictures of nothing are a class of their own. docs/metrics.md shows what it sees
that a network of random weights (Naeem et al. 2020, arXiv 2002.09797) does not.

Source: Gidaris et al. 2018, "Unsupervised Representation Learning by Predicting Image Rotations"
(arXiv 1803.07728), sections 2 and 3.1.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from counterfeit import data
from counterfeit.measure.classifier import Classifier, FeatureNetwork
from counterfeit.measure.names import ROTNET
from counterfeit.measure.train_classifier import BATCH, file_name, fit, keep, kept_in, path_of

UPDATES = 600
"""A quarter of a classifier's: of the emoji's turns 76 % are told then, and 78 % after 1,200."""


class RotNet:
    """The 128 features of a network that tells turned images, under a name that says which."""

    def __init__(self, network: Classifier) -> None:
        self.network = network
        self.name = network.name

    def read(
        self,
        images: UInt8[Tensor, "N C H W"],
        *,
        progress: Callable[[float], None] = lambda done: None,
    ) -> Float[Tensor, "N 128"]:
        """Features of images of the size and channels that it was trained on."""
        return self.network.read(images, progress=progress).features


def rotnet_for(
    train_split: data.ImageData,
    folder: Path,
    *,
    updates: int = UPDATES,
    progress: Callable[[float], None] = lambda done: None,
) -> RotNet:
    """The network of a data set, which is trained on first use.

    Args:
        train_split: all of the data's training images.
        folder: where it is kept, under the data's name and checksum.
        updates, progress: see `train`.

    Raises:
        CounterfeitError: a kept one is damaged, or it cannot be kept.
    """
    return kept_rotnet(train_split, folder) or RotNet(
        keep(
            _path(train_split, folder),
            _name(train_split),
            lambda: train(train_split.images, updates=updates, progress=progress),
        )
    )


def kept_rotnet(train_split: data.ImageData, folder: Path) -> RotNet | None:
    """The network of a data set if it was trained before.

    Raises:
        CounterfeitError: it is damaged.
    """
    channels, height, width = train_split.shape
    name = _name(train_split)
    kept = kept_in(_path(train_split, folder), name, channels, _turns(height, width))
    return RotNet(kept) if kept else None


def train(
    images: UInt8[Tensor, "N C H W"],
    *,
    updates: int = UPDATES,
    progress: Callable[[float], None] = lambda done: None,
) -> FeatureNetwork:
    """A network that tells by how many quarters an image is turned, or whether it is upside down
    where images are not square; the same bits for the same data, machine and thread count.

    Args:
        images: training images.
        updates: steps of Adam, on batches of 250 drawn with replacement.
        progress: called with the share done.
    """
    count, channels, height, width = images.shape
    turns = _turns(height, width)

    def draw(rng: torch.Generator) -> tuple[UInt8[Tensor, "n C H W"], Int64[Tensor, " n"]]:
        chosen = images[torch.randint(count, (BATCH,), generator=rng)]
        turned = torch.randint(turns, (BATCH,), generator=rng)
        batch = torch.empty_like(chosen)
        for turn in range(turns):
            ours = turned == turn
            batch[ours] = chosen[ours].rot90(turn * (4 // turns), (2, 3))
        return batch, turned

    return fit(draw, channels, turns, updates=updates, progress=progress)


def _turns(height: int, width: int) -> int:
    """How many turns leave an image of that size one of that size."""
    return 4 if height == width else 2


def _name(train_split: data.ImageData) -> str:
    return f"{file_name(train_split.name)}{ROTNET}"


def _path(train_split: data.ImageData, folder: Path) -> Path:
    return path_of(_name(train_split), train_split.sha256, folder)
