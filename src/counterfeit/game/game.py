"""The two players of a recipe, how one update moves them, and the state that it changes."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit import networks
from counterfeit.game import inputs, optimizers
from counterfeit.game.average import Average
from counterfeit.game.engines.cuda import GraphedStep
from counterfeit.game.engines.fast import FastStep, Unknown
from counterfeit.game.state import AVERAGE, part_of
from counterfeit.game.step import Outcome, Player, alternating_step, simultaneous_step
from counterfeit.recipe import Recipe
from counterfeit.seeds import stream, stream_seed

logger = logging.getLogger(__name__)


def in_bf16(move: Callable[..., Outcome], device: torch.device) -> Callable[..., Outcome]:
    """The same update with matrix products in bfloat16, by PyTorch's autocast."""

    def moved(*arguments: object) -> Outcome:
        # Without its cache, which would hold the weights that D had before its step.
        with torch.autocast(device.type, torch.bfloat16, cache_enabled=False):
            return move(*arguments)

    return moved


def choose(
    generator: Player,
    discriminator: Player,
    recipe: Recipe,
    device: torch.device,
    rng: torch.Generator,
) -> Callable[..., Outcome]:
    """The update of these players: the fast one where it computes the same, else the plain one."""
    simultaneous = recipe.training.update == "simultaneous"
    bf16 = recipe.training.precision == "bf16"
    if device.type == "cpu":
        try:
            fast = FastStep(generator, discriminator, torch.bfloat16 if bf16 else torch.float32)
            return fast.simultaneous if simultaneous else fast.alternating
        except Unknown as unknown:
            logger.info("no fast update for %s", unknown)
    step = simultaneous_step if simultaneous else alternating_step
    move: Callable[..., Outcome] = partial(step, generator, discriminator)
    if bf16:
        move = in_bf16(move, device)
    return GraphedStep(move, rng) if device.type == "cuda" else move


class Game:
    """Generator, discriminator and their optimisers, as the recipe and the seed start them.

    Args:
        recipe: what to train.
        mean_image: the training images' mean, (C, H, W) in [0, 1].
        seed: fixes the initial weights, labels, latents and dropout of every update.
        device: where it all lives.
        halvings: steps from each of which both learning rates are halved once more.
    """

    def __init__(
        self,
        recipe: Recipe,
        mean_image: Float[Tensor, "C H W"],
        *,
        seed: int,
        device: torch.device,
        halvings: Sequence[int] = (),
    ) -> None:
        self.recipe = recipe
        self.seed = seed
        self.device = device
        self.halvings = halvings
        channels, height, width = mean_image.shape
        shape = (channels, height, width)
        networks.require_training_memory(recipe, shape)
        G = networks.build_generator(recipe, shape, seed=seed).to(device)
        D = networks.build_discriminator(recipe, shape, seed=seed, device=device)
        if recipe.generator.output_bias == "data-mean":
            networks.init_output_bias(G, mean_image)
        self.G, self.D = G, D
        graphed = device.type == "cuda"
        self.generator = Player(G, optimizers.build(G, recipe.generator.optimizer, graphed=graphed))
        decay = recipe.generator.ema_decay
        self.average = Average(G, decay) if decay else None
        self.discriminator = Player(
            D, optimizers.build(D, recipe.discriminator.optimizer, graphed=graphed)
        )
        self._move = choose(self.generator, self.discriminator, recipe, device, D.rng)
        low, high = recipe.loss.real_labels
        self.real_labels = torch.empty(recipe.training.batch_size, device=device)
        self.real_labels.uniform_(low, high, generator=stream(seed, "labels", device=device))

    def update(self, step: int, epoch: int, reals: Float[Tensor, "k B C H W"]) -> Outcome:
        """Update number `step` of the generator, counted from 0, in that epoch.

        Everything random in it is a function of the seed and the step.
        """
        spec = self.recipe
        k, batch_size = reals.shape[:2]
        draws = k + (spec.training.generator_latents == "fresh")
        z = inputs.draw_latents(
            spec.latent, draws * batch_size, stream(self.seed, "latent", step, self.device)
        ).view(draws, batch_size, -1)
        self.D.rng.manual_seed(stream_seed(self.seed, "dropout", step))
        share = 0.5 ** sum(step >= start for start in self.halvings)  # of the learning rates
        optimizers.schedule(self.generator.optimizer, spec.generator.optimizer, step, epoch, share)
        optimizers.schedule(
            self.discriminator.optimizer, spec.discriminator.optimizer, step * k, epoch, share
        )
        outcome = self._move(reals, z, self.real_labels, spec.loss.generator)
        if self.average is not None:
            self.average.update(self.G, step + 1)
        return outcome

    @property
    def sampler(self) -> nn.Module:
        """The generator to sample from: its average where the recipe asks for one."""
        return self.G if self.average is None else self.average.network

    def sampler_to_show(self) -> nn.Module:
        """A copy of `sampler` in eval mode: whatever is done with it, training stays the same."""
        return copy.deepcopy(self.sampler).eval()

    def tensors(self) -> dict[str, Tensor]:
        """All that must be kept to go on later, by name."""
        averaged = {} if self.average is None else self.average.network.state_dict()
        return {
            f"{part}.{key}": tensor
            for part, player in self._players.items()
            for key, tensor in (
                *player.network.state_dict().items(),
                *optimizers.tensors(player.optimizer).items(),
            )
        } | {f"{AVERAGE}.{key}": tensor for key, tensor in averaged.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a state that `tensors` once returned.

        Raises:
            RuntimeError, KeyError or ValueError: it belongs to another recipe.
        """
        for part, player in self._players.items():
            own = part_of(tensors, part)
            player.network.load_state_dict(optimizers.load(player.optimizer, own))
        if self.average is not None:
            self.average.network.load_state_dict(part_of(tensors, AVERAGE))

    @property
    def _players(self) -> dict[str, Player]:
        return {"generator": self.generator, "discriminator": self.discriminator}
