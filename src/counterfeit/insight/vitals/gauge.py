"""The instrument: real images to compare with, and a row of what is measured against them."""

import functools
import math
import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from counterfeit import data
from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.game.inputs import Batch, draw_classes, draw_latents, says
from counterfeit.game.losses import expected
from counterfeit.insight.vitals.measures import (
    above,
    extreme,
    idle_units,
    largest_share,
    mean_distance,
    repeated_or_flat,
    variety,
)
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.likeness import Usual
from counterfeit.measure.modes import SURE
from counterfeit.measure.pairs import as_points, nearest, squared_distances
from counterfeit.measure.reference import some, subset
from counterfeit.measure.support import Nearness
from counterfeit.measure.train_classifier import kept_classifier
from counterfeit.networks import ask, judges_rows_apart, told, within
from counterfeit.run import Run, generate
from counterfeit.run.rows import VitalsRow
from counterfeit.run.sampler import looking_at
from counterfeit.seeds import stream

REAL_IMAGES = 1_000
ASKED = 256
"""Training and held-out images that D is asked about."""

FAKES = 128
BATCHNORM_BATCHES = 16
BATCH_NORMS = nn.BatchNorm1d | nn.BatchNorm2d
COMPARED = 50
"""Samples whose nearest training image is looked for."""


class Gauge:
    """Takes the vital signs of a run. It loads the real images to compare with, once.

    Raises:
        CounterfeitError: the data cannot be had.
    """

    def __init__(self, run: Run) -> None:
        self.recipe, self.seed = run.recipe, run.seed
        everything = run.load_split("train")
        trained_on = everything.first(run.recipe.data.train_images)
        self.training = trained_on.images
        self.asked = run.history_classes
        self.sizes = list(run.environment["classes"].values())
        self.labels = data.class_numbers(trained_on, everything)
        held_out = _held_out(run, everything, len(self.training))
        self.held_out = self.held_out_labels = None
        if held_out is not None:
            self.held_out = held_out.images
            self.held_out_labels = data.class_numbers(held_out, everything)
        self.classifier = _classifier(run, everything)
        self.real = subset(self.training, REAL_IMAGES)
        self.points = as_points(self.real)  # (R, pixels)
        among = squared_distances(self.points, self.points).sqrt_()
        self.scale = mean_distance(among)
        if self.scale == 0:  # one image, over and over
            self.scale = float(self.points.norm(dim=1).mean()) or 1.0
        self.class_scales = self._class_scales(among)
        self.typical_nearest = float(among.fill_diagonal_(math.inf).amin(1).median())
        self.real_extreme = extreme(self.real)
        self.data_repeated = repeated_or_flat(subset(self.training, 2 * REAL_IMAGES))
        self.held_out_nearest: float | None = None
        self.nearness = Nearness.of(self.real)
        self.usual = Usual.of(self.real)
        self.real_unlike: float | None = None
        if self.usual is not None and self.held_out is not None:
            others = subset(self.held_out, REAL_IMAGES)
            self.real_unlike = float(self.usual.unlike(others).float().mean())

    def _class_scales(self, among: Float[Tensor, "R R"]) -> list[float]:
        """The mean distance between two real images of each class that images are asked for."""
        if self.asked is None or self.labels is None:
            return []
        labels = subset(self.labels, REAL_IMAGES)
        each = [labels == number for number in range(len(self.sizes))]
        return [mean_distance(among[one][:, one]) for one in each]

    def row(
        self,
        step: int,
        epoch: int,
        images: UInt8[Tensor, "N C H W"],
        before: UInt8[Tensor, "N C H W"] | None = None,
        players: tuple[nn.Module, nn.Module] | None = None,
        *,
        latents: Float[Tensor, "N z"] | None = None,
        copies: bool = True,
    ) -> VitalsRow:
        """A row of vitals.jsonl.

        Args:
            images: of the fixed latents, and `before`: one epoch earlier.
            players: generator and discriminator at that epoch, to be examined too.
            latents: to examine the generator with; drawn as the recipe says when absent.
            copies: whether to look for copies of training images, which takes longest.
        """
        row: Row = {"step": step, "epoch": epoch, "data_repeated": self.data_repeated}
        row |= self._of_images(images, before)
        if players is not None:
            with looking_at(*players):
                row |= self._of_networks(step, images, *players, latents=latents, copies=copies)
        return cast(VitalsRow, row)

    def _of_networks(
        self,
        step: int,
        images: UInt8[Tensor, "N C H W"],
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        latents: Float[Tensor, "N z"] | None,
        copies: bool,
    ) -> Row:
        row: Row = {}
        if self.classifier is not None:
            surest, classes = self.classifier.read(images).probabilities.max(1)
            row["classes"] = classes.masked_fill(surest < SURE, -1).tolist()
            row["data_classes"] = self.classifier.classes
            if self.asked is not None:
                sure = surest >= SURE
                row["asked"] = self.asked.tolist()
                if sure.any():
                    row["class_agreement"] = float((classes == self.asked)[sure].float().mean())
        device = next(generator.parameters()).device
        rng = stream(self.seed, "vitals", step)
        z = draw_latents(self.recipe.latent, FAKES, rng) if latents is None else latents[:FAKES]
        z = z.to(device)
        labels = None if self.asked is None else draw_classes(self.sizes, FAKES, rng).to(device)
        fakes = generate(generator, z, self.recipe.value_range, labels)
        row |= self._of_generator(generator, z, labels)
        row |= self._of_discriminator(discriminator, fakes, labels)
        if copies:
            row |= self._copied(fakes[:COMPARED])
        return row

    def _of_images(
        self, images: UInt8[Tensor, "N C H W"], before: UInt8[Tensor, "N C H W"] | None
    ) -> Row:
        points = as_points(images)
        to_real = squared_distances(points, self.points).sqrt_()  # (N, R)
        among = squared_distances(points, points).sqrt_()
        spread, distance = variety(among, to_real, self.scale)
        row: Row = {
            "real_distance": self.scale,
            "spread": spread,
            "distance": distance,
            "extreme": extreme(images),
            "real_extreme": self.real_extreme,
            "repeated": largest_share(images),
        }
        if self.nearness is not None:
            row["support"] = self.nearness.support(images)
            row["real_support"] = self.nearness.real_support
        if self.usual is not None:
            row["unlike"] = float(self.usual.unlike(images).float().mean())
        if self.real_unlike is not None:
            row["real_unlike"] = self.real_unlike
        if self.typical_nearest > 0:
            row["nearest_real"] = float(to_real.amin(1).median()) / self.typical_nearest
        if self.asked is not None:
            spreads = [
                mean_distance(among[self.asked == number][:, self.asked == number])
                / (scale or math.nan)  # where all real images of a class are alike
                for number, scale in enumerate(self.class_scales)
            ]
            row["class_spread"] = [None if math.isnan(each) else each for each in spreads]
            row["least_class_spread"] = min(
                (each for each in spreads if not math.isnan(each)), default=None
            )
        if before is not None:
            row["moved"] = float((points - as_points(before)).norm(dim=1).mean()) / self.scale
        return row

    @torch.inference_mode()
    def _of_generator(
        self,
        generator: nn.Module,
        z: Float[Tensor, "N z"],
        labels: Int64[Tensor, " N"] | None = None,
    ) -> Row:
        row: Row = {}
        size = self.recipe.training.batch_size
        if any(isinstance(m, BATCH_NORMS) for m in generator.modules()):
            parts = torch.split(torch.arange(len(z)), size)[:BATCHNORM_BATCHES]
            parts = parts[:-1] if len(parts) > 1 and len(parts[-1]) < size else parts
            low, high = self.recipe.value_range
            given = [(z[part], None if labels is None else labels[part]) for part in parts]
            sampled = [ask(generator, *each) for each in given]
            with _batch_statistics(generator):
                trained = [ask(generator, *each) for each in given]
            gaps = [
                (one - other).flatten(1).norm(dim=1) / (high - low)
                for one, other in zip(trained, sampled, strict=True)
            ]
            row["batchnorm_gap"] = float(torch.cat(gaps).mean()) / self.scale
        return row | idle_units(_hidden(generator), told(generator, z, labels), "g")

    def _copied(self, fakes: UInt8[Tensor, "N C H W"]) -> Row:
        if self.held_out is None:
            return {}
        if self.held_out_nearest is None:
            few = subset(self.held_out, 2 * COMPARED)
            self.held_out_nearest = float(nearest(few, self.training)[0].median())
        if self.held_out_nearest == 0:
            return {}
        return {"copied": float(nearest(fakes, self.training)[0].median()) / self.held_out_nearest}

    @torch.inference_mode()
    def _of_discriminator(
        self,
        discriminator: nn.Module,
        fakes: UInt8[Tensor, "N C H W"],
        labels: Int64[Tensor, " N"] | None,
    ) -> Row:
        few, low_high = FAKES // 2, self.recipe.value_range
        kinds = [
            some(self.training, self.labels, ASKED, low_high),
            some(fakes, labels, ASKED, low_high),
        ]
        if self.held_out is not None:
            kinds.append(some(self.held_out, self.held_out_labels, ASKED, low_high))
        logits = self._asked(discriminator, kinds)
        probabilistic = expected(self.recipe.loss).probabilistic
        prefix = "d" if probabilistic else "score"
        row: Row = {
            f"{prefix}_{name}": float((said.sigmoid() if probabilistic else said).mean())
            for name, said in zip(("training", "generated", "held_out"), logits, strict=False)
        }
        training = logits[0]
        if self.held_out is not None:
            row["d_knows"] = above(training, logits[2])
        both = kinds[0][:few] + kinds[1][:few]
        seen = told(discriminator, both.images, both.labels)
        return row | idle_units(_hidden(discriminator), seen, "d")

    def _asked(self, discriminator: nn.Module, kinds: Sequence[Batch]) -> list[Float[Tensor, " N"]]:
        """What it says of images of each kind: of all in one pass, or of batches as in training
        where an image's batch matters."""
        if judges_rows_apart(discriminator):
            together = functools.reduce(operator.add, kinds)
            logits = says(discriminator, together).logits
            return list(torch.split(logits, [len(kind) for kind in kinds]))
        size = self.recipe.training.batch_size
        return [
            torch.cat(
                [
                    says(discriminator, kind[start : start + size]).logits
                    for start in range(0, len(kind), size)
                ]
            )
            for kind in kinds
        ]


@contextmanager
def _batch_statistics(network: nn.Module) -> Iterator[None]:
    """A network in eval mode whose BatchNorm uses its batches' statistics, as in training; their
    running ones, which that moves, are set back."""
    norms = [module for module in network.modules() if isinstance(module, BATCH_NORMS)]
    before = [(buffer, buffer.clone()) for norm in norms for buffer in norm.buffers()]
    for norm in norms:
        norm.training = True
    try:
        yield
    finally:
        for norm in norms:
            norm.training = False
        for buffer, value in before:
            buffer.copy_(value)


def _hidden(network: nn.Module) -> nn.Sequential:
    """What a network of ours has before its last layer; none of another network."""
    hidden = getattr(within(network), "hidden", None)
    return hidden if isinstance(hidden, nn.Sequential) else nn.Sequential()


def _held_out(run: Run, everything: data.ImageData, trained_on: int) -> data.ImageData | None:
    """Real images that the run does not train on: those left of its data, or the test split."""
    if len(everything) - trained_on >= ASKED:
        labels = None if everything.labels is None else everything.labels[trained_on:]
        return replace(everything, images=everything.images[trained_on:], labels=labels)
    try:
        return run.load_data("test")
    except CounterfeitError:
        return None


def _classifier(run: Run, everything: data.ImageData) -> Classifier | None:
    """The data's classifier, if it need not be trained first."""
    if everything.labels is None:
        return None
    return kept_classifier(everything, data.data_folder(run.data_dir) / "classifiers")
