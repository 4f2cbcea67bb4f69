"""Both players and their loss, tried once on two images before a game of the user's own begins."""

import copy
import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.errors import UsageError
from counterfeit.game.game import Game
from counterfeit.game.inputs import Pool, draw_latents
from counterfeit.game.losses import expected
from counterfeit.game.step import fakes, judge
from counterfeit.language import english
from counterfeit.networks.own import Kind, Own, blaming
from counterfeit.recipe import Recipe
from counterfeit.seeds import global_draws, stream

EDGE = 0.05
"""By which a pixel may lie outside of [-1, 1]: what is rounded, and no more."""


LOUDER = 1000.0
"""Times that D's weights are enlarged, to see whether its answers grow with them."""

SIGMOID = english(
    "D's answers seem to be probabilities, as they stay between 0 and 1 whatever its weights, and"
    " the loss takes logits: leave out the sigmoid that D ends in, or D hardly learns."
)


def try_out(game: Game, recipe: Recipe, pool: Pool) -> str | None:
    """An update's passes and gradients, with copies of the players; nothing is changed.

    Args:
        recipe: the game's.
        pool: of which two images are taken.

    Returns: what will probably disappoint.

    Raises:
        UsageError: something in it fails, gives numbers that are not finite, or leads nowhere.
    """
    device = game.device
    own_loss = recipe.loss.name == "custom"
    loss = game.rules.loss if own_loss else expected(recipe.loss)  # with labels for two images
    (real,) = pool.batches(torch.arange(2, device=device), 1)
    z = draw_latents(recipe.latent, 2, stream(0, "latent", device=device))
    with global_draws(0, {device}):
        G, D = _copies(game.G, game.D)
        for network in (G, D):
            if not network.training:
                network.train()
        with blaming("the generator, in a pass of training"):
            fake = fakes(G, z, real.labels)
        _require_finite(fake.images, "the generator makes pixels")
        with blaming("the discriminator, in a pass of training"):
            of_real, of_fake = judge(D, real, fake)
        for said in (of_real, of_fake):
            _require_finite(said.logits, "the discriminator gives answers")
        with blaming("the loss of the discriminator"):
            d_loss = loss.discriminator(of_real, of_fake)
        with blaming("the loss of the generator"):
            g_loss = loss.generator(of_fake, of_real if loss.relative else None)
        _require_sound("discriminator", D, d_loss)
        _require_sound("generator", G, g_loss)
        rng = torch.Generator(device).manual_seed(0)
        for penalty in game.rules.penalties:
            with blaming(f"the penalty {penalty.name}, on this discriminator"):
                _gradients(D, penalty(D, real, fake.detached(), rng))
        G, D = _copies(G, D)
        with blaming("the networks, in eval mode"), torch.no_grad():
            judge(D.eval(), real, fakes(G.eval(), z, real.labels))
            answers = torch.cat([of_real.logits, of_fake.logits])
            if not (loss.probabilistic and isinstance(D, Own) and (answers > 0).all()):
                return None
            for weight in D.parameters():
                weight.mul_(LOUDER)
            louder = torch.cat([each.logits for each in judge(D, real, fake.detached())])
    probable = (answers < 1).all() and ((louder >= 0) & (louder <= 1)).all()
    return SIGMOID if probable else None


def _copies(*networks: nn.Module) -> list[nn.Module]:
    with blaming("the networks cannot be copied, and samples are drawn from copies"):
        return [copy.deepcopy(each) for each in networks]


def output_of(own: Own, recipe: Recipe, device: torch.device) -> str:
    """What a user's generator ends in, "sigmoid" or "tanh", which sets the images' range.

    It is that module where the last one is of either; else what its pixels look like, and where
    they do not tell, what the recipe says.

    Raises:
        UsageError: its pixels lie outside of [-1, 1].
    """
    last = [type(each) for each in own.inner.modules()][-1]
    if last in (nn.Sigmoid, nn.Tanh):
        return last.__name__.lower()
    with global_draws(0, {device}), torch.no_grad(), blaming("the generator"):
        twin = copy.deepcopy(own).to(device).train()
        z = draw_latents(recipe.latent, 2, stream(0, "latent", device=device))
        images = twin(z, torch.zeros(2, dtype=torch.int64, device=device))
    low, high = float(images.min()), float(images.max())
    if math.isnan(low):
        raise UsageError("the generator makes pixels that are NaN, before any training.")
    if low < -1 - EDGE or high > 1 + EDGE:
        raise UsageError(
            f"the generator makes pixels from {low:.3g} to {high:.3g}; they must lie in [0, 1] or"
            " [-1, 1]: let it end in a Sigmoid or a Tanh."
        )
    if low < -EDGE:
        return "tanh"
    return "sigmoid" if low >= 0 and high > EDGE else recipe.generator.output


def require_logits(own: Own, recipe: Recipe) -> None:
    """Refuse a discriminator that ends in a Sigmoid where the loss is one of ours, of logits.

    Raises:
        UsageError: it does.
    """
    last = [type(each) for each in own.inner.modules()][-1]
    if last is nn.Sigmoid and recipe.loss.name != "custom":
        raise UsageError(
            f"the discriminator ends in a Sigmoid, and the loss {recipe.loss.name} takes logits;"
            " leave it out."
        )


def _require_finite(values: Tensor, what: str) -> None:
    if not values.isfinite().all():
        raise UsageError(f"{what} that are NaN or infinite, before any training.")


def _require_sound(player: Kind, network: nn.Module, loss: Any) -> None:
    """Refuse a loss that is no number, or that does not depend on the player."""
    if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.is_floating_point():
        raise UsageError(f"the loss of the {player} must be one number, as a tensor.")
    _require_finite(loss, f"the loss of the {player} has values")
    with blaming(f"the gradients of the {player}"):
        gradients = _gradients(network, loss) if loss.requires_grad else []
    if all(each is None for each in gradients):
        raise UsageError(
            f"no gradient of its loss reaches the {player}'s parameters; something on the way"
            " detaches, rounds or works without gradients."
        )


def _gradients(network: nn.Module, value: Float[Tensor, ""]) -> Sequence[Tensor | None]:
    trained = [each for each in network.parameters() if each.requires_grad]
    return torch.autograd.grad(value.sum(), trained, retain_graph=True, allow_unused=True)
