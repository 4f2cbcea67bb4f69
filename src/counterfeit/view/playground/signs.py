"""The rows by which a game of points is diagnosed: those of the log and of the vital signs, which
mean here what they mean of images (run/rows.py)."""

from collections import deque
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.data.points import Mixture
from counterfeit.files import Row
from counterfeit.game.game import Game
from counterfeit.game.inputs import draw_latents
from counterfeit.insight.detectors import Record, examine
from counterfeit.insight.detectors.collapse import TOP_CLASS
from counterfeit.insight.vitals.measures import idle_units, mean_distance, variety
from counterfeit.measure.pairs import squared_distances
from counterfeit.measure.points import modes_of
from counterfeit.recipe import Recipe
from counterfeit.run.findings import Finding
from counterfeit.run.sampler import looking_at
from counterfeit.seeds import stream

LATENTS = 100
REAL = 1_000
KEPT = 200
"""Rows of each kind; older ones are forgotten, so that a game may go on for hours."""


class Signs:
    """What is written down of a game as it goes on, and what detectors find in it.

    Args:
        mixture: what it is played on.
        recipe, game: what it is played by, and how far it is.
        seed: fixes the latents and real points that are looked at.
    """

    def __init__(self, mixture: Mixture, recipe: Recipe, game: Game, seed: int) -> None:
        self.mixture, self.recipe, self.game = mixture, recipe, game
        self.log: deque[Row] = deque(maxlen=KEPT)
        self.vitals: deque[Row] = deque(maxlen=KEPT)
        self.findings: list[Finding] = []
        """What diagnosis says of the rows, the worst first."""
        self.z = draw_latents(recipe.latent, LATENTS, stream(seed, "history"))
        real = mixture.sample(REAL, stream(seed, "evaluation"))
        self.real = _pixels(mixture.to_images(real))
        self.scale = mean_distance(squared_distances(self.real, self.real).sqrt_())
        self.counts_modes = mixture.has_modes and 2 * float(mixture.weights.max()) <= TOP_CLASS
        """Whether a generator that makes the data's modes as often as they do is far from making
        mostly one."""
        self.before = self._made()

    def add(self, row: Row) -> None:
        """A row of the log, whose `step` and `epoch` that of the vital signs shares."""
        self.log.append(row)
        made = self._made()
        points = _pixels(made)
        among, to_real = (
            squared_distances(points, others).sqrt_() for others in (points, self.real)
        )
        spread, distance = variety(among, to_real, self.scale)
        moved = float((points - _pixels(self.before)).norm(dim=1).mean()) / self.scale
        self.before = made
        signs: Row = {  # no real_distance: few dimensions have no typical one to judge critics by
            "step": row["step"],
            "epoch": row["epoch"],
            "spread": spread,
            "distance": distance,
            "moved": moved,
        }
        if self.counts_modes:
            signs["classes"] = modes_of(self.mixture.to_points(made), self.mixture).tolist()
            signs["data_classes"] = len(self.mixture.centres)
        self.vitals.append(signs | self._of_networks())
        self.findings = examine(Record(self.recipe, list(self.log), list(self.vitals)))

    @torch.no_grad()
    def _made(self) -> Float[Tensor, "100 1 1 D"]:
        with looking_at(self.game.G):
            images: Tensor = self.game.G(self.z)
        return images

    @torch.no_grad()
    def _of_networks(self) -> Row:
        G, D = self.game.G, self.game.D
        with looking_at(G, D):
            seen = torch.cat([self.before, 2 * self.real[:LATENTS].view_as(self.before) - 1])
            return idle_units(_hidden(G), self.z, "g") | idle_units(_hidden(D), seen, "d")


def _hidden(perceptron: nn.Module) -> nn.Sequential:
    return cast(nn.Sequential, perceptron.hidden)


def _pixels(images: Float[Tensor, "N 1 1 D"]) -> Float[Tensor, "N D"]:
    """Of a network's range, [-1, 1], in [0, 1], as vital signs have them."""
    return (images.flatten(1) + 1) / 2
