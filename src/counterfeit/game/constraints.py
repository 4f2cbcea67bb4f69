"""What D's weights are brought back to after each of its steps."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from counterfeit import recipe

Constraint = Callable[[Sequence[Tensor]], None]
"""Changes a network's trained parameters in place."""


def clip_weights(parameters: Sequence[Tensor], limit: float) -> None:
    """Clip each number to [-limit, limit], which bounds D's Lipschitz constant.

    Source: Arjovsky et al. 2017, "Wasserstein GAN" (arXiv 1701.07875), algorithm 1.
    """
    with torch.no_grad():
        for parameter in parameters:
            parameter.clamp_(-limit, limit)


def from_recipe(spec: recipe.Constraints) -> Constraint | None:
    """The recipe's constraint on D, if it has one."""
    if (limit := spec.clip_weights) is None:
        return None
    return lambda parameters: clip_weights(parameters, limit)
