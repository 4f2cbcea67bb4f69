"""One adversarial update: Algorithm 1 of Goodfellow et al. 2014 (arXiv 1406.2661) and variants.

This is the specification of training. It runs on any device and in any precision, and knows no
files, no logs and no schedule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from counterfeit import recipe
from counterfeit.game import optimizers
from counterfeit.game.constraints import Constraint
from counterfeit.game.inputs import Batch
from counterfeit.game.losses import Loss, Scores, scores
from counterfeit.game.penalties import Penalty
from counterfeit.game.replay import Replay
from counterfeit.game.views import View
from counterfeit.networks import judges_rows_apart


@dataclass
class Player:
    """A network, the parameters that move, and what moves them."""

    network: nn.Module
    optimizer: Optimizer
    settings: recipe.Optimizer
    """What the optimiser's learning rate and momentum should be, over time."""
    constraint: Constraint | None = None
    """What its parameters are brought back to after each step."""

    @cached_property
    def parameters(self) -> list[Tensor]:
        return [p for p in self.network.parameters() if p.requires_grad]

    def descend(self, gradients: Sequence[Tensor]) -> None:
        if self.settings.clip_gradients is not None:
            gradients = optimizers.clipped(gradients, self.settings.clip_gradients)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = laid_out_like(parameter, gradient)
        self.optimizer.step()
        if self.constraint is not None:
            self.constraint(self.parameters)

    def schedule(self, update: int, epoch: float, share: float = 1.0, epochs: float = inf) -> None:
        """Get ready for an update; see `optimizers.schedule`."""
        optimizers.schedule(self.optimizer, self.settings, update, epoch, share, epochs)


def laid_out_like(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient with its numbers in the parameter's order: fused optimisers go by memory alone,
    and a convolution's gradient may be channels-last where its weight is not."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


@dataclass(frozen=True)
class Rules:
    """What the players play for, and in which order they move."""

    loss: Loss
    penalties: Sequence[Penalty] = ()
    update: Literal["alternating", "simultaneous"] = "alternating"
    view: View | None = None
    replay: Replay | None = None

    def see(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """What D sees of images, with a gradient to them."""
        return images if self.view is None else self.view(images)

    def recall(self, fakes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The fakes of D's step: G's newest ones, and old ones where the rules keep some."""
        return fakes if self.replay is None else self.replay(fakes)


@dataclass
class Outcome:
    """What one update saw. All tensors stay on the device, so that no update waits for the host."""

    discriminator_loss: Float[Tensor, ""]
    generator_loss: Float[Tensor, ""]
    real_logits: Float[Tensor, " B"]
    """What D said of the last batch's real images before its step; `fake_logits`, of the fakes."""
    fake_logits: Float[Tensor, " B"]
    discriminator_gradients: Sequence[Tensor]
    generator_gradients: Sequence[Tensor]
    penalties: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
    """What was added to D's loss in its last step, by name."""


def alternating_step(
    generator: Player,
    discriminator: Player,
    reals: Sequence[Batch],
    latents: Float[Tensor, "draws B z"],
    rules: Rules,
    number: int,
    rng: torch.Generator,
) -> Outcome:
    """Train D on each of the k batches, then G once, through the D just updated.

    Args:
        reals: real images, a batch for each step of D.
        latents: as many batches; G's step uses the fakes of the last one again. With one batch
            more, G's step uses that one.
        rules: the losses and penalties.
        number: of the update, counted from 0; it decides which penalties are due.
        rng: where penalties draw from.
    """
    G, D, loss = generator.network, discriminator.network, rules.loss

    for real, z in zip(reals, latents, strict=False):
        fake = G(z)  # (B, C, H, W), with the graph that G's step will use
        seen, shown = rules.see(real.images), rules.see(rules.recall(fake.detach()))
        of_real, of_fake = judge(D, seen, shown)
        d_loss = loss.discriminator(of_real, of_fake)
        penalties = due_penalties(rules, D, Batch(seen, real.labels), Batch(shown), number, rng)
        d_total = sum(penalties.values(), start=d_loss)
        d_gradients = torch.autograd.grad(d_total, discriminator.parameters)
        discriminator.descend(d_gradients)

    if len(latents) > len(reals):
        fake = G(latents[-1])
    shown = rules.see(fake)
    again, anew = judge(D, seen, shown) if loss.relative else (None, scores(D(shown)))
    g_loss = loss.generator(anew, again)
    g_gradients = torch.autograd.grad(g_loss, generator.parameters)  # D's parameters get none
    generator.descend(g_gradients)

    return Outcome(
        d_loss, g_loss, of_real.logits, of_fake.logits, d_gradients, g_gradients, penalties
    )


def simultaneous_step(
    generator: Player,
    discriminator: Player,
    reals: Sequence[Batch],
    latents: Float[Tensor, "1 B z"],
    rules: Rules,
    number: int,
    rng: torch.Generator,
) -> Outcome:
    """Take both gradients at the same parameters, from the same fakes and the same pass through D.

    Source: `AdversaryCost2` of the authors' repository (goodfeli/adversarial).
    """
    G, D, loss = generator.network, discriminator.network, rules.loss

    (real,) = reals
    seen, shown = rules.see(real.images), rules.see(G(latents[0]))  # (B, C, H, W)
    of_real, of_fake = judge(D, seen, shown)
    d_loss = loss.discriminator(of_real, of_fake)
    g_loss = loss.generator(of_fake, of_real if loss.relative else None)
    seen_real, shown_fake = Batch(seen, real.labels), Batch(shown.detach())
    penalties = due_penalties(rules, D, seen_real, shown_fake, number, rng)
    d_total = sum(penalties.values(), start=d_loss)
    d_gradients = torch.autograd.grad(d_total, discriminator.parameters, retain_graph=True)
    g_gradients = torch.autograd.grad(g_loss, generator.parameters)
    discriminator.descend(d_gradients)
    generator.descend(g_gradients)

    return Outcome(
        d_loss, g_loss, of_real.logits, of_fake.logits, d_gradients, g_gradients, penalties
    )


def judge(
    D: nn.Module, real: Float[Tensor, "B C H W"], fake: Float[Tensor, "B C H W"]
) -> tuple[Scores, Scores]:
    """What D says of real images and of fakes: in one pass over both, or in a pass over each where
    what it says of an image depends on its batch. BatchNorm over both would tell D their mean."""
    if not judges_rows_apart(D):
        return scores(D(real)), scores(D(fake))
    said = scores(D(torch.cat([real, fake])))
    (real_logits, fake_logits) = said.logits.chunk(2)
    halves = {name: values.chunk(2) for name, values in said.extra.items()}
    return (
        Scores(real_logits, {name: half[0] for name, half in halves.items()}),
        Scores(fake_logits, {name: half[1] for name, half in halves.items()}),
    )


def due_penalties(
    rules: Rules, D: nn.Module, real: Batch, fake: Batch, number: int, rng: torch.Generator
) -> dict[str, Float[Tensor, ""]]:
    """The penalties of update `number`, by name. Those that are not due in each update count as
    often as they were not."""
    return {
        penalty.name: penalty.every * penalty(D, real, fake, rng)
        for penalty in rules.penalties
        if number % penalty.every == 0
    }


STEPS = {"alternating": alternating_step, "simultaneous": simultaneous_step}
