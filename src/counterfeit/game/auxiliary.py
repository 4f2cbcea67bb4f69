"""What D's other heads say, and what both players gain where it is right: terms of both losses.

A term is a small class here with the shape of `Auxiliary`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from counterfeit.game.inputs import Batch
from counterfeit.networks import Scores
from counterfeit.recipe import Latent, Recipe


class Auxiliary(Protocol):
    """A term of both losses, its weight included, of what a head of D's says."""

    @property
    def name(self) -> str:
        """By which an `Outcome` names it."""

    def discriminator(
        self, of_real: Scores, of_fake: Scores, real: Batch, fake: Batch
    ) -> Float[Tensor, ""]:
        """What is added to D's loss."""

    def generator(self, of_fake: Scores, fake: Batch) -> Float[Tensor, ""]:
        """What is added to G's loss."""

    def guessing(self, sizes: Sequence[int]) -> float:
        """What is added to D's loss if it says the same of every image, and the best: in nats.

        Args:
            sizes: how many images there are of each class.
        """


@dataclass(frozen=True)
class Classes:
    """D names the class of real images and of fakes, and both players gain where it is right:
    the weighted cross entropy of its head `classes`, in nats.

    Source: Odena et al. 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs" (arXiv
    1610.09585), equation 3.
    """

    weight: float
    name = "classes"

    def discriminator(
        self, of_real: Scores, of_fake: Scores, real: Batch, fake: Batch
    ) -> Float[Tensor, ""]:
        assert real.labels is not None
        of_real_ones = cross_entropy(of_real.extra["classes"], real.labels)
        return self.weight * of_real_ones + self.generator(of_fake, fake)

    def generator(self, of_fake: Scores, fake: Batch) -> Float[Tensor, ""]:
        assert fake.labels is not None
        return self.weight * cross_entropy(of_fake.extra["classes"], fake.labels)

    def guessing(self, sizes: Sequence[int]) -> float:
        shares = [size / sum(sizes) for size in sizes if size]
        entropy = -sum(share * math.log(share) for share in shares)
        return 2 * self.weight * entropy  # real images and fakes


@dataclass(frozen=True)
class Codes:
    """D tells a fake's codes from it, and both players gain where it is right: minus the weighted
    bound on their mutual information with the image, but for the codes' own entropy.

    The head `codes` gives the categories' logits and, for each continuous code, the mean of a
    Gaussian of unit variance, whose constant is left out: (c - c')^2 / 2. In nats.

    Source: Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information
    Maximizing Generative Adversarial Nets" (arXiv 1606.03657), equations 5 and 6.
    """

    spec: Latent
    name = "codes"

    def discriminator(
        self, of_real: Scores, of_fake: Scores, real: Batch, fake: Batch
    ) -> Float[Tensor, ""]:
        return self.generator(of_fake, fake)

    def generator(self, of_fake: Scores, fake: Batch) -> Float[Tensor, ""]:
        assert fake.latents is not None
        sizes = [self.spec.categories, self.spec.continuous]
        codes = fake.latents[:, -self.spec.codes :]
        wrong = codes.new_zeros(())
        (category, values), (told, means) = (
            torch.split(each, sizes, 1) for each in (codes, of_fake.extra["codes"])
        )
        if self.spec.categories:
            wrong = wrong + cross_entropy(told, category)
        if self.spec.continuous:
            wrong = wrong + (values - means).square().sum(1).mean() / 2
        return self.spec.information * wrong

    def guessing(self, sizes: Sequence[int]) -> float:
        variance = 1 / 3  # of a code that is uniform on [-1, 1]
        wrong = math.log(self.spec.categories or 1) + self.spec.continuous * variance / 2
        return self.spec.information * wrong


def from_recipe(spec: Recipe) -> Sequence[Auxiliary]:
    """The terms of the recipe's heads."""
    terms: list[Auxiliary] = []
    if spec.condition is not None and spec.condition.discriminator == "auxiliary":
        terms.append(Classes(spec.condition.weight))
    if spec.latent.codes:
        terms.append(Codes(spec.latent))
    return terms


def guessing(spec: Recipe, sizes: Sequence[int]) -> dict[str, float]:
    """What each term of the recipe's heads costs a D that does not look; see `Auxiliary`."""
    return {term.name: term.guessing(sizes) for term in from_recipe(spec)}
