"""The plain step as it stands, for any networks on any device."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.game.inputs import Batch
from counterfeit.game.step import STEPS, Outcome, Player, Rules


class PlainEngine:
    """Moves two players by `alternating_step` or `simultaneous_step`.

    Args:
        generator, discriminator: with any optimisers.
        bf16: matrix products in bfloat16, by PyTorch's autocast; the networks themselves keep
            pixels and logits in the precision of their weights.
        rng: where penalties draw from; on the players' device.
    """

    def __init__(
        self,
        generator: Player,
        discriminator: Player,
        rules: Rules,
        *,
        bf16: bool,
        rng: torch.Generator,
    ) -> None:
        self.players = generator, discriminator
        self.rules = rules
        self.bf16 = bf16
        self.rng = rng

    def __call__(
        self, reals: Sequence[Batch], latents: Float[Tensor, "draws B z"], number: int
    ) -> Outcome:
        step = STEPS[self.rules.update]
        # Without autocast's cache, which would hold the weights that D had before its step.
        with torch.autocast(
            latents.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False
        ):
            return step(*self.players, reals, latents, self.rules, number, self.rng)
