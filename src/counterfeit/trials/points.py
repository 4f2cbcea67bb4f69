"""Ring and grid: a recipe's game on points, played by perceptrons that suit these.

Source of the protocol: Metz et al. 2017, "Unrolled Generative Adversarial Networks" (arXiv
1611.02163), section 3.1, for the ring; Lin et al. 2018, "PacGAN" (arXiv 1712.04086), section 4.1,
and its code (fjxmlzn/PacGAN, synthetic_data_experiments) for the grid and for what is counted:
2,500 samples, of which one is of high quality within 3 standard deviations of the nearest mode, and
a mode is found that has one such sample.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from counterfeit.data import points
from counterfeit.errors import UsageError
from counterfeit.game.game import Game
from counterfeit.game.inputs import POINTS_EPOCH, draw_latents, draw_points
from counterfeit.language import tr
from counterfeit.measure.points import HIGH_QUALITY, points_coverage
from counterfeit.recipe import Data, Latent, MlpDiscriminator, MlpGenerator, Recipe
from counterfeit.run.sampler import looking_at
from counterfeit.seeds import stream
from counterfeit.training.soundness import non_finite
from counterfeit.trials.folder import Folder
from counterfeit.trials.pictures import samples_over_modes
from counterfeit.trials.trial import DIVERGED, OnProgress, Result

SAMPLES = 2_500

METRICS = ("modes_found", "high_quality")

EPOCHS = 100
"""Of `POINTS_EPOCH` updates of G each."""

HIDDEN = (128, 128, 128)
"""Units of the hidden layers of both networks."""

LATENT = Latent(dim=2)


def suited(spec: Recipe, trial: str) -> Recipe:
    """The recipe's game for perceptrons and points, in as many updates as any other's.

    The recipe's are loss, penalties, constraints, noise, replay, optimisers, averages and batches.
    Networks and latents are the trial's, but for spectral normalisation, which is a rule of the
    game; conditions, augmentations and a penalty on shifted images mean nothing here.

    Raises:
        UsageError: a part of it is the user's own code.
    """
    if spec.is_custom:
        raise UsageError(f"recipe {spec.name} is of code of your own, which no trial can train.")
    spectral = getattr(spec.discriminator, "norm", None) == "spectral"
    others = {
        "deviations": (),
        "data": Data(name=trial),
        "latent": LATENT,
        "condition": None,
        "generator": MlpGenerator(
            hidden=HIDDEN,
            output="tanh",
            ema_decay=spec.generator.ema_decay,
            optimizer=spec.generator.trained_with,
        ),
        "discriminator": MlpDiscriminator(
            hidden=HIDDEN,
            activation="leaky-relu",
            norm="spectral" if spectral else "none",
            optimizer=spec.discriminator.trained_with,
        ),
        "penalties": spec.penalties.model_copy(update={"consistency": None}),
        "inputs": spec.inputs.model_copy(update={"augment": (), "adaptive": None}),
        "training": spec.training.model_copy(update={"epochs": EPOCHS, "precision": "float32"}),
    }
    return spec.model_copy(update=others)


class PointsTrial:
    """A recipe on a ring or a grid, on the CPU, where perceptrons this small are fastest.

    Args:
        name: `ring` or `grid`.
        spec: see `suited`.
    """

    device = torch.device("cpu")

    def __init__(self, name: str, spec: Recipe) -> None:
        self.name = name
        self.spec = spec
        self.mixture = points.by_name(name)

    @property
    def modes(self) -> int:
        return len(self.mixture.centres)

    @property
    def updates(self) -> int:
        """Of G, in a game."""
        return self.spec.training.epochs * POINTS_EPOCH

    @property
    def protocol(self) -> dict[str, Any]:
        """What its numbers rest on, for those who compare them."""
        return {
            "modes": self.modes,
            "samples": SAMPLES,
            "high_quality": f"within {HIGH_QUALITY:g} standard deviations of a mode",
            "found": "modes with one sample of high quality, or more",
            "updates": self.updates,
        }

    def perform(self, seed: int, folder: Folder, on_progress: OnProgress) -> Result:
        """Play the game with a seed, and count what its generator finds."""
        began = time.perf_counter()
        game = self.play(seed, on_progress)
        seconds = time.perf_counter() - began
        made = self.sample(game, seed)
        folder.keep_samples(seed, made.numpy())
        return self.result(seed, made, seconds)

    def result(self, seed: int, made: Float[Tensor, "N 2"], seconds: float) -> Result:
        """What a generator that makes these points came to."""
        if not made.isfinite().all():
            return Result(seed, dict.fromkeys(METRICS, 0.0), seconds, DIVERGED)
        found = points_coverage(made, self.mixture)
        return Result(seed, {name: found[name].value for name in METRICS}, seconds)

    def play(self, seed: int, on_progress: OnProgress) -> Game:
        """The game after all its updates, or at the epoch in which its numbers became infinite."""
        start = torch.full(self.mixture.shape, 0.5)
        game = Game.from_recipe(self.spec, start, seed=seed, device=self.device)
        for step in range(self.updates):
            reals = draw_points(self.mixture, self.spec.training, seed, step)
            game.update(step, step / POINTS_EPOCH, reals)
            if (step + 1) % POINTS_EPOCH == 0:
                on_progress((step + 1) / self.updates)
                if non_finite(game.tensors()):
                    break
        return game

    @torch.no_grad()
    def sample(self, game: Game, seed: int) -> Float[Tensor, "N 2"]:
        """Points of the generator that is sampled from, its average where there is one."""
        z = draw_latents(self.spec.latent, SAMPLES, stream(seed, "evaluation"))
        with looking_at(game.sampler):
            return self.mixture.to_points(game.sampler(z))

    def picture(self, folder: Folder, results: Sequence[Result]) -> Figure:
        """Each seed's samples over the modes."""
        return samples_over_modes(
            self.mixture, {f"seed {each.seed}": folder.samples(each.seed) for each in results}
        )

    def notes(self) -> list[str]:
        """See `Trial`."""
        own = -math.expm1(-(HIGH_QUALITY**2) / 2)
        return [
            tr(
                "Of {samples} samples of each seed; one is of high quality within {limit} standard"
                " deviations of a mode, as {own} of real points are; a mode is found that has one.",
                samples=f"{SAMPLES:,}",
                limit=f"{HIGH_QUALITY:g}",
                own=f"{own:.1%}",
            ),
            tr(
                "The recipe's game, {updates} updates of it, between the trial's perceptrons; what"
                " is told to its own networks and done to its images is left out.",
                updates=f"{self.updates:,}",
            ),
        ]
