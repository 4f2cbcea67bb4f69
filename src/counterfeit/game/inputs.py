"""What goes into an update: latents from the prior p_z."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.recipe import Latent


def draw_latents(spec: Latent, count: int, rng: torch.Generator) -> Float[Tensor, "count z"]:
    """`count` latents from the recipe's distribution, on the generator's device."""
    z = torch.empty(count, spec.dim, device=rng.device)
    if spec.distribution == "uniform":
        half_width = math.sqrt(3) * spec.std
        return z.uniform_(-half_width, half_width, generator=rng)
    return z.normal_(0, spec.std, generator=rng)
