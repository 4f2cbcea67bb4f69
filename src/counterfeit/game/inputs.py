"""What goes into an update: real images with their labels, and latents from the prior p_z."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn.functional import one_hot

from counterfeit.data import ImageData, as_float
from counterfeit.data.points import Mixture
from counterfeit.networks import Scores, ask, scores
from counterfeit.recipe import Latent, Training
from counterfeit.seeds import stream

POINTS_EPOCH = 100
"""Updates of G that count as an epoch of points: they are drawn anew and never run out."""


@dataclass(frozen=True)
class Batch:
    """Images, in the range that the networks see, with their labels where the data have any.

    Fakes have the labels of the real images that they are judged beside, so that D sees as many of
    each class on both sides.
    """

    images: Float[Tensor, "B C H W"]
    labels: Int64[Tensor, " B"] | None = None
    latents: Float[Tensor, "B z"] | None = None
    """What made them; of fakes only."""

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice) -> "Batch":
        """Some of the images, with their labels."""
        return Batch(self.images[part], None if self.labels is None else self.labels[part])

    def __add__(self, other: "Batch") -> "Batch":
        """The images of both, with their labels."""
        images = torch.cat([self.images, other.images])
        if self.labels is None or other.labels is None:
            return Batch(images)
        return Batch(images, torch.cat([self.labels, other.labels]))

    def detached(self) -> "Batch":
        """The same without a graph to G."""
        return replace(self, images=self.images.detach())


def says(D: nn.Module, batch: Batch) -> Scores:
    """What a discriminator says of a batch, whose classes it is told if it is told any."""
    return scores(ask(D, batch.images, batch.labels))


@dataclass(frozen=True)
class Pool:
    """The training images, of which batches are made on a device."""

    images: UInt8[Tensor, "N C H W"]
    """On the device; where they would take more than half of it, on the CPU."""
    labels: Int64[Tensor, " N"] | None
    value_range: tuple[float, float]
    """The lowest and highest pixel value that the networks see."""
    device: torch.device

    @classmethod
    def of(
        cls, images: ImageData, value_range: tuple[float, float], device: torch.device
    ) -> "Pool":
        labels = None if images.labels is None else images.labels.to(device)
        pixels = images.images
        if device.type != "cuda" or 2 * pixels.nbytes < torch.cuda.mem_get_info(device)[0]:
            pixels = pixels.to(device)
        return cls(pixels, labels, value_range, device)

    def batches(self, chosen: Int64[Tensor, " n"], count: int) -> list[Batch]:
        """The images of those indices as `count` batches of one size: an index and a cast."""
        some = self.images.index_select(0, chosen.to(self.images.device)).to(self.device)
        images = as_float(some, *self.value_range).chunk(count)
        if self.labels is None:
            return [Batch(part) for part in images]
        labels = self.labels.index_select(0, chosen).chunk(count)
        return [Batch(*pair) for pair in zip(images, labels, strict=True)]


def draw_points(mixture: Mixture, training: Training, seed: int, step: int) -> list[Batch]:
    """The points of update number `step`, a batch for each step of D."""
    count = training.discriminator_steps * training.batch_size
    points = mixture.sample(count, stream(seed, "order", step))
    return [Batch(each) for each in mixture.to_images(points).chunk(training.discriminator_steps)]


def draw_latents(spec: Latent, count: int, rng: torch.Generator) -> Float[Tensor, "count z"]:
    """`count` latents from the recipe's distribution, on the generator's device; codes last."""
    z = torch.empty(count, spec.dim, device=rng.device)
    if spec.distribution == "uniform":
        half_width = math.sqrt(3) * spec.std
        z.uniform_(-half_width, half_width, generator=rng)
    else:
        z.normal_(0, spec.std, generator=rng)
    if not spec.codes:
        return z
    codes = torch.empty(count, spec.continuous, device=rng.device).uniform_(-1, 1, generator=rng)
    if spec.categories:
        one = torch.randint(spec.categories, (count,), generator=rng, device=rng.device)
        codes = torch.cat([one_hot(one, spec.categories), codes], 1)
    return torch.cat([z, codes], 1)  # (count, dim + categories + continuous)


def set_category(z: Float[Tensor, "N z"], spec: Latent, categories: Int64[Tensor, " N"]) -> None:
    """Give latents that categorical code instead of theirs, in place."""
    z[:, spec.dim : spec.dim + spec.categories] = one_hot(categories, spec.categories).to(z.dtype)


def draw_classes(sizes: Sequence[int], count: int, rng: torch.Generator) -> Int64[Tensor, " count"]:
    """`count` classes, each as probable as its share of the images, on the generator's device.

    Args:
        sizes: how many images are of each class.
    """
    weights = torch.tensor(sizes, dtype=torch.float64, device=rng.device)
    return torch.multinomial(weights, count, replacement=True, generator=rng)
