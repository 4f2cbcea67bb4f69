"""Differentiable augmentations: each image changed at random, with a gradient to its pixels.

Source: Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv
2006.10738), section 4, and its published code. There images lie in [-1, 1].
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "B C H W"]
Range = tuple[float, float]

SHIFT = 1 / 8
"""Of an image's side, by which it is moved at most."""

HOLE = 1 / 2
"""Of an image's side, that of the square which is cut out."""


def color(images: Images, rng: torch.Generator, width: float = 2.0) -> Images:
    """Other brightness, saturation and contrast.

    Args:
        width: of the pixels' range, which brightness moves by a quarter at most.
    """
    brightness, saturation, contrast = (
        torch.rand(len(images), 1, 1, 1, generator=rng, device=images.device).to(images.dtype)
        for _ in range(3)
    )
    images = images + (brightness - 0.5) * (width / 2)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (images - mean) * (contrast + 0.5)


def translation(images: Images, rng: torch.Generator) -> Images:
    """Moved by up to an eighth of the sides; what comes in is 0."""
    count, _, height, width = images.shape
    places = []
    for side in (height, width):
        reach = round(side * SHIFT)
        moved = torch.randint(
            -reach, reach + 1, (count, 1), generator=rng, device=images.device
        ) + torch.arange(1, side + 1, device=images.device)  # (B, side), in the padded image
        places.append(moved.clamp(0, side + 1))
    rows, columns = places
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # (B, H, W, C)
    number = torch.arange(count, device=images.device).view(-1, 1, 1)
    moved = padded[number, rows.unsqueeze(2), columns.unsqueeze(1)]  # (B, H, W, C)
    return moved.permute(0, 3, 1, 2).contiguous()


def cutout(images: Images, rng: torch.Generator) -> Images:
    """A square of half the sides is 0, wherever its middle falls."""
    count, _, height, width = images.shape
    inside = []
    for side in (height, width):
        hole = round(side * HOLE)
        middle = torch.randint(
            0, side + (1 - hole % 2), (count, 1), generator=rng, device=images.device
        )
        away = torch.arange(side, device=images.device) - middle + hole // 2  # (B, side)
        inside.append((away >= 0) & (away < hole))
    rows, columns = inside
    cut = rows.unsqueeze(2) & columns.unsqueeze(1)  # (B, H, W)
    return images.masked_fill(cut.unsqueeze(1), 0)


AUGMENTATIONS: dict[str, Callable[[Images, torch.Generator], Images]] = {
    "color": color,
    "translation": translation,
    "cutout": cutout,
}
"""By the name that a recipe gives them."""
