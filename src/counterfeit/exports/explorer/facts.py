"""What the explorer's page knows of a run beside its networks."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from counterfeit.data import as_float
from counterfeit.errors import CounterfeitError
from counterfeit.game.inputs import Batch, says
from counterfeit.game.losses import expected
from counterfeit.networks import judges_rows_apart
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint

MOST_IMAGES = 2000
"""Training images that a page holds, to look for the nearest one among."""

MOST_BYTES = 4_000_000
"""Of their pixels, before they are compressed."""

JUDGED = 500
"""Real images at most, and as many generated ones, whose verdicts give D's scale."""

CENTRAL = (0.05, 0.95)
"""Between these quantiles of them is most of each."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """The training images that a page holds, evenly from all of them."""

    images: UInt8[Tensor, "n C H W"]
    labels: Int64[Tensor, " n"] | None = None
    total: int = 0
    """How many there are."""

    @classmethod
    def of(cls, run: Run) -> "Training":
        """None where the run's data cannot be had, with a warning."""
        try:
            data = run.load_data()
        except CounterfeitError as error:
            log.warning("the page goes without training images: %s", error)
            return cls(torch.empty(0, *run.image_shape, dtype=torch.uint8))
        count = min(MOST_IMAGES, len(data), max(1, MOST_BYTES // data.images[0].numel()))
        chosen = torch.linspace(0, len(data) - 1, count).long()
        labels = None if data.labels is None else data.labels[chosen]
        return cls(data.images[chosen], labels, len(data))

    @property
    def is_dark(self) -> bool:
        """Whether its borders are, as of white digits on black."""
        sides = (self.images[..., 0], self.images[..., -1])
        return not len(self.images) or bool(torch.cat(sides).float().mean() < 128)


def latent_facts(run: Run) -> dict[str, Any]:
    """What latents are, and where they are drawn from."""
    latent = run.recipe.latent
    return {**latent.model_dump(exclude={"information"}), "width": latent.width}


def verdict_facts(run: Run, state: Checkpoint, training: Training) -> dict[str, Any] | None:
    """D's scale: whether what it says is a probability, the scale's ends, and where on it, in
    hundredths, most real images and most generated ones are; None where D is not ours to build, or
    judges no image by itself."""
    if not run.can_build("discriminator"):
        return None
    D = run.discriminator(state)
    if not judges_rows_apart(D):
        return None
    groups = {"generated": (run.sample(JUDGED, step=state), run.labels(JUDGED))}
    if count := min(JUDGED, len(training.images)):
        chosen = torch.linspace(0, len(training.images) - 1, count).long()
        labels = None if training.labels is None else training.labels[chosen]
        groups["real"] = training.images[chosen], labels
    probability = expected(run.recipe.loss).probabilistic
    spans = {}
    for name, (images, labels) in groups.items():
        batch = Batch(as_float(images, *run.recipe.value_range), labels)
        with torch.inference_mode():
            logits = says(D, batch).logits
        said = logits.sigmoid() if probability else logits
        spans[name] = np.quantile(said.double().numpy(), CENTRAL).tolist()
    low, high = (
        (0.0, 1.0) if probability else _roomy([end for span in spans.values() for end in span])
    )
    marks = [
        [name, *(round(100 * (end - low) / (high - low), 1) for end in span)]
        for name, span in spans.items()
    ]
    return {"probability": probability, "low": low, "high": high, "marks": marks}


def _roomy(values: list[float]) -> tuple[float, float]:
    """A scale's ends around values, with room on both sides."""
    room = (max(values) - min(values)) / 2 or 1.0
    return min(values) - room, max(values) + room
