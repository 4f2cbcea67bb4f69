"""A run directory for a loop that is not ours: a recipe and facts, as far as they are known."""

from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from counterfeit import environment
from counterfeit.arguments import StrPath, shown
from counterfeit.data.given import Real
from counterfeit.errors import UsageError
from counterfeit.monitor.kept import Outputs
from counterfeit.networks.own import normalises, normalises_batches, section_of
from counterfeit.recipe import CustomDiscriminator, CustomGenerator, CustomLoss, Recipe
from counterfeit.recipe.sections import Data, Latent, Training
from counterfeit.run import Run
from counterfeit.run.stored import write_data


def create_run(
    out: StrPath,
    label: str,
    real: Real | None,
    data_dir: Path | None,
    *,
    players: tuple[nn.Module, nn.Module | None],
    latent_dim: int,
    outputs: Outputs,
    image_shape: tuple[int, int, int],
    value_range: tuple[float, float],
    epochs: int,
) -> Run:
    """Make the directory, and put the real images into it where nothing else has them.

    Raises:
        UsageError: the label is no name for a folder.
        CounterfeitError: it cannot be written there.
    """
    generator, discriminator = players
    names = [type(each).__name__ for each in players if each is not None]
    try:
        spec = Recipe(
            name=label,
            title=f"A loop of one's own: {' against '.join(names)}",
            source="Monitor, which knows of a recipe only what it sees",
            data=real.section if real else Data(name="unknown"),
            latent=Latent(dim=latent_dim),
            generator=CustomGenerator(
                **section_of(generator),
                output="sigmoid" if value_range[0] >= 0 else "tanh",
                batch_norm=normalises_batches(generator),
            ),
            discriminator=CustomDiscriminator(
                **(section_of(discriminator) | {"has_norm": normalises(discriminator)})
                if discriminator
                else {"name": "custom", "label": "unknown", "shapes": {}}
            ),
            loss=CustomLoss(name="custom", outputs=outputs),
            training=Training(epochs=epochs),
        )
    except ValueError:
        raise UsageError(
            "label must be at most 100 of A-Z, a-z, 0-9, '.', '_' and '-', and begin with a letter"
            f" or a digit, not {shown(label)}."
        ) from None
    seed = torch.initial_seed()
    device = next((each.device for each in generator.parameters()), torch.device("cpu"))
    facts = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed if seed < 2**32 else 0,  # longer ones are what torch starts from
        "history_seed": None,
        "image_shape": image_shape,
        "data": real.identities(data_dir) if real else {},
        "data_kept": real is not None and real.kept,
        "data_dir": str(data_dir) if data_dir else None,
    }
    with Run.creating(out, spec, facts | environment.describe(device)) as run:
        if real is not None and real.kept:
            write_data(run.path, real.splits)
    return run
