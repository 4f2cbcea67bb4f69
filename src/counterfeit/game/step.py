"""One adversarial update: Algorithm 1 of Goodfellow et al. 2014 (arXiv 1406.2661) and variants.

This is the specification of training. It runs on any device and in any precision, and knows no
files, no logs and no schedule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.optim import Optimizer

from counterfeit import recipe
from counterfeit.game import optimizers
from counterfeit.game.auxiliary import Auxiliary
from counterfeit.game.constraints import Constraint
from counterfeit.game.inputs import Batch, says
from counterfeit.game.losses import Loss
from counterfeit.game.penalties import Penalty
from counterfeit.game.replay import Replay
from counterfeit.game.views import View
from counterfeit.networks import Scores, ask, judges_rows_apart


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

    def gradients(
        self, loss: Float[Tensor, ""], *, keep_graph: bool = False
    ) -> Sequence[Float[Tensor, "..."]]:
        """The loss's, by each parameter; 0 by those that it does not use."""
        return torch.autograd.grad(
            loss,
            self.parameters,
            retain_graph=keep_graph,
            allow_unused=True,
            materialize_grads=True,
        )

    def descend(self, gradients: Sequence[Tensor]) -> None:
        if self.settings.clip_gradients is not None:
            gradients = optimizers.clipped(gradients, self.settings.clip_gradients)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = laid_out_like(parameter, gradient)
        self.move()

    @torch.no_grad()
    def move(self) -> None:
        """`descend`, by the gradients that its parameters have."""
        if optimizers.is_own(self.optimizer, self.parameters):
            optimizers.step(self.optimizer)
        else:
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
    auxiliary: Sequence[Auxiliary] = ()
    """Terms of both losses, of what D's other heads say."""

    def see(self, batch: Batch) -> Batch:
        """What D sees of a batch, with a gradient to its images."""
        return batch if self.view is None else replace(batch, images=self.view(batch.images))

    def recall(self, fakes: Batch) -> Batch:
        """The fakes of D's step: G's newest ones, and old ones where the rules keep some."""
        return fakes if self.replay is None else Batch(self.replay(fakes.images))


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
    """What was added to D's loss in its last step, by name: penalties and auxiliary terms."""


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

    Players that are told classes are told those of the real batch, of fakes as well.

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
        fake = fakes(G, z, real.labels)  # with the graph that G's step will use
        seen, shown = rules.see(real), rules.see(rules.recall(fake.detached()))
        of_real, of_fake = judge(D, seen, shown)
        d_loss = loss.discriminator(of_real, of_fake)
        penalties = due_penalties(rules, D, seen, shown, number, rng)
        penalties |= auxiliary_terms(rules, of_real, of_fake, seen, shown)
        d_total = sum(penalties.values(), start=d_loss)
        d_gradients = discriminator.gradients(d_total)
        discriminator.descend(d_gradients)

    if len(latents) > len(reals):
        fake = fakes(G, latents[-1], real.labels)
    shown = rules.see(fake)
    with torch.no_grad():  # G cannot change what D says of real images
        again = says(D, seen) if loss.relative else None
    anew = says(D, shown)
    g_loss = loss.generator(anew, again)
    g_total = sum((term.generator(anew, shown) for term in rules.auxiliary), start=g_loss)
    g_gradients = generator.gradients(g_total)  # D's parameters get none
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
    fake = fakes(G, latents[0], real.labels)
    seen, shown = rules.see(real), rules.see(fake)
    of_real, of_fake = judge(D, seen, shown)
    d_loss = loss.discriminator(of_real, of_fake)
    g_loss = loss.generator(of_fake, of_real if loss.relative else None)
    g_total = sum((term.generator(of_fake, shown) for term in rules.auxiliary), start=g_loss)
    penalties = due_penalties(rules, D, seen, shown.detached(), number, rng)
    penalties |= auxiliary_terms(rules, of_real, of_fake, seen, shown)
    d_total = sum(penalties.values(), start=d_loss)
    d_gradients = discriminator.gradients(d_total, keep_graph=True)
    g_gradients = generator.gradients(g_total)
    discriminator.descend(d_gradients)
    generator.descend(g_gradients)

    return Outcome(
        d_loss, g_loss, of_real.logits, of_fake.logits, d_gradients, g_gradients, penalties
    )


def fakes(G: nn.Module, z: Float[Tensor, "B z"], labels: Int64[Tensor, " B"] | None) -> Batch:
    """What G makes of latents, of those classes where it is told any."""
    return Batch(ask(G, z, labels), labels, z)


def judge(D: nn.Module, real: Batch, fake: Batch) -> tuple[Scores, Scores]:
    """What D says of real images and of fakes: in one pass over both, or in a pass over each where
    what it says of an image depends on its batch. BatchNorm over both would tell D their mean."""
    if not judges_rows_apart(D):
        return says(D, real), says(D, fake)
    said = says(D, real + fake)
    (real_logits, fake_logits) = said.logits.chunk(2)
    halves = {name: values.chunk(2) for name, values in said.extra.items()}
    return (
        Scores(real_logits, {name: half[0] for name, half in halves.items()}),
        Scores(fake_logits, {name: half[1] for name, half in halves.items()}),
    )


def auxiliary_terms(
    rules: Rules, of_real: Scores, of_fake: Scores, real: Batch, fake: Batch
) -> dict[str, Float[Tensor, ""]]:
    """What D's other heads add to its loss, by name."""
    return {term.name: term.discriminator(of_real, of_fake, real, fake) for term in rules.auxiliary}


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
