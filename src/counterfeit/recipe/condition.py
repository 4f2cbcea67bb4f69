"""The section of a recipe whose networks are told a class."""

from typing import Literal

from pydantic import model_validator

from counterfeit.recipe.sections import NonNegative, Section


class Condition(Section):
    """G is told which class to draw, and D which one was asked for; networks of recipes without
    this section are told nothing. The classes are those of the data.

    Sources: Mirza and Osindero 2014 (1411.1784) for the idea and `concat`, Dumoulin et al. 2017
    (1610.07629) and de Vries et al. 2017 (1707.00683) for `batch-norm`, Miyato and Koyama 2018
    (1802.05637) for `projection`, Odena et al. 2017 (1610.09585) for `auxiliary`.
    """

    generator: Literal["concat", "embedding", "batch-norm"] = "concat"
    """How G is told: the class as one of so many units beside the latent, as a learned vector of
    the latent's size beside it, or by a scale and a shift of its own in each BatchNorm."""
    discriminator: Literal["concat", "projection", "auxiliary"] = "projection"
    """How D judges a class: from a learned plane beside the image's channels; by the product of a
    learned vector and D's features, added to the logit; or not at all, but D names the class by a
    head of its own, and both players gain where it is right (AC-GAN)."""
    weight: NonNegative = 1.0
    """Of the classes' cross entropy in both losses, where D has a head for them."""

    @model_validator(mode="after")
    def _weight_weighs(self) -> "Condition":
        if self.weight != 1 and self.discriminator != "auxiliary":
            raise ValueError(
                f"weight needs discriminator = 'auxiliary', not {self.discriminator!r}"
            )
        return self
