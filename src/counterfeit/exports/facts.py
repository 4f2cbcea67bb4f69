"""What a network that is taken away says of itself."""

from importlib.metadata import version
from typing import Any

from counterfeit.networks.own import Kind
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint


def facts_of(run: Run, player: Kind, state: Checkpoint) -> dict[str, Any]:
    """What is known of a player after `state`, as JSON can hold it.

    `latent` says how latents are drawn, `dim` numbers and then the codes; `metrics` holds
    `[value, standard error]` of the newest evaluation of that state, nothing where there is none.
    """
    spec = run.recipe
    measured = [row["metrics"] for row in run.metrics if row["step"] == state.step]
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
        "metrics": measured[-1] if measured else {},
    }
