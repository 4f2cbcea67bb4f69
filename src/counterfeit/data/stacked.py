"""Stacked MNIST: three random digits as red, green and blue, so that there are 1,000 modes.

Source: Metz et al. 2017, "Unrolled Generative Adversarial Networks" (arXiv 1611.02163), section
3.3.1. As many as in the code of Lin et al. 2018, "PacGAN" (arXiv 1712.04086), which draws digits of
MNIST's training and test images together; here test images are of test digits alone.
"""

from pathlib import Path

import torch

from counterfeit.data.idx import read_idx_split
from counterfeit.data.images import Split, Stored
from counterfeit.seeds import stream

COUNTS: dict[Split, int] = {"train": 128_000, "test": 25_600}
"""Of each split; of the test images as many as a trial takes samples."""

DIGITS = 3
"""In an image, a channel each; modes are the numbers of so many digits."""


def read_stacked(folder: Path, split: Split) -> Stored:
    """One split, the same every time, from the folder of MNIST's files; without labels, as a
    thousand classes are more than a classifier learns from so few images of each."""
    digits = read_idx_split(folder, split).images.squeeze(1)  # (N, 28, 28)
    rng = stream(0, "stacked", split == "test")
    drawn = torch.randint(len(digits), (COUNTS[split], DIGITS), generator=rng)
    return Stored(digits[drawn])
