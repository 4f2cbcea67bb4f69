"""New images: as they come, beside the nearest training images, between two latents."""

import io
import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from counterfeit import data
from counterfeit.errors import UsageError
from counterfeit.files import write_whole
from counterfeit.game.inputs import draw_latents
from counterfeit.insight.charts.grids import COLUMNS, beside, cell_scale, grid
from counterfeit.insight.charts.save import save
from counterfeit.measure.pairs import nearest
from counterfeit.run import Run, generate
from counterfeit.seeds import stream


def write_samples(images: UInt8[Tensor, "N C H W"], path: Path) -> None:
    """Write images as a grid (.png), or as an array `images`, uint8 (N, C, H, W) (.npz).

    Raises:
        UsageError: another suffix.
        CounterfeitError: it cannot be written.
    """
    pixels = images.numpy()
    if path.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, images=pixels)
        write_whole(path, buffer.getvalue())
    elif path.suffix == ".png":
        columns = min(len(pixels), max(COLUMNS, math.ceil(math.sqrt(len(pixels)))))
        scale = None if columns <= 2 * COLUMNS else 1
        save(grid(pixels, columns, scale), path)
    else:
        raise UsageError(f"cannot write samples to {path}: its name must end in .png or .npz.")


def write_new_samples(run: Run, path: Path) -> None:
    write_samples(run.sample(100), path)


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
    save(grid(generate(run.generator(), z, run.recipe.value_range).numpy()), path)


def write_preview(run: Run, path: Path) -> None:
    data.preview(run.load_data("train"), path)
