"""One adversarial update: Algorithm 1 of Goodfellow et al. 2014 (arXiv 1406.2661) and variants.

This is the specification of training. It runs on any device and in any precision, and knows no
files, no logs and no schedule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from counterfeit.game.losses import GENERATOR_LOSSES, discriminator_loss


@dataclass
class Player:
    """A network, the parameters that move, and what moves them."""

    network: nn.Module
    optimizer: Optimizer

    @cached_property
    def parameters(self) -> list[Tensor]:
        return [p for p in self.network.parameters() if p.requires_grad]

    def descend(self, gradients: Sequence[Tensor]) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()


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


def alternating_step(
    generator: Player,
    discriminator: Player,
    reals: Float[Tensor, "k B C H W"],
    latents: Float[Tensor, "draws B z"],
    real_labels: Float[Tensor, " B"],
    generator_loss: str,
) -> Outcome:
    """Train D on each of the k batches, then G once, through the D just updated.

    Args:
        reals: real images, a batch for each step of D.
        latents: as many batches; G's step uses the fakes of the last one again. With one batch
            more, G's step uses that one.
        real_labels: what D should say of real images, by position in the batch.
        generator_loss: "non-saturating" or "minimax".
    """
    G, D = generator.network, discriminator.network

    for real, z in zip(reals, latents, strict=False):
        fake = G(z)  # (B, C, H, W), with the graph that G's step will use
        logits = D(torch.cat([real, fake.detach()]))  # (2B,)
        real_logits, fake_logits = logits.chunk(2)
        d_loss = discriminator_loss(real_logits, fake_logits, real_labels)
        d_gradients = torch.autograd.grad(d_loss, discriminator.parameters)
        discriminator.descend(d_gradients)

    if len(latents) > len(reals):
        fake = G(latents[-1])
    g_loss = GENERATOR_LOSSES[generator_loss](D(fake))
    g_gradients = torch.autograd.grad(g_loss, generator.parameters)  # D's parameters get none
    generator.descend(g_gradients)

    return Outcome(d_loss, g_loss, real_logits, fake_logits, d_gradients, g_gradients)


def simultaneous_step(
    generator: Player,
    discriminator: Player,
    reals: Float[Tensor, "1 B C H W"],
    latents: Float[Tensor, "1 B z"],
    real_labels: Float[Tensor, " B"],
    generator_loss: str,
) -> Outcome:
    """Take both gradients at the same parameters, from the same fakes and the same pass through D.

    Source: `AdversaryCost2` of the authors' repository (goodfeli/adversarial).
    """
    G, D = generator.network, discriminator.network

    fake = G(latents[0])  # (B, C, H, W)
    logits = D(torch.cat([reals[0], fake]))  # (2B,)
    real_logits, fake_logits = logits.chunk(2)
    d_loss = discriminator_loss(real_logits, fake_logits, real_labels)
    g_loss = GENERATOR_LOSSES[generator_loss](fake_logits)
    d_gradients = torch.autograd.grad(d_loss, discriminator.parameters, retain_graph=True)
    g_gradients = torch.autograd.grad(g_loss, generator.parameters)
    discriminator.descend(d_gradients)
    generator.descend(g_gradients)

    return Outcome(d_loss, g_loss, real_logits, fake_logits, d_gradients, g_gradients)
