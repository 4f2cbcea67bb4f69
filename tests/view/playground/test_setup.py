"""What a browser may choose, and the recipe that it makes."""

from typing import get_args

import pytest

from counterfeit.data.points import MIXTURES, SKETCH
from counterfeit.errors import UsageError
from counterfeit.game.losses import LOSSES
from counterfeit.view.playground.setup import Choices, LossName, chosen


def test_all_that_recipes_have_can_be_chosen() -> None:
    assert set(get_args(LossName)) == set(LOSSES)
    assert {*MIXTURES, SKETCH} == set(get_args(Choices.model_fields["distribution"].annotation))


def test_choices_become_a_recipes_values() -> None:
    recipe = chosen(
        {
            "distribution": "ring",
            "loss": "relativistic",
            "penalty": "r1+r2",
            "weight": 0.5,
            "optimizer": "sgd",
            "g_rate": 0.01,
            "d_rate": 0.02,
            "discriminator_steps": 3,
        }
    ).recipe
    assert recipe.name == "playground-ring"
    assert recipe.loss.name == "relativistic"
    assert recipe.penalties.r1 == recipe.penalties.r2
    assert recipe.penalties.r1 is not None
    assert recipe.penalties.r1.weight == 0.5
    assert recipe.generator.trained_with.lr == 0.01
    assert recipe.discriminator.trained_with.name == "sgd"
    assert recipe.training.discriminator_steps == 3


def test_a_sketch_is_drawn_from_its_dabs() -> None:
    drawn = chosen({"distribution": "sketch", "dabs": [[0.5], [-0.5]], "heights": [1, 0.5]})
    assert drawn.mixture.centres.tolist() == [[0.5], [-0.5]]
    assert drawn.mixture.weights.tolist() == pytest.approx([2 / 3, 1 / 3])


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        {"distribution": "moons"},
        {"unknown": 1},
        {"loss": "custom"},
        {"g_rate": 0},
        {"g_rate": "nan"},
        {"d_rate": 1e9},
        {"discriminator_steps": 1000},
        {"seed": -1},
        {"weight": -1},
        {"distribution": "sketch", "dabs": [[2.0]]},
        {"distribution": "sketch", "dabs": [[0.0]] * 10_000},
    ],
)
def test_anything_else_is_refused(values: object) -> None:
    with pytest.raises(UsageError):
        chosen(values)


def test_a_sketch_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="sketch"):
        _ = chosen({"distribution": "sketch"}).mixture
