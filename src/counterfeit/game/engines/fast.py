"""One adversarial update of two multilayer perceptrons, without autograd.

The modules stay the specification and hold the parameters; `step.py` says what is computed, this
module how to compute it near the speed of the matrix products alone, at equal mathematics:

- every product runs once, on the faster of two libraries (`products`);
- activations and gradients live in buffers that are allocated once (`layers`);
- D is a function of single rows, so a simultaneous update takes D's Jacobian once and weighs its
  rows for either loss.

With bfloat16 products, activations and the gradients for them are bfloat16 too, which halves both
arithmetic and memory. Weights, their gradients, optimisers, BatchNorm's statistics, G's last
activation, D's last layer, logits and losses stay float32.
"""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.game import optimizers
from counterfeit.game.engines.layers import (
    Buffers,
    CastLayer,
    DropoutLayer,
    Unknown,
    gradient_of,
    layer_of,
)
from counterfeit.game.inputs import Batch
from counterfeit.game.losses import ANALYTIC, AnalyticLoss
from counterfeit.game.step import Outcome, Player, Rules
from counterfeit.networks import MLPDiscriminator, MLPGenerator, Scores, judges_rows_apart


def _chain(network: nn.Module) -> list[nn.Module]:
    """The modules of a perceptron, in the order in which its `forward` calls them.

    Raises:
        Unknown: it is of another type, which may compute anything from its children; or it is in
            evaluation mode; or hooks are called on the way.
    """
    if type(network) is MLPGenerator:
        chain = [*network.hidden, network.output, network.squash]
    elif type(network) is MLPDiscriminator:
        chain = [*network.hidden, network.output]
    else:
        raise Unknown(type(network).__name__)
    for module in network.modules():
        hooks = (
            module._forward_hooks,
            module._forward_pre_hooks,
            module._backward_hooks,
            module._backward_pre_hooks,
        )
        if any(hooks) or "forward" in vars(module) or not module.training:
            raise Unknown(f"{type(module).__name__} with hooks or in evaluation mode")
    return chain


class Perceptron:
    """A multilayer perceptron, run layer by layer; gradients go into `parameter.grad`.

    It keeps no copy of a parameter: whatever is loaded into the network is what it computes with.

    Args:
        network: one of this package's perceptrons, in training mode.
        dtype: of matrix products and activations, float32 or bfloat16. The last layer, which is
            G's sigmoid or tanh and D's map to logits, stays in float32.

    Raises:
        Unknown: the network is none of those, or holds other layers.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        self.trained = [p for p in network.parameters() if p.requires_grad]
        self.layers = [layer for layer in map(layer_of, _chain(network)) if layer is not None]
        if dtype != torch.float32:
            self.layers.insert(-1, CastLayer(torch.float32))
            self.layers.insert(0, CastLayer(dtype))
        self.first = 0  # the first layer that has parameters
        while isinstance(self.layers[self.first], CastLayer | DropoutLayer):
            self.first += 1

    @property
    def gradients(self) -> list[Tensor]:
        return [gradient_of(parameter) for parameter in self.trained]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(
        self, g: Tensor, weigh: Tensor | None = None, *, weights: bool, inputs: int = 0
    ) -> Tensor:
        """Down to the gradient for the last `inputs` rows of the network's input."""
        for layer in reversed(self.layers[self.first + 1 :]):
            g = layer.backward(g, weigh, weights=weights, inputs=len(g))
        g = self.layers[self.first].backward(g, weigh, weights=weights, inputs=inputs)
        for layer in reversed(self.layers[: self.first]) if inputs else ():
            g = layer.backward(g, weigh, weights=weights, inputs=inputs)
        return g


class FastEngine:
    """`alternating_step` and `simultaneous_step` for two perceptrons on the CPU.

    Gradients in an outcome are overwritten by the next update.

    Args:
        generator, discriminator: with optimisers that `optimizers.build` made.
        rules: without penalties, and a loss whose slopes are written out.
        bf16: whether matrix products and activations are in bfloat16.

    Raises:
        Unknown: a network, an optimiser or a rule whose numbers it cannot vouch for.
    """

    def __init__(
        self, generator: Player, discriminator: Player, rules: Rules, *, bf16: bool = False
    ) -> None:
        if type(rules.loss) not in ANALYTIC:
            raise Unknown(type(rules.loss).__name__)
        for held in (*rules.penalties, rules.view, rules.replay):
            if held is not None:
                raise Unknown(type(held).__name__)
        for player in (generator, discriminator):
            if not optimizers.is_own(player.optimizer, player.parameters):
                raise Unknown(type(player.optimizer).__name__)
            if player.settings.clip_gradients is not None:
                raise Unknown("gradients of a limited length")
        if not judges_rows_apart(discriminator.network):
            raise Unknown("a discriminator that judges a batch as a whole")
        self.loss = cast("AnalyticLoss", rules.loss)
        self.update = self._simultaneous if rules.update == "simultaneous" else self._alternating
        self.players = generator, discriminator
        dtype = torch.bfloat16 if bf16 else torch.float32
        self.G = Perceptron(generator.network, dtype)
        self.D = Perceptron(discriminator.network, dtype)
        self.buffers = Buffers()

    @torch.inference_mode()
    def __call__(
        self, reals: Sequence[Batch], latents: Float[Tensor, "draws B z"], number: int
    ) -> Outcome:
        return self.update([real.images for real in reals], latents)

    def _alternating(self, reals: Sequence[Tensor], latents: Tensor) -> Outcome:
        generator, discriminator = self.players
        for real, z in zip(reals, latents, strict=False):
            fake = self.G.forward(z)
            logits = self._judge(real, fake)
            d_loss, g = self._judgement(logits)
            self.D.backward(g, weights=True)
            discriminator.move()

        if len(latents) > len(reals):
            fake = self.G.forward(latents[-1])
        if self.loss.relative:
            again, judged = self._judge(real, fake).squeeze(1).chunk(2)
            g_loss = self.loss.generator(Scores(judged), Scores(again))
            slopes = self.loss.generator_slopes(judged, again)
            g = torch.cat([torch.zeros_like(slopes), slopes]).unsqueeze(1)  # nothing for reals
        else:
            judged = self.D.forward(fake).squeeze(1)
            g_loss = self.loss.generator(Scores(judged), None)
            g = self.loss.generator_slopes(judged, None).unsqueeze(1)
        self.G.backward(self.D.backward(g, weights=False, inputs=len(fake)), weights=True)
        generator.move()
        return self._outcome(d_loss, g_loss, logits)

    def _simultaneous(self, reals: Sequence[Tensor], latents: Tensor) -> Outcome:
        (real,), (z,) = reals, latents
        logits = self._judge(real, self.G.forward(z))
        d_loss, d_g = self._judgement(logits)
        again, judged = logits.squeeze(1).chunk(2)
        g_loss = self.loss.generator(Scores(judged), Scores(again))
        g_g = self.loss.generator_slopes(judged, again).unsqueeze(1)
        # D judges each row by itself: one pass gives the rows' Jacobian, for both losses.
        jacobian = self.D.backward(torch.ones_like(logits), d_g, weights=True, inputs=len(z))
        self.G.backward(jacobian.mul_(g_g), weights=True)
        for player in reversed(self.players):
            player.move()
        return self._outcome(d_loss, g_loss, logits)

    def _outcome(self, d_loss: Tensor, g_loss: Tensor, logits: Tensor) -> Outcome:
        real, fake = logits.squeeze(1).chunk(2)
        return Outcome(d_loss, g_loss, real, fake, self.D.gradients, self.G.gradients)

    def _judge(self, real: Tensor, fake: Tensor) -> Float[Tensor, "2B 1"]:
        """D's logits of reals, then fakes."""
        both = self.buffers("both", real.new_empty(2 * len(real), 0), fake.shape[1])
        both[: len(real)] = real.flatten(1)
        both[len(real) :] = fake
        return self.D.forward(both)

    def _judgement(
        self, logits: Float[Tensor, "2B 1"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "2B 1"]]:
        """D's loss on logits of reals, then fakes, and its derivative by each."""
        real, fake = logits.squeeze(1).chunk(2)
        slopes = torch.cat(self.loss.discriminator_slopes(real, fake))
        return self.loss.discriminator(Scores(real), Scores(fake)), slopes.unsqueeze(1)
