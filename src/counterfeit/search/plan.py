"""A search as data: around which recipe, in which space, how many trials, and how long."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import Field, field_validator, model_validator

from counterfeit.recipe import Section
from counterfeit.study.plan import Seed, validated
from counterfeit.study.verdict import SCALES

Sampler = Literal["tpe", "gp", "random"]

USUAL_RUNGS = 3

REDUCTION = 3
"""Of so many trials that reach a rung, one goes on; the next rung has as many times the epochs."""


def rungs_in(epochs: int) -> int:
    """How many rungs so many epochs have room for."""
    return 1 if epochs < REDUCTION else 1 + rungs_in(epochs // REDUCTION)


class Plan(Section):
    """What a search's own file says, `search.toml` in its folder."""

    recipe: str
    """What the unchanged recipe is called, of `recipes/` in the search's folder."""
    data: str
    """A data set's name, or a folder of images."""
    trials: Annotated[int, Field(ge=1, le=100_000)] = 30
    epochs: Annotated[int, Field(ge=1, le=1_000_000)]
    """Of a trial that is not pruned."""
    rungs: Annotated[int, Field(ge=1, le=20)] = USUAL_RUNGS
    """How many there are, the last one at the end: at each of the others trials are left behind."""
    metric: str = "fid"
    """That is searched by, on the validation images, and that the verdict is by."""
    sampler: Sampler = "tpe"
    seed: Seed = 0
    """Of all trials, and of what is tried."""
    confirm: Annotated[int, Field(ge=0, le=10_000)] = 5
    """Seeds that the best one and the unchanged recipe are trained with in the end."""
    samples: Annotated[int, Field(ge=40, le=1_000_000)] = 10_000
    """Of the evaluation on the test images then."""
    space: dict[str, Any]

    @field_validator("metric")
    @classmethod
    def _can_be_searched_by(cls, metric: str) -> str:
        if metric not in SCALES:
            raise ValueError(f"should be one of {', '.join(SCALES)}, not {metric!r}")
        return metric

    @model_validator(mode="after")
    def _rungs_have_room(self) -> Self:
        if self.rungs > (most := rungs_in(self.epochs)):
            raise ValueError(
                f"needs {REDUCTION} times the epochs from one rung to the next: of {self.epochs}"
                f" epochs at most {most} rungs, not {self.rungs}"
            )
        return self

    @property
    def rung_epochs(self) -> tuple[int, ...]:
        """Where a trial is looked at, the last one at its end."""
        return tuple(self.epochs // REDUCTION**left for left in reversed(range(self.rungs)))

    @property
    def lower_is_better(self) -> bool:
        return SCALES[self.metric].lower_is_better

    @classmethod
    def parse(cls, table: Mapping[str, Any], origin: str) -> "Plan":
        """The plan in `table`, which came from `origin`.

        Raises:
            UsageError: a key or a value is wrong.
        """
        return validated(cls, dict(table), origin, "the search")

    def with_values(self, values: Mapping[str, Any]) -> "Plan":
        """This plan with other values of its keys.

        Raises:
            UsageError: one is impossible.
        """
        return self.parse(self.model_dump() | dict(values), "the search")

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(exclude_none=True))
