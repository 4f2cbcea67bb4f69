"""A search whose trials take seconds."""

from pathlib import Path
from typing import Any

from small_study import SMALL

from counterfeit import recipe
from counterfeit.recipe import Recipe
from counterfeit.search.folder import Search
from counterfeit.search.plan import Plan
from counterfeit.search.space import Space

LR = "generator.optimizer.lr"

SPACE = {
    LR: {"low": 1e-5, "high": 1e-2, "log": True},
    "discriminator.dropout": [[0.5, 0.0], [0.0, 0.0]],
    "training.batch_size": {"low": 32, "high": 128, "step": 32},
}


def small_recipe(epochs: int = 9, **values: object) -> Recipe:
    """On 8x8 digits: an epoch takes milliseconds."""
    own = {"name": "small", "data.name": "digits", "training.epochs": epochs}
    return recipe.load("adam").with_values(SMALL | own | values)


def small_plan(space: dict[str, Any] = SPACE, epochs: int = 9, **more: object) -> Plan:
    parsed = Space.parse(space, small_recipe(epochs), "the space").to_table()
    table = {"recipe": "small", "data": "digits", "epochs": epochs, "trials": 5, "samples": 100}
    return Plan.parse(table | {"space": parsed} | more, "small")


def small_search(folder: Path, space: dict[str, Any] = SPACE, **more: Any) -> Search:
    plan = small_plan(space, **more)
    return Search.make(folder, plan, small_recipe(plan.epochs))
