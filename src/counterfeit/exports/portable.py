"""A run's player ready to be taken away: a network without counterfeit, and what to hold it to."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit import data
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.exports.facts import facts_of
from counterfeit.exports.translate import Adapted, plain_discriminator, plain_generator
from counterfeit.game.inputs import draw_latents
from counterfeit.networks import ask, scores
from counterfeit.networks.own import Kind
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.own import require_ours
from counterfeit.run.sampler import looking_at
from counterfeit.seeds import stream

CHECKED = 1000
"""Latents on which whatever is exported is compared with the run's own generator."""

JUDGED = 200
"""Images on which it is compared with the run's discriminator, which may look at all pairs."""

TOLERANCE = 1e-5
"""Of a pixel in [0, 1], and of a logit, or of the largest one's share where that is above 1."""


@dataclass(frozen=True)
class Portable:
    """A generator, from latents (N, z) to images (N, C, H, W) in [0, 1], or a discriminator, from
    such images to logits (N,); with classes (N,), int64, beside them where it is told any."""

    player: Kind
    network: nn.Module
    """On the CPU, in eval mode."""
    inputs: tuple[Tensor, ...]
    """What it is tried on: latents of the run's prior, or its images."""
    answers: Float[Tensor, "N ..."]
    """What the run's own network makes of these."""
    facts: dict[str, Any]
    """What is known of it; see `facts_of`."""

    @property
    def input_names(self) -> list[str]:
        names = ["latents" if self.player == "generator" else "images", "labels"]
        return names[: len(self.inputs)]

    @property
    def output_name(self) -> str:
        return "images" if self.player == "generator" else "logits"

    def require_plain(self) -> None:
        """Refuse a network that is the user's own code, in a format that knows our layers.

        Raises:
            UsageError: it is.
        """
        if isinstance(self.network, Adapted):
            raise UsageError(
                f"this {self.player} is a module of your own, which only PyTorch can write: take"
                " the format torch."
            )

    def require_same(self, answers: Tensor, what: str) -> None:
        """Refuse an export that does not answer as the run's own network does.

        Raises:
            CounterfeitError: it does not.
        """
        off = (answers - self.answers).abs().max().item()
        if not off <= TOLERANCE * max(1.0, self.answers.abs().max().item()):
            why = (
                "please report it, with the recipe"
                if not isinstance(self.network, Adapted)
                else "a module that draws random numbers cannot be exported"
            )
            raise CounterfeitError(
                f"{what} is off the run's own {self.player} by {off:.2g}, so nothing is written;"
                f" {why}."
            )


def portable(
    run: Run, player: Kind = "generator", step: int | Checkpoint | None = None
) -> Portable:
    """The run's generator, with the average of its weights where the run samples from that, or its
    discriminator, after `step` updates or at the end. BatchNorm uses its running statistics, as in
    the run's own samples.

    Raises:
        CounterfeitError: there is no checkpoint, it is not ours to build, or it cannot be written
            in plain PyTorch.
    """
    require_ours(run)
    state = run.checkpoint(step)
    count = CHECKED if player == "generator" else JUDGED
    labels = run.labels(count)
    if player == "generator":
        original = run.generator(state)
        x = given = draw_latents(run.recipe.latent, count, stream(run.seed, "evaluation"))
        network = plain_generator(original, run.recipe.value_range)
    else:
        original = run.discriminator(state)
        kept = run.stored_samples if run.is_custom else None
        seen = run.sample(count, step=state) if kept is None else kept.images[:count]
        labels = None if labels is None else labels[: len(seen)]
        x = data.as_float(seen, 0, 1)
        given = data.as_float(seen, *run.recipe.value_range)
        network = plain_discriminator(original, run.recipe.value_range)
    with torch.inference_mode(), looking_at(original):
        answers = scores(ask(original, given, labels)).logits
    if player == "generator":
        low, high = run.recipe.value_range
        answers = (answers - low) / (high - low)
    told = labels is not None and getattr(original, "conditional", False)
    inputs = (x, labels) if told and labels is not None else (x,)
    ready = Portable(player, network, inputs, answers, facts_of(run, player, state))
    with torch.inference_mode():
        ready.require_same(network(*inputs), "the network in plain PyTorch")
    return ready
