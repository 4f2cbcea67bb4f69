"""What a network that is taken away says of itself."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from counterfeit import data
from counterfeit.insight.columns import newest_metrics
from counterfeit.networks.own import Kind
from counterfeit.recipe import Recipe
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint


def facts_of(run: Run, player: Kind, state: Checkpoint) -> dict[str, Any]:
    """What is known of a player after `state`, as JSON can hold it.

    `latent` says how latents are drawn, `dim` numbers and then the codes; `metrics` holds
    `[value, standard error]` of the newest evaluation of that state, nothing where there is none.
    """
    spec = _without_places(run.recipe)
    measured = newest_metrics([row for row in run.metrics if row["step"] == state.step])
    return {
        "counterfeit": version("counterfeit"),
        "player": player,
        "run": run.path.name,
        "recipe": spec.name,
        "recipe_toml": spec.to_toml(),
        "data": spec.data.name,
        "seed": run.seed,
        "step": state.step,
        "epoch": state.epoch,
        "image_shape": list(run.image_shape),
        "value_range": [0, 1],
        "latent": spec.latent.model_dump(exclude={"information"}),
        "classes": list(run.classes),
        "metrics": measured["metrics"] if measured else {},
    }


def _without_places(spec: Recipe) -> Recipe:
    """A recipe that names the user's own images without the folders above them, which are nobody
    else's business."""
    name = spec.data.name
    if data.is_published(name):
        return spec
    section = spec.data.model_copy(update={"name": Path(name).name})
    return spec.model_copy(update={"data": section})


def as_text(facts: dict[str, Any]) -> dict[str, str]:
    """For metadata that are text: what is none as JSON."""
    return {
        name: fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)
        for name, fact in facts.items()
    }
