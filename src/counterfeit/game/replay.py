"""Old fakes among D's new ones, so that D does not forget what G made before."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit import recipe
from counterfeit.seeds import stream_seed

BATCHES = 4
"""Batches of fakes that are kept."""


class Replay:
    """Keeps old fakes, and puts some in the place of a batch's first ones, which it keeps instead.

    Source: Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through
    Adversarial Training" (arXiv 1612.07828), section 2.3.

    Args:
        share: of a batch that is old, once enough are kept.
        seed: fixes which, with an update's number.
    """

    def __init__(
        self,
        share: float,
        batch_size: int,
        shape: tuple[int, int, int],
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        self.old = round(share * batch_size)
        self.seed = seed
        self.rng = torch.Generator(device)
        self.images = torch.zeros(BATCHES * batch_size, *shape, device=device)
        self.kept = 0

    def begin(self, step: int, epoch: float) -> None:
        """Get ready for an update."""
        self.rng.manual_seed(stream_seed(self.seed, "replay", step))

    def __call__(self, fakes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The batch with old fakes in it; the first batches are kept, and stay as they are."""
        if self.kept < len(self.images):
            self.images[self.kept : self.kept + len(fakes)] = fakes
            self.kept += len(fakes)
            return fakes
        order = torch.randperm(len(self.images), generator=self.rng, device=fakes.device)
        chosen = order[: self.old]
        old = self.images[chosen].to(fakes.dtype)
        self.images[chosen] = fakes[: self.old].to(self.images.dtype)
        return torch.cat([old, fakes[self.old :]])

    def tensors(self) -> dict[str, Tensor]:
        return {"images": self.images, "kept": torch.tensor(self.kept)}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a state that `tensors` once returned.

        Raises:
            KeyError or ValueError: it is of other batches.
        """
        images, kept = tensors["images"], int(tensors["kept"])
        if images.shape != self.images.shape or not 0 <= kept <= len(images):
            raise ValueError("old fakes of another shape")
        self.images.copy_(images)
        self.kept = kept


def from_recipe(
    spec: recipe.Recipe, shape: tuple[int, int, int], seed: int, device: torch.device
) -> Replay | None:
    """What keeps the recipe's old fakes, if it wants any."""
    if not spec.inputs.replay:
        return None
    return Replay(spec.inputs.replay, spec.training.batch_size, shape, seed=seed, device=device)
