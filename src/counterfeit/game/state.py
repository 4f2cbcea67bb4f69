"""A game's state is a table of named tensors, whose names begin with the part that they belong to:
`generator`, `discriminator`, and `average` where the recipe asks for one."""

from collections.abc import Mapping

from torch import Tensor

AVERAGE = "average"
"""The part that holds the average of the generator's weights, where the recipe asks for one."""


def part_of(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors under `name.`, without that prefix."""
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): tensor
        for key, tensor in tensors.items()
        if key.startswith(prefix)
    }
