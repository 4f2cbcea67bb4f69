"""Results of studies that were never run, for what reads them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from counterfeit.run.rows import Measurement
from counterfeit.study.folder import Task
from counterfeit.study.outcome import State
from counterfeit.study.results import Result

FID = "fid_mnist-v1-0123abcd_test_10k"


def results_of(
    recipes: Mapping[str, Sequence[float | State | None]], data: str = "mnist", name: str = FID
) -> list[Result]:
    """A result for each seed of each recipe: of that value, not measured, or in that state."""
    return [
        Result(
            task=Task(Path("study"), recipe, {}, data, seed, f"{recipe}-{data}-s{seed}"),
            state=value if isinstance(value, str) else "finished",
            trained=10.0,
            images=600_000.0,
            seconds=60.0,
            scores={name: Measurement(value, None)} if isinstance(value, float) else {},
        )
        for recipe, values in recipes.items()
        for seed, value in enumerate(values)
    ]
