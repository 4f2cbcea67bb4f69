"""Which engine computes an update: the fastest one that computes the same."""

import logging
from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.game import optimizers
from counterfeit.game.engines.cuda import GraphedEngine
from counterfeit.game.engines.fast import FastEngine
from counterfeit.game.engines.layers import Unknown
from counterfeit.game.engines.plain import PlainEngine
from counterfeit.game.engines.sharing import SharedPlayer
from counterfeit.game.inputs import Batch
from counterfeit.game.losses import ANALYTIC
from counterfeit.game.step import Outcome, Player, Rules
from counterfeit.networks import Own

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """Computes update number `number` of two players; see `step` for its arguments.

    What it returns may be overwritten by the next update.
    """

    def __call__(
        self, reals: Sequence[Batch], latents: Float[Tensor, "draws B z"], number: int
    ) -> Outcome: ...


def choose(
    generator: Player,
    discriminator: Player,
    rules: Rules,
    *,
    device: torch.device,
    bf16: bool,
    rng: torch.Generator,
    dropout: torch.Generator,
    shared: bool = False,
) -> Engine:
    """The fast engine on the CPU, where it knows networks, optimisers and rules to the last type; a
    CUDA graph of the plain step on a GPU, where the optimisers' settings are tensors and no code is
    the user's; else the plain step.

    Args:
        bf16: whether matrix products are in bfloat16.
        rng: where penalties draw from.
        dropout: where the networks draw from.
        shared: whether several processes compute it together, by the plain step (see `sharing`).
    """
    if shared:
        pair = SharedPlayer(generator), SharedPlayer(discriminator)
        return PlainEngine(*pair, rules, bf16=bf16, rng=rng)
    if device.type == "cpu":
        try:
            return FastEngine(generator, discriminator, rules, bf16=bf16)
        except Unknown as unknown:
            logger.info("the plain step it is, for the fast one does not know %s", unknown)
    plain = PlainEngine(generator, discriminator, rules, bf16=bf16, rng=rng)
    graphable = (
        not (rules.penalties or rules.view or rules.replay)  # which differ from update to update
        and type(rules.loss) in ANALYTIC
        and all(
            player.settings.clip_gradients is None
            and optimizers.is_graphable(player.optimizer)
            and not isinstance(player.network, Own)
            for player in (generator, discriminator)
        )
    )
    if device.type == "cuda" and graphable:
        return GraphedEngine(plain, dropout)
    return plain
