"""New images: as they come, beside the nearest training images, between two latents."""

import io
import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from counterfeit import data
from counterfeit.errors import UsageError
from counterfeit.files import write_whole, writing
from counterfeit.game.inputs import draw_latents
from counterfeit.insight.charts.grids import COLUMNS, beside, cell_scale, grid
from counterfeit.insight.charts.save import save
from counterfeit.measure.pairs import nearest
from counterfeit.run import Run, asked, generate
from counterfeit.seeds import stream


def write_samples(
    images: UInt8[Tensor, "N C H W"], path: Path, labels: Int64[Tensor, " N"] | None = None
) -> None:
    """Write images as a grid (.png), or as an array `images`, uint8 (N, C, H, W) (.npz).

    Args:
        labels: of each image, to stand beside them as an array `labels`; in a grid, as many images
            of each in turn make a row of each.

    Raises:
        UsageError: another suffix.
        CounterfeitError: it cannot be written.
    """
    pixels = images.numpy()
    if path.suffix == ".npz":
        buffer = io.BytesIO()
        if labels is None:
            np.savez_compressed(buffer, images=pixels)
        else:
            np.savez_compressed(buffer, images=pixels, labels=labels.numpy())
        write_whole(path, buffer.getvalue())
    elif path.suffix == ".png":
        columns = min(len(pixels), max(COLUMNS, math.ceil(math.sqrt(len(pixels)))))
        if labels is not None:
            columns = _row_length(labels) or columns
        scale = None if columns <= 2 * COLUMNS else 1
        save(grid(pixels, columns, scale), path)
    else:
        raise UsageError(f"cannot write samples to {path}: its name must end in .png or .npz.")


def _row_length(labels: Int64[Tensor, " N"]) -> int | None:
    """As many of each label follow each other, if that makes a grid of two rows or more."""
    _, lengths = torch.unique_consecutive(labels, return_counts=True)
    length = int(lengths[0])
    rows_alike = len(lengths) > 1 and bool((lengths == length).all())
    return length if rows_alike and length <= 2 * COLUMNS else None


def write_each(images: UInt8[Tensor, "N C H W"], folder: Path) -> None:
    """Write each image as a PNG of its own, in a folder that is made or empty: 00000.png, …

    Raises:
        UsageError: there is something in the folder.
        CounterfeitError: it cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; name a new folder with --out.")
    for number, image in enumerate(images.numpy()):
        save(grid(image[None], columns=1, scale=1), folder / f"{number:05}.png")


def write_new_samples(run: Run, path: Path) -> None:
    """One hundred; of a run whose networks are told classes, in rows of each."""
    labels = asked.evenly(100, len(run.classes)) if run.classes else None
    write_samples(run.sample(100, labels=labels), path, labels)


def write_nearest(run: Run, path: Path) -> None:
    """The paper's figure 2: samples, and the training image nearest to each row's last one."""
    rows, columns = 6, 8
    training = run.load_data("train").images
    samples = run.sample(100)[: rows * columns]
    _, index = nearest(samples[columns - 1 :: columns], training)
    found = training[index]
    scale = cell_scale(*run.image_shape[1:])
    save(
        beside(grid(samples.numpy(), columns), grid(found.numpy(), columns=1), gap=2 * scale), path
    )


def write_interpolation(run: Run, path: Path) -> None:
    """The paper's figure 3: from one latent to another, linearly, a pair in each row."""
    rows = 6
    ends = draw_latents(run.recipe.latent, 2 * rows, stream(run.seed, "evaluation", 1))
    left, right = ends.unsqueeze(1).chunk(2)  # (rows, 1, z) each
    share = torch.linspace(0, 1, COLUMNS)[:, None]
    z = torch.lerp(left, right, share).flatten(0, 1)  # (rows * COLUMNS, z)
    labels = run.labels(rows)  # a row keeps its class
    told = None if labels is None else labels.repeat_interleave(COLUMNS)
    save(grid(generate(run.generator(), z, run.recipe.value_range, told).numpy()), path)


def write_preview(run: Run, path: Path) -> None:
    data.preview(run.load_data("train"), path)
