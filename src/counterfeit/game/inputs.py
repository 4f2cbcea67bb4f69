"""What goes into an update: real images with their labels, and latents from the prior p_z."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from counterfeit.data import ImageData, as_float
from counterfeit.recipe import Latent


@dataclass(frozen=True)
class Batch:
    """Images, in the range that the networks see, with their labels where the data have any."""

    images: Float[Tensor, "B C H W"]
    labels: Int64[Tensor, " B"] | None = None


@dataclass(frozen=True)
class Pool:
    """The training images on a device, of which batches are made."""

    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"] | None
    value_range: tuple[float, float]
    """The lowest and highest pixel value that the networks see."""

    @classmethod
    def of(
        cls, images: ImageData, value_range: tuple[float, float], device: torch.device
    ) -> "Pool":
        labels = None if images.labels is None else images.labels.to(device)
        return cls(images.images.to(device), labels, value_range)

    def batches(self, chosen: Int64[Tensor, " n"], count: int) -> list[Batch]:
        """The images of those indices as `count` batches of one size: an index and a cast."""
        images = as_float(self.images.index_select(0, chosen), *self.value_range).chunk(count)
        if self.labels is None:
            return [Batch(part) for part in images]
        labels = self.labels.index_select(0, chosen).chunk(count)
        return [Batch(*pair) for pair in zip(images, labels, strict=True)]


def draw_latents(spec: Latent, count: int, rng: torch.Generator) -> Float[Tensor, "count z"]:
    """`count` latents from the recipe's distribution, on the generator's device."""
    z = torch.empty(count, spec.dim, device=rng.device)
    if spec.distribution == "uniform":
        half_width = math.sqrt(3) * spec.std
        return z.uniform_(-half_width, half_width, generator=rng)
    return z.normal_(0, spec.std, generator=rng)
