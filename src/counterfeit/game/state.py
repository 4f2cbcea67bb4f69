"""A game's state is a table of named tensors, whose names begin with the part that they belong to:
`generator`, `discriminator`, and where the recipe asks for them `average`, `view` and `replay`."""

from collections.abc import Mapping

from torch import Tensor

AVERAGE = "average"
"""The part that holds the average of the generator's weights, where the recipe asks for one."""

VIEW = "view"
"""The part that holds how often D's images are augmented, where that adapts."""

REPLAY = "replay"
"""The part that holds old fakes."""


def part_of(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors under `name.`, without that prefix."""
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): tensor
        for key, tensor in tensors.items()
        if key.startswith(prefix)
    }
