"""What a run was trained on, as environment.json keeps it, and whether it still lies there."""

from pathlib import Path
from typing import Any

from counterfeit import data
from counterfeit.errors import CounterfeitError, UsageError, command
from counterfeit.recipe import Recipe
from counterfeit.recipe.sections import Data
from counterfeit.run import stored

Environment = dict[str, Any]
"""The content of environment.json: `image_shape`, `data_dir` and `data`, the identity of each
split; a run of an earlier version has no `data`."""


def check(environment: Environment) -> None:
    """Raise KeyError, TypeError, ValueError or AttributeError where it is damaged."""
    for identity in environment.get("data", {}).values():
        data.Identity.from_json(identity)


def changes(environment: Environment, split: data.ImageData) -> str:
    """How these images differ from those that the run was made with; "" where they do not."""
    recorded = environment.get("data", {}).get(split.split)
    if recorded is not None:
        return data.Identity.from_json(recorded).changes(data.Identity.of(split))
    if list(split.shape) != list(environment["image_shape"]):
        return f"images of shape {split.shape} instead of {tuple(environment['image_shape'])}"
    return ""


def is_same(environment: Environment, name: str, split: data.ImageData) -> bool:
    """Whether the run was made with these images; `name` is that of its data."""
    if "data" not in environment and not (split.name == name and data.is_published(name)):
        return False
    return not changes(environment, split)


def load(
    run: Path, environment: Environment, section: Data, split: data.Split, data_dir: Path | None
) -> data.ImageData:
    """A split of the data that a recipe's section says, if it is what the run was made with.

    Raises:
        CounterfeitError: they cannot be had, or they have changed; the message says how.
    """
    name, resume = section.name, ("counterfeit", "train", "--resume", run)
    if environment.get("data_kept"):
        return stored.read_data(run, name, split, tuple(environment["image_shape"]))
    if environment.get("data") == {}:
        raise CounterfeitError(
            f"{run} does not say what it was trained on: its Monitor was given no data."
        )
    go_on_anew = f"go on in a new run with {command(*resume, '--fork', '--data', name)}"
    if not data.is_published(name):
        try:
            data.find(name)
        except UsageError:
            raise CounterfeitError(
                f"{run} was trained on {name}, which is not there; bring it back, or name its new"
                f" place with {command(*resume, '--data', 'PATH')}."
            ) from None
        if "data" not in environment:
            raise CounterfeitError(
                f"{run} was made by an earlier version, which split {name} by position, so its"
                f" training images cannot be told from the others; train anew, or {go_on_anew}."
            )
    loaded = data.load_for(section, split, data_dir)
    if found := changes(environment, loaded):
        raise CounterfeitError(
            f"the {split} split of {name} is not the one that {run} was made with: {found}; bring"
            f" the images back, or {go_on_anew}."
        )
    return loaded


def moved(
    run: Path, environment: Environment, spec: Recipe, name: str, data_dir: Path | None
) -> tuple[Environment, Recipe] | None:
    """The run's facts once its data lie there; None if they do already.

    Raises:
        CounterfeitError: they cannot be had there, or are not those that the run was made with.
    """
    name, kept = data.anchored(name), str(data_dir) if data_dir else None
    if (name, kept) == (spec.data.name, environment.get("data_dir")):
        return None
    if name != spec.data.name and environment.get("data_kept"):
        raise CounterfeitError(
            f"{run} keeps a copy of the images that it was trained on, and goes on with these; name"
            " no others, or begin a new run with --fork."
        )
    if name != spec.data.name and "data" not in environment:
        raise CounterfeitError(
            f"{run} does not say what it was trained on, as an earlier version made it; its data"
            f" must be {spec.data.name}."
        )
    if name != spec.data.name and not data.is_published(name):
        data.find(name)
    found = spec.with_values({"data.name": name})
    load(run, environment, found.data, "train", data_dir)
    return environment | {"data_dir": kept}, found
