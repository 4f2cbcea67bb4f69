"""Two players, the rules between them, and all the state that an update changes."""

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit import networks
from counterfeit.game import (
    auxiliary,
    constraints,
    inputs,
    losses,
    optimizers,
    penalties,
    replay,
    views,
)
from counterfeit.game.average import Average
from counterfeit.game.engines.choose import choose
from counterfeit.game.inputs import Batch
from counterfeit.game.own import Given, OwnLoss
from counterfeit.game.replay import Replay
from counterfeit.game.state import AVERAGE, REPLAY, VIEW, part_of
from counterfeit.game.step import Outcome, Player, Rules
from counterfeit.game.views import View
from counterfeit.recipe import Latent, MlpGenerator, Recipe
from counterfeit.seeds import global_draws, stream, stream_seed

NOTHING = Given()


class Game:
    """A generator and a discriminator, trained against each other.

    Args:
        generator, discriminator: on `device`, with their optimisers and schedules.
        rules: what they play for.
        prior: where latents come from.
        seed: fixes the latents, dropout and penalties of every update.
        epochs: how many are planned, at whose end learning rates may have fallen to 0.
        dropout: where the networks draw from; it is set anew for each update.
        fresh_latents: whether G's step draws latents of its own, or uses those of the last D step.
        precision: of matrix products.
        average: of the generator's weights, to sample from.
        halvings: steps from each of which both learning rates are halved once more.
        shared: whether several processes, which all hold this game, compute each update together.
    """

    def __init__(
        self,
        generator: Player,
        discriminator: Player,
        rules: Rules,
        prior: Latent,
        *,
        seed: int,
        epochs: int,
        device: torch.device,
        dropout: torch.Generator,
        fresh_latents: bool = False,
        precision: Literal["float32", "bf16"] = "float32",
        average: Average | None = None,
        halvings: Sequence[int] = (),
        shared: bool = False,
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.rules = rules
        self.prior = prior
        self.seed = seed
        self.epochs = epochs
        self.device = device
        self.dropout = dropout
        self.fresh_latents = fresh_latents
        self.average = average
        self.halvings = halvings
        self.rng = torch.Generator(device)
        self.engine = choose(
            generator,
            discriminator,
            rules,
            device=device,
            bf16=precision == "bf16",
            rng=self.rng,
            dropout=dropout,
            shared=shared,
        )

    @classmethod
    def from_recipe(
        cls,
        recipe: Recipe,
        mean_image: Float[Tensor, "C H W"],
        classes: int = 0,
        *,
        seed: int,
        device: torch.device,
        halvings: Sequence[int] = (),
        given: Given = NOTHING,
        shared: bool = False,
    ) -> Self:
        """The recipe's game, as the seed starts it.

        Args:
            recipe: what to train.
            mean_image: the training images' mean, in [0, 1].
            classes: how many the data have.
            seed: fixes the initial weights and real labels, and all that `Game` says.
            device: where it all lives.
            halvings, shared: see `Game`.
            given: the user's own networks and loss, instead of the recipe's.

        Raises:
            CounterfeitError: this machine's memory cannot hold it.
        """
        channels, height, width = mean_image.shape
        dropout = torch.Generator(device)
        G, D = networks.build_pair(
            recipe,
            (channels, height, width),
            classes,
            seed=seed,
            rng=dropout,
            own=given.networks,
        )
        section = recipe.generator
        if isinstance(section, MlpGenerator) and section.output_bias == "data-mean":
            networks.init_output_bias(G, mean_image)
        graphed = device.type == "cuda" and not given
        generator, discriminator = (
            Player(
                network.to(device),
                optimizers.build(network, section.trained_with, graphed=graphed),
                section.trained_with,
            )
            for network, section in ((G, recipe.generator), (D, recipe.discriminator))
        )
        discriminator.constraint = constraints.from_recipe(recipe.constraints)
        rules = Rules(
            given.loss or losses.from_recipe(recipe.loss, recipe.training.batch_size, seed, device),
            penalties.from_recipe(recipe.penalties),
            recipe.training.update,
            views.from_recipe(recipe, seed, device),
            replay.from_recipe(recipe, (channels, height, width), seed, device),
            auxiliary.from_recipe(recipe),
        )
        decay = recipe.generator.ema_decay
        return cls(
            generator,
            discriminator,
            rules,
            recipe.latent,
            seed=seed,
            epochs=recipe.training.epochs,
            device=device,
            dropout=dropout,
            fresh_latents=recipe.training.generator_latents == "fresh",
            precision=recipe.training.precision,
            average=Average(G, decay) if decay else None,
            halvings=halvings,
            shared=shared,
        )

    @property
    def G(self) -> nn.Module:
        return self.generator.network

    @property
    def D(self) -> nn.Module:
        return self.discriminator.network

    def update(self, step: int, epoch: float, reals: Sequence[Batch]) -> Outcome:
        """Update number `step` of the generator, counted from 0, after so many epochs.

        Everything random in it is a function of the seed and the step.

        Args:
            reals: a batch for each step of D.
        """
        draws, batch_size = len(reals) + self.fresh_latents, len(reals[0].images)
        z = inputs.draw_latents(
            self.prior, draws * batch_size, stream(self.seed, "latent", step, self.device)
        ).view(draws, batch_size, -1)
        self.dropout.manual_seed(stream_seed(self.seed, "dropout", step))
        if self.rules.penalties:
            self.rng.manual_seed(stream_seed(self.seed, "penalty", step))
        for held in self._inputs.values():
            held.begin(step, epoch)
        share = 0.5 ** sum(step >= start for start in self.halvings)  # of the learning rates
        self.generator.schedule(step, epoch, share, self.epochs)
        self.discriminator.schedule(step * len(reals), epoch, share, self.epochs)
        if self.is_ours:
            outcome = self.engine(reals, z, step)
        else:
            with global_draws(stream_seed(self.seed, "user", step), {self.device}):
                outcome = self.engine(reals, z, step)
        if self.rules.view is not None:
            self.rules.view.adapt(outcome.real_logits)
        if self.average is not None:
            self.average.update(self.G, step + 1)
        return outcome

    @cached_property
    def is_ours(self) -> bool:
        """Whether none of its code is the user's, which may draw from global generators."""
        parts = self.G, self.D, self.rules.loss
        return not any(isinstance(each, networks.Own | OwnLoss) for each in parts)

    @property
    def augmented(self) -> float | None:
        """The probability with which an image is augmented before D sees it, where it adapts."""
        view = self.rules.view
        return None if view is None or not view.adapts else float(view.probability)

    @property
    def sampler(self) -> nn.Module:
        """The generator to sample from: its average where the recipe asks for one."""
        return self.G if self.average is None else self.average.network

    def sampler_to_show(self) -> nn.Module:
        """A copy of `sampler` in eval mode: whatever is done with it, training stays the same."""
        return copy.deepcopy(self.sampler).eval()

    def tensors(self) -> dict[str, Tensor]:
        """All that must be kept to go on later, by name."""
        parts = {
            part: player.network.state_dict() | optimizers.tensors(player.optimizer)
            for part, player in self._players.items()
        }
        if self.average is not None:
            parts[AVERAGE] = self.average.network.state_dict()
        parts |= {part: held.tensors() for part, held in self._inputs.items()}
        return {
            f"{part}.{key}": tensor for part, own in parts.items() for key, tensor in own.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a state that `tensors` once returned.

        What shapes D's inputs begins anew where nothing is there of it, as in a fork.

        Raises:
            RuntimeError, KeyError or ValueError: it belongs to another recipe.
        """
        for part, player in self._players.items():
            own = part_of(tensors, part)
            player.network.load_state_dict(optimizers.load(player.optimizer, own))
        if self.average is not None:
            self.average.network.load_state_dict(part_of(tensors, AVERAGE))
        for part, held in self._inputs.items():
            if own := part_of(tensors, part):
                held.load(own)

    @property
    def _players(self) -> dict[str, Player]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def _inputs(self) -> dict[str, View | Replay]:
        held = {VIEW: self.rules.view, REPLAY: self.rules.replay}
        return {part: each for part, each in held.items() if each is not None}
