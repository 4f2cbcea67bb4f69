"""What every trial is: a recipe on data whose modes are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from matplotlib.figure import Figure
from PIL import Image

from counterfeit.language import english
from counterfeit.recipe import Recipe

if TYPE_CHECKING:
    from counterfeit.trials.folder import Folder

OnProgress = Callable[[float], None]
"""Is handed the share of a seed's training that is done."""

DIVERGED = english("Training diverged: its numbers are no longer finite.")


@dataclass(frozen=True)
class Result:
    """What one seed came to."""

    seed: int
    scores: Mapping[str, float]
    """By the metrics' names."""
    seconds: float
    """That training took."""
    why: str | None = None
    """What made it fail, in a sentence; its scores are those of a generator that finds nothing."""


class Trial(Protocol):
    """A recipe on data whose modes are known."""

    name: str
    spec: Recipe
    """What is trained."""
    device: torch.device
    """Where."""

    @property
    def modes(self) -> int:
        """How many there are to find."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        """What its numbers rest on, for those who compare them."""

    def perform(self, seed: int, folder: "Folder", on_progress: OnProgress) -> Result:
        """Train with a seed, and count what its generator finds.

        Raises:
            CounterfeitError: something kept it from its end.
            Interrupted: a signal came.
        """

    def picture(self, folder: "Folder", results: Sequence[Result]) -> Figure | Image.Image | None:
        """What the generators of these seeds make; None where none makes anything."""

    def notes(self) -> list[str]:
        """How its numbers are found and are to be read, in sentences."""
