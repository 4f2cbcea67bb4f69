"""What is added to D's loss to keep D well-behaved: a penalty is one small class in a file here."""

from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.game.inputs import Batch


class Penalty(Protocol):
    """A term of D's loss that needs D itself, such as the norm of its gradient at some images."""

    @property
    def name(self) -> str:
        """By which an `Outcome` names it."""

    @property
    def every(self) -> int:
        """It is added in each update whose number this divides; 1 for all."""

    def __call__(
        self, D: nn.Module, real: Batch, fake: Batch, rng: torch.Generator
    ) -> Float[Tensor, ""]:
        """The term, its weight included, with a graph to D's parameters.

        Args:
            real, fake: as many images of each, the fakes without a graph to G.
            rng: where it draws from.
        """
