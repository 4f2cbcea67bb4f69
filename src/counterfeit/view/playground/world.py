"""A world of points in which a game is played, step by step, and looked at."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.data.points import Mixture
from counterfeit.game.game import Game
from counterfeit.game.inputs import POINTS_EPOCH, Batch, draw_latents, draw_points, says
from counterfeit.game.step import Outcome
from counterfeit.insight.detectors import in_order
from counterfeit.measure.points import points_coverage
from counterfeit.recipe import Recipe
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurement
from counterfeit.run.sampler import looking_at
from counterfeit.seeds import stream
from counterfeit.training.interval import Interval
from counterfeit.training.soundness import NonFinite, check
from counterfeit.view.playground.optimum import Places, free_constant, optimal_answer
from counterfeit.view.playground.signs import Signs

PLACES = {1: 257, 2: 64}
"""Along each axis, at which D is asked and densities are known."""

BLUR = {1: 1.5, 2: 0.8}
"""Standard deviation, in steps between places, by which both densities are blurred alike: p_g is
known by points alone, and modes may be narrower than a step."""

SAMPLES = {1: 2_048, 2: 4_096}
"""Of G, that its density is made of; on a line they are its prior's quantiles."""

SHOWN = 200
"""Real and generated points that are drawn."""

LINES = 64
"""Lines from z to x."""

NOWHERE = 1e-3
"""Of the highest density: where both are lower, no answer of D's is the best one."""


@dataclass(frozen=True)
class Look:
    """What is to be seen of a world at a moment, in the distribution's units."""

    updates: int
    real: Float[Tensor, "n D"]
    fake: Float[Tensor, "n D"]
    arrows: Float[Tensor, "n D"]
    """Where G's loss pushes each fake: minus its gradient by the point as the networks see it, in
    [-1, 1], times the number of points."""
    axis: Float[Tensor, " places"]
    """Places along each axis; on a line these are all, in the plane all pairs (y, x)."""
    p_data: Places
    p_g: Places
    said: Places
    """D(x), or the score f(x); less the mean over real and generated points where a constant
    changes nothing."""
    optimal: Places | None
    """D*(x) likewise, NaN where next to no point is; None where its form is not known. Of a
    Wasserstein critic, whose scale is its own, as steep as D is on average where points are."""
    probabilistic: bool
    """Whether D's answers are probabilities."""
    comparable: bool
    """Whether D's best answers lie in [0, 1], so that a distance from them has a meaning."""
    lines: tuple[Float[Tensor, " l"], Float[Tensor, " l"]] | None
    """On a line: latents z, in the order of the prior's quantiles, and the points G(z)."""
    coverage: dict[str, Measurement]
    """Of G's points, where the distribution has modes; see `points_coverage`."""


class World:
    """A game of small perceptrons on a distribution of points; the same seed makes the same one.

    Args:
        mixture: the data.
        recipe: how the game is played; see `recipe_for`.
        seed: fixes all that is drawn.
    """

    def __init__(self, mixture: Mixture, recipe: Recipe, seed: int = 0) -> None:
        self.mixture, self.recipe, self.seed = mixture, recipe, seed
        device = torch.device("cpu")
        mean = torch.full(mixture.shape, 0.5)
        self.game = Game.from_recipe(recipe, mean, seed=seed, device=device)
        self.updates = 0
        self.signs = Signs(mixture, recipe, self.game, seed)
        self.diverged: Finding | None = None
        """Said when a number is no longer finite, after which the world stands still."""
        self._interval = Interval(POINTS_EPOCH, recipe.training.batch_size, device)
        half = mixture.half_width
        self.axis = torch.linspace(-half, half, PLACES[mixture.dim])
        self._blur = BLUR[mixture.dim] * float(self.axis[1] - self.axis[0])
        shape = (len(self.axis),) * mixture.dim
        self.places = torch.cartesian_prod(*[self.axis] * mixture.dim).view(-1, mixture.dim).flip(1)
        self.p_data = mixture.blurred(self._blur).density(self.places).view(shape)

    def step(self, updates: int = 1) -> None:
        """So many updates of G, each after D's."""
        for _ in range(updates):
            if self.diverged is not None:
                return
            step = self.updates
            reals = draw_points(self.mixture, self.recipe.training, self.seed, step)
            outcome = self.game.update(step, step / POINTS_EPOCH, reals)
            self.updates += 1
            self._interval.add(outcome)
            if self._interval.full:
                self._write_down(outcome)

    def _write_down(self, outcome: Outcome) -> None:
        interval = self._interval
        try:
            check(self.game.tensors(), interval.losses, self.updates, POINTS_EPOCH)
        except NonFinite as lost:
            self.diverged = lost.finding
            return
        columns = interval.row(outcome, probabilistic=self.game.rules.loss.probabilistic)
        self.signs.add({"step": self.updates, "epoch": self.updates / POINTS_EPOCH, **columns})
        interval.clear()

    def findings(self) -> list[Finding]:
        """What diagnosis says of the game so far, the worst first."""
        found = self.signs.findings
        return found if self.diverged is None else in_order([self.diverged, *found])

    def look(self) -> Look:
        """What is to be seen now; nothing of the game changes by it."""
        mixture, game = self.mixture, self.game
        rng = stream(self.seed, "vitals", self.updates)
        with looking_at(game.G, game.D):
            z = self._latents(rng)
            made = self._made(z)
            p_g = self._density(made)
            said = self._said(self.p_data + p_g)
            z_shown = draw_latents(self.recipe.latent, SHOWN, rng)
            real, fake = mixture.sample(SHOWN, rng), self._made(z_shown)
            arrows = self._pushed(real, fake)
        thread = slice(None, None, len(z) // LINES)
        return Look(
            updates=self.updates,
            real=real,
            fake=fake,
            arrows=arrows,
            axis=self.axis,
            p_data=self.p_data,
            p_g=p_g,
            said=said,
            optimal=self._optimal(p_g, said),
            probabilistic=game.rules.loss.probabilistic,
            comparable=game.rules.loss.equilibrium.output is not None,
            lines=(z[thread, 0], made[thread, 0]) if self._has_quantiles else None,
            coverage=self._coverage(made),
        )

    @property
    def _has_quantiles(self) -> bool:
        return self.mixture.dim == self.recipe.latent.width == 1

    def _latents(self, rng: torch.Generator) -> Float[Tensor, "N z"]:
        """Latents that G's density is made of."""
        count, prior = SAMPLES[self.mixture.dim], self.recipe.latent
        if not self._has_quantiles:
            return draw_latents(prior, count, rng)
        share = (torch.arange(count) + 0.5) / count
        if prior.distribution == "uniform":
            quantiles = math.sqrt(3) * (2 * share - 1)
        else:
            quantiles = torch.special.ndtri(share)
        return prior.std * quantiles.unsqueeze(1)

    @torch.no_grad()
    def _made(self, z: Float[Tensor, "N z"]) -> Float[Tensor, "N D"]:
        return self.mixture.to_points(self.game.G(z))

    def _density(self, points: Float[Tensor, "N D"]) -> Places:
        """p_g at the places, blurred."""
        windows = [
            (-0.5 * ((self.axis.unsqueeze(1) - x) / self._blur).square()).exp_()
            / (math.sqrt(2 * math.pi) * self._blur)
            for x in points.T
        ]  # (places, N) each
        if len(windows) == 1:
            density: Tensor = windows[0].mean(1)
        else:
            by_x, by_y = windows
            density = by_y @ by_x.T / len(points)
        return density.double()

    @torch.no_grad()
    def _said(self, mass: Places) -> Places:
        """D's answers at the places, where `mass` real and generated points are."""
        asked = Batch(self.mixture.to_images(self.places))
        logits = says(self.game.D, asked).logits.double().view(mass.shape)
        if self.game.rules.loss.probabilistic:
            return logits.sigmoid()
        return _centred(logits, mass) if free_constant(self.recipe.loss) else logits

    def _optimal(self, p_g: Places, said: Places) -> Places | None:
        spec, both = self.recipe.loss, self.p_data + p_g
        best = optimal_answer(spec, self.p_data, p_g)
        if best is None:
            return None
        if spec.name == "wasserstein":
            slopes, mass = said.diff().abs(), both[:-1]
            best = best * (slopes * mass).sum() / mass.sum()
        best = best.where(both > NOWHERE * both.max(), torch.nan)
        return _centred(best, both) if free_constant(spec) else best

    def _pushed(
        self, real: Float[Tensor, "n D"], fake: Float[Tensor, "n D"]
    ) -> Float[Tensor, "n D"]:
        """Minus the gradient of G's loss by each fake, times their number."""
        D, rules, mixture = self.game.D, self.game.rules, self.mixture
        images = mixture.to_images(fake).requires_grad_()
        with torch.no_grad():
            again = says(D, Batch(mixture.to_images(real))) if rules.loss.relative else None
        loss = rules.loss.generator(says(D, Batch(images)), again)
        (gradient,) = torch.autograd.grad(loss, images)
        return -len(fake) * gradient.flatten(1)

    def _coverage(self, made: Float[Tensor, "N D"]) -> dict[str, Measurement]:
        if not (self.mixture.has_modes and made.isfinite().all()):
            return {}
        return points_coverage(made, self.mixture)


def _centred(values: Places, mass: Places) -> Places:
    """Less their mean over what lies at the places."""
    there = values.isfinite()
    return values - (values * mass)[there].sum() / mass[there].sum()
