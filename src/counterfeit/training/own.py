"""Networks and a loss of the user's own, from what `train` and `resume` are handed to what a game
takes: checked, adapted, and said in the recipe as far as data can say it."""

import logging
from collections.abc import Mapping
from typing import Any

import torch

from counterfeit.arguments import shown
from counterfeit.data import ImageData
from counterfeit.errors import UsageError
from counterfeit.game import losses
from counterfeit.game.game import Game
from counterfeit.game.inputs import Pool, draw_latents
from counterfeit.game.own import Given, own_loss
from counterfeit.game.trial import output_of, require_logits, try_out
from counterfeit.language import english, translated
from counterfeit.networks.own import (
    Kind,
    Own,
    Shape,
    adapted,
    normalises,
    normalises_batches,
    section_of,
)
from counterfeit.recipe import Recipe
from counterfeit.run import Run, generate
from counterfeit.run.own import Modules, adapted_for, missing_parts, require_ours, resuming
from counterfeit.run.stored import Samples
from counterfeit.seeds import stream

logger = logging.getLogger(__name__)

SAMPLES = 2_000
"""Images that a run keeps of a generator that is the user's code, as a Monitor's does."""

SAMPLES_EVERY = 40_000
"""Images trained on before newer ones are kept: to make them costs as much as training on some
hundred."""


def with_loss(spec: Recipe, loss: Any) -> tuple[Recipe, losses.Loss | None]:
    """The recipe with another loss; and that loss itself, where a recipe cannot say it.

    Args:
        loss: a name, one of our losses, or what `game.own.own_loss` takes; None: the recipe's.

    Raises:
        UsageError: it is none of these, or the recipe cannot be trained with it.
    """
    if loss is None:
        return spec, None
    if loss == "custom":
        raise UsageError(
            'loss="custom" is what a recipe calls a loss of your own; hand over the loss itself, as'
            " in loss=(d_loss, g_loss)."
        )
    if isinstance(loss, str):
        return spec.with_values({"loss.name": loss}), None
    names = {kind: name for name, kind in losses.LOSSES.items()}
    kind = loss if isinstance(loss, type) else type(loss)
    if kind in names:
        return spec.with_values({"loss": _section(names[kind], loss)}), None
    own = own_loss(loss)
    outputs = "logits" if own.probabilistic else "scores"
    section = {"name": "custom", "outputs": outputs, "label": own.label}
    return spec.with_values({"loss": section}), own


def _section(name: str, loss: Any) -> dict[str, Any]:
    """A loss of ours as a recipe says it."""
    section: dict[str, Any] = {"name": name}
    if isinstance(loss, losses.CrossEntropy):
        for key in ("real_labels", "fake_labels"):
            label = getattr(loss, key)
            if not isinstance(label, int | float):
                raise UsageError(
                    f"{key} must be one number, not {shown(label)}; a recipe draws labels from a"
                    f" range: loss.{key}."
                )
            section[key] = (float(label), float(label))
    return section


def with_networks(
    spec: Recipe, modules: Modules, shape: Shape, device: torch.device
) -> tuple[Recipe, Mapping[Kind, Own]]:
    """The recipe of which the user's modules take a part, and those modules adapted.

    Raises:
        UsageError: a module cannot take that part, or one that it takes is missing.
    """
    networks: dict[Kind, Own] = {}
    for player, module in modules.items():
        if player == "discriminator" and spec.has_heads:
            raise UsageError(
                f"D of recipe {spec.name} also names classes or codes, by heads that only its own"
                " networks have; leave discriminator= out, or take another recipe."
            )
        networks[player] = own = adapted(
            player,
            module,
            latents=spec.latent.width,
            shape=shape,
            conditional=spec.condition is not None,
            device=device,
        )
        if not any(each.requires_grad for each in own.parameters()):
            raise UsageError(f"the {player} has no parameters to train.")
        section = section_of(own.inner) | {"optimizer": getattr(spec, player).trained_with}
        if player == "generator":
            section |= {
                "output": output_of(own, spec, device),
                "ema_decay": spec.generator.ema_decay,
                "batch_norm": normalises_batches(own.inner),
            }
        else:
            section["has_norm"] = normalises(own.inner)
            require_judge(own, spec)
        deviation = english(
            "{player} is a module of the user's own, {label}.",
            player=player[0].upper(),
            label=section["label"],
        )
        spec = spec.with_values({player: section, "deviations": (*spec.deviations, deviation)})
    _require_apart(networks)
    return spec, networks


def require_all(spec: Recipe, given: Given) -> None:
    """Refuse to train without what only the user's code has.

    Raises:
        UsageError: a network or the loss is not there.
    """
    if parts := missing_parts(spec, given.names):
        raise UsageError(
            f"recipe {spec.name} has parts that only your own code can make; in Python,"
            f" counterfeit.train(…, {', '.join(parts)}) takes them."
        )


def for_run(run: Run, modules: Modules, loss: Any) -> Given:
    """What a run was trained with, handed over again, and found to fit its newest checkpoint.

    Raises:
        UsageError: something is missing, or is not what the run was trained with.
        CounterfeitError: the run is of a loop that is not ours.
    """
    require_ours(run)
    own = None
    if loss is not None:
        if run.recipe.loss.name != "custom":
            raise UsageError(
                f"the loss of {run.path} is its recipe's, {run.recipe.loss.name}; leave loss= out."
            )
        own = own_loss(loss)
    given = Given(adapted_for(run, modules), own)
    if missing_parts(run.recipe, given.names):
        raise UsageError(f"{run.path} was trained with code of your own; {resuming(run)} goes on.")
    _require_apart(given.networks)
    return given


def samples_due(run: Run, step: int, images: int) -> bool:
    """Whether the samples that a run keeps are older than they should be.

    Args:
        images: of an update.
    """
    kept = run.stored_step
    return kept is None or (step - kept) * images >= SAMPLES_EVERY


def keep_samples(run: Run, game: Game, step: int, epoch: float) -> None:
    """Let the run keep images for readers who have not the generator's code: the first that
    `Run.sample` makes."""
    z = draw_latents(run.recipe.latent, SAMPLES, stream(run.seed, "evaluation")).to(game.device)
    labels = run.labels(SAMPLES)
    images = generate(game.sampler, z, run.recipe.value_range, labels)
    run.write_samples(Samples(step, epoch, images, labels))


def begin(game: Game, spec: Recipe, images: ImageData, given: Given) -> None:
    """Try out a game that has parts of the user's, and make its modules ready for training: one
    in eval mode is put into training mode; what is in eval mode inside of another stays so.

    Raises:
        UsageError: it fails on two images.
    """
    if given:
        doubt = try_out(game, spec, Pool.of(images.first(2), spec.value_range, game.device))
        if doubt is not None:
            logger.warning(translated(doubt))
    for own in given.networks.values():
        if not own.training:
            own.train()


def require_judge(own: Own, spec: Recipe) -> None:
    """Refuse a discriminator that the recipe cannot train; `Recipe.require_trainable`, as far as
    can be seen.

    Raises:
        UsageError: it ends in a Sigmoid, or mixes the images of a batch under a penalty.
    """
    require_logits(own, spec)
    asked = [name for name, section in spec.penalties if section is not None]
    if asked and normalises_batches(own.inner):
        raise UsageError(
            f"penalties.{asked[0]} is of the slope at each image, which a D with BatchNorm mixes;"
            " give it another norm, such as GroupNorm."
        )


def _require_apart(networks: Mapping[Kind, Own]) -> None:
    """Refuse weights that both players would move."""
    seen: dict[int, str] = {}
    for player, own in networks.items():
        for name, parameter in own.inner.named_parameters():
            if seen.setdefault(id(parameter), player) != player:
                raise UsageError(
                    f"{name} is a parameter of both networks, and each must have its own."
                )
