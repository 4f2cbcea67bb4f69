"""What is played in the playground, as a recipe: small perceptrons, and whatever is chosen."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from counterfeit.data import points
from counterfeit.data.points import Mixture
from counterfeit.errors import UsageError
from counterfeit.recipe import Recipe, parse
from counterfeit.recipe.sections import Section

BASE: dict[str, Any] = {
    "title": "A game of the playground",
    "source": "Goodfellow et al. 2014 (arXiv 1406.2661), figure 1; GAN Lab (Kahng et al. 2019,"
    " arXiv 1809.01587)",
    "training": {"batch_size": 128, "epochs": 1_000_000},
}

LATENT: dict[int, dict[str, Any]] = {1: {"dim": 1, "distribution": "uniform"}, 2: {"dim": 16}}
UNITS = {1: 32, 2: 96}
"""Of both hidden layers of both networks, on a line and in the plane."""


def recipe_for(mixture: Mixture, values: Mapping[str, object] | None = None) -> Recipe:
    """The recipe of a game on that distribution.

    Args:
        values: what is otherwise than usual, by dotted keys such as `loss.name`.

    Raises:
        UsageError: an unknown key or an impossible value.
    """
    hidden = [UNITS[mixture.dim]] * 2
    g_adam, d_adam = ({"name": "adam", "lr": lr, "betas": [0.5, 0.999]} for lr in (3e-4, 1e-3))
    table = {
        "name": f"playground-{mixture.name}",
        **BASE,
        "latent": LATENT[mixture.dim],
        "generator": {"hidden": hidden, "output": "tanh", "optimizer": g_adam},
        "discriminator": {"hidden": hidden, "activation": "leaky-relu", "optimizer": d_adam},
    }
    return parse(table, "the playground").with_values(values or {})


LossName = Literal[
    "non-saturating", "minimax", "least-squares", "wasserstein", "hinge", "relativistic"
]
PenaltyName = Literal["none", "gradient", "r1", "r2", "r1+r2"]
"""A consistency penalty is missing, as nothing can be shifted in images of one or two pixels."""

Rate = Annotated[float, Field(gt=0, le=10)]
Coordinate = Annotated[float, Field(ge=-1, le=1)]
Height = Annotated[float, Field(ge=0, le=1)]
Dab = tuple[Coordinate] | tuple[Coordinate, Coordinate]


class Choices(Section):
    """What a visitor may choose. It comes from a browser, and is bounded on all sides."""

    distribution: Literal["gaussian", "two", "four", "uneven", "ring", "grid", "sketch"] = "two"
    dabs: Annotated[tuple[Dab, ...], Field(max_length=points.MOST_DABS)] = ()
    """Of a sketch; see `points.sketch`."""
    heights: Annotated[tuple[Height, ...], Field(max_length=points.MOST_DABS)] = ()
    loss: LossName = "non-saturating"
    penalty: PenaltyName = "none"
    weight: Annotated[float, Field(ge=0, le=1000)] = 0.1
    """Of the penalty."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    g_rate: Rate = 3e-4
    d_rate: Rate = 1e-3
    discriminator_steps: Annotated[int, Field(ge=1, le=10)] = 1
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @property
    def mixture(self) -> Mixture:
        """
        Raises:
            UsageError: it is a sketch of nothing.
        """
        if self.distribution == points.SKETCH:
            return points.sketch(self.dabs, self.heights)
        return points.by_name(self.distribution)

    @property
    def recipe(self) -> Recipe:
        """
        Raises:
            UsageError: see `mixture`.
        """
        values: dict[str, object] = {
            "loss.name": self.loss,
            "training.discriminator_steps": self.discriminator_steps,
        }
        for player, rate in (("generator", self.g_rate), ("discriminator", self.d_rate)):
            values[f"{player}.optimizer.name"] = self.optimizer
            values[f"{player}.optimizer.lr"] = rate
        if self.penalty != "none":
            values |= {f"penalties.{name}.weight": self.weight for name in self.penalty.split("+")}
        return recipe_for(self.mixture, values)


def chosen(values: object) -> Choices:
    """What a browser sent.

    Raises:
        UsageError: it is nothing that may be chosen.
    """
    try:
        return Choices.model_validate(values, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where}: {first['msg']}.") from None
