"""A run's networks rebuilt from its recipe and a checkpoint, and the images that they make."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from counterfeit import data, networks
from counterfeit.errors import CounterfeitError
from counterfeit.game.state import AVERAGE
from counterfeit.networks import Own, ask
from counterfeit.networks.own import Kind
from counterfeit.recipe import Recipe
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.seeds import global_draws

SAMPLE_BATCH = 1000

DIVERGED = "training has diverged; lower the learning rates, or go back to an earlier checkpoint."

Shape = tuple[int, int, int]


def rebuild(
    player: Kind,
    recipe: Recipe,
    shape: Shape,
    classes: int,
    state: Checkpoint,
    path: Path,
    *,
    averaged: bool = False,
    own: Own | None = None,
) -> nn.Module:
    """A player of a checkpoint of the run at `path`, in eval mode, on the CPU: BatchNorm uses its
    running statistics, and dropout is off.

    Args:
        averaged: whether the generator's weights are their average over training, where the recipe
            asks for one.
        own: the user's module, of which a copy gets the weights; else the recipe's is planned.

    Raises:
        CounterfeitError: the checkpoint belongs to another recipe, training has diverged, or only
            the user's code can build that player.
    """
    network = (
        networks.plan_player(player, recipe, shape, classes)
        if own is None
        else copy.deepcopy(own).cpu()
    )
    average = averaged and player == "generator" and recipe.generator.ema_decay > 0
    _load(network, state, AVERAGE if average else player, path)
    return network


@contextmanager
def looking_at(*networks: nn.Module) -> Iterator[None]:
    """Networks in eval mode, to be looked at, and left as they were.

    Each module gets back its own mode when the block ends, however it does, and the global
    generators their state: a network that draws from them draws the same each time.
    """
    modes = {module: module.training for network in networks for module in network.modules()}
    places = {tensor.device for network in networks for tensor in network.parameters()}
    with global_draws(0, places):
        for network in networks:
            network.eval()
        try:
            yield
        finally:
            for module, training in modes.items():
                module.training = training


def generate(
    generator: torch.nn.Module,
    z: Float[Tensor, "N z"],
    value_range: tuple[float, float],
    labels: Int64[Tensor, " N"] | None = None,
) -> UInt8[Tensor, "N C H W"]:
    """The generator's images of `z` in eval mode, on the CPU; it is left as it was.

    Args:
        labels: their classes, where the generator is told one.

    Raises:
        CounterfeitError: they are not finite.
    """
    parts, finite = [], True
    with torch.inference_mode(), looking_at(generator):
        for start in range(0, len(z), SAMPLE_BATCH):
            part = slice(start, start + SAMPLE_BATCH)
            pixels = ask(generator, z[part], None if labels is None else labels[part].to(z.device))
            finite = finite and bool(pixels.isfinite().all())
            parts.append(data.as_uint8(pixels, *value_range).cpu())
    if not finite:
        raise CounterfeitError(f"the generator makes NaN or infinite pixels: {DIVERGED}")
    return torch.cat(parts)


def _load(network: nn.Module, state: Checkpoint, part: str, path: Path) -> None:
    """Give a network its weights, copies of the checkpoint's, and put it into eval mode."""
    own = state.part(part)
    weights = {
        key: tensor.clone() for key, tensor in own.items() if not key.startswith("optimizer.")
    }
    planned = not isinstance(network, Own)  # the user's may share a tensor between two names
    try:
        network.load_state_dict(weights, assign=planned)
    except RuntimeError:
        raise CounterfeitError(
            f"the checkpoint of step {state.step} in {path} does not fit its recipe."
        ) from None
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise CounterfeitError(f"the {part} has NaN or infinite weights: {DIVERGED}")
    network.eval()
