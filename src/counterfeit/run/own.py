"""A user's own modules beside the run that was trained with them."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from torch import nn

from counterfeit.errors import CounterfeitError, UsageError, command
from counterfeit.networks.own import Kind, Own, adapted, require_fit
from counterfeit.recipe import CustomDiscriminator, CustomGenerator, CustomLoss, Recipe

Modules = Mapping[Kind, nn.Module]

if TYPE_CHECKING:
    from counterfeit.run.run import Run


def modules_of(generator: nn.Module | None, discriminator: nn.Module | None) -> Modules:
    """Those that there are, by their player."""
    given: dict[Kind, nn.Module | None] = {
        "generator": generator,
        "discriminator": discriminator,
    }
    return {player: module for player, module in given.items() if module is not None}


def adapted_for(run: "Run", modules: Modules) -> dict[Kind, Own]:
    """Modules as the run's networks, found to fit its newest checkpoint.

    Raises:
        UsageError: they are not what the run was trained with.
        CounterfeitError: it has no checkpoint.
    """
    networks: dict[Kind, Own] = {}
    if not modules:
        return networks
    require_ours(run)
    for player, module in modules.items():
        section = getattr(run.recipe, player)
        if section.name != "custom":
            raise UsageError(
                f"the {player} of {run.path} is its recipe's, {section.name}; leave {player}= out."
            )
        networks[player] = adapted(
            player,
            module,
            latents=run.recipe.latent.width,
            shape=run.image_shape,
            conditional=run.recipe.condition is not None,
        )
    state = run.checkpoint()
    for player, own in networks.items():
        saved = {
            name: tensor
            for name, tensor in state.part(player).items()
            if not name.startswith("optimizer.")
        }
        require_fit(player, own, saved, str(run.path))
    return networks


def missing_parts(spec: Recipe, given: Collection[str] = ()) -> list[str]:
    """The arguments of `train` and `resume` that a recipe needs, and that are not given: what only
    the user's code can make."""
    sections = {"generator": spec.generator, "discriminator": spec.discriminator, "loss": spec.loss}
    return [
        f"{name}={section.label}" + ("" if name == "loss" else "(…)")
        for name, section in sections.items()
        if isinstance(section, CustomGenerator | CustomDiscriminator | CustomLoss)
        and name not in given
    ]


def resuming(run: "Run", *options: str) -> str:
    """What to type so that a run that stopped goes on.

    Args:
        options: of the command.
    """
    if parts := missing_parts(run.recipe):
        return f"in Python, counterfeit.resume({str(run.path)!r}, {', '.join(parts)})"
    processes = run.environment.get("processes", 1)
    start = ["torchrun", "--nproc-per-node", processes, "-m"] if processes > 1 else []
    return command(*start, "counterfeit", "train", "--resume", run.path, *options)


def require_ours(run: "Run") -> None:
    """Refuse a run that a loop of the user's own wrote, of which no more than that is known.

    Raises:
        CounterfeitError: it did.
    """
    if run.recipe.is_foreign:
        raise CounterfeitError(
            f"{run.path} was written beside a training loop of your own, and only that loop can go"
            " on with it or make more images."
        )
