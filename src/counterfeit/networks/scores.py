"""What a discriminator says of images."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Scores(NamedTuple):
    """What a discriminator says of N images."""

    logits: Float[Tensor, " N"]
    extra: Mapping[str, Float[Tensor, "N ..."]] = MappingProxyType({})
    """What its other heads say, by name."""


def scores(said: Tensor | Scores) -> Scores:
    """What a discriminator returned: its logits alone, or beside what other heads say."""
    return said if isinstance(said, Scores) else Scores(said)
