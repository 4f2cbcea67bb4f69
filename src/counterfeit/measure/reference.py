"""What a run's samples are compared with: the real images, split by split, and what reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch
from jaxtyping import Float, Int64, Shaped, UInt8
from torch import Tensor

from counterfeit import arguments, data
from counterfeit.data import classes_of
from counterfeit.errors import UsageError
from counterfeit.game.inputs import Batch
from counterfeit.language import english
from counterfeit.measure.classifier import Classifier, Reading
from counterfeit.measure.inception import WEIGHTS, Inception
from counterfeit.measure.likeness import Usual
from counterfeit.measure.names import DISTANCES, MANIFOLD, OF_CLASSES
from counterfeit.measure.pairs import nearest
from counterfeit.measure.rotnet import kept_rotnet, rotnet_for
from counterfeit.measure.support import Nearness
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from counterfeit.run.rows import LeftOut
from counterfeit.seeds import stream

HeldOut = Literal["test", "validation"]
"""The splits to measure against: a checkpoint is chosen on `validation`, and reported on `test`."""

NEAREST_IMAGES = 1_000
"""Samples, and as many reference images, whose nearest training image is looked for."""

Progress = Callable[[str, float], None]
"""Is told what is being done, and the share of the whole that is done."""


class Extractor(Protocol):
    """What reads features for FID, KID and precision to coverage without any labels."""

    @property
    def name(self) -> str:
        """That the metrics' names say it by; a hyphen in it, and no underscore."""

    def read(
        self, images: UInt8[Tensor, "N C H W"], *, progress: Callable[[float], None] = ...
    ) -> Float[Tensor, "N F"]: ...


@dataclass(frozen=True, eq=False)
class Reference:
    """Real images to measure samples against; they are read once, for any number of samples."""

    split: str
    """`test`, or `validation` where a checkpoint is chosen by the result; or `OTHER`."""
    images: UInt8[Tensor, "M C H W"]
    validation: UInt8[Tensor, "V C H W"]
    """The first 1,000 choose Parzen's bandwidth."""
    training: UInt8[Tensor, "T C H W"] | None = None
    """What the generator was trained on. None where that holds `images`, as for a run on all of
    MNIST's training images that is validated on some of them: then nothing is held out, and there
    are no memorisation metrics."""
    labels: Int64[Tensor, " L"] | None = None
    """Of the data's training split; its class distribution is the one to reach."""
    classifier: Classifier | None = None
    """None for data without two classes: what needs classes or features then cannot be had."""
    extractors: tuple[Extractor, ...] = ()
    """Of features that need no labels, beside the classifier or in its place."""
    real: UInt8[Tensor, "R C H W"] | None = None
    """Real images to be measured as if they were samples: none of `images` or `validation`, as
    Parzen's bandwidth would shrink to fit its own copies."""
    unseen: UInt8[Tensor, "U C H W"] | None = None
    """The same for the memorisation metrics: none of `training` or `compared`."""
    left_out: tuple[LeftOut, ...] = ()
    """What cannot be had for want of a classifier, and why; see `images.Measured`."""
    training_classes: Int64[Tensor, " T"] | None = None
    """The number of each training image's class, where the networks are told; `image_classes`
    and `real_classes` likewise."""
    image_classes: Int64[Tensor, " M"] | None = None
    real_classes: Int64[Tensor, " R"] | None = None

    @cached_property
    def reading(self) -> Reading | None:
        """What the classifier says of `images`."""
        return self.classifier.read(self.images) if self.classifier else None

    @cached_property
    def extracted(self) -> tuple[Float[Tensor, "M F"], ...]:
        """The features of `images`, by each of `extractors`."""
        return tuple(each.read(self.images) for each in self.extractors)

    @cached_property
    def nearness(self) -> Nearness | None:
        """How near copies are, as `compared` say; None where these are too few."""
        return Nearness.of(self.compared)

    @cached_property
    def usual(self) -> Usual | None:
        """What is usual for the looks of `compared`; None where these are too few."""
        return Usual.of(self.compared)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of its images."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def compared(self) -> UInt8[Tensor, "n C H W"]:
        """Up to 1,000 of `images`, whose nearest training images are looked for."""
        return subset(self.images, NEAREST_IMAGES)

    @cached_property
    def nearest(self) -> Float[Tensor, " n"] | None:
        """Distances of `compared` to their nearest training images."""
        return None if self.training is None else nearest(self.compared, self.training)[0]


def reference_for(
    run: Run,
    split: HeldOut = "test",
    *,
    inception: Inception | None = None,
    rotnet: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Reference:
    """What the run's samples are measured against.

    Labelled data other than MNIST get a classifier of their own, trained on first use and kept
    beside the data sets.

    Data without labels have a RotNet's features where one is kept.

    The validation images are the last part of the data's training images (`data.splits`). A run
    that trains on some of them can still choose Parzen's bandwidth by them, but where they are what
    is measured against, nothing is held out, and the memorisation metrics are left out.

    Args:
        run: its recipe names the data.
        split: the images to measure against.
        inception: for data without labels, or beside their classifier.
        rotnet: the same of a RotNet of the data, which is trained on first use and kept there too.

    Raises:
        UsageError: another split.
        CounterfeitError: the data cannot be had, or are not those that the run was trained on.
    """
    return _reference(
        run.load_split,
        run.recipe.data.train_images,
        run.data_dir,
        split,
        inception,
        progress,
        rotnet=rotnet,
        told=bool(run.classes),
    )


def reference_of(
    name: str,
    split: HeldOut = "test",
    *,
    inception: Inception | None = None,
    rotnet: bool = False,
    data_dir: Path | None = None,
    skip_broken: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Reference:
    """What images of whatever origin are measured against: as if made by a run that was trained on
    all training images of the data of that name.

    Raises:
        UsageError, CounterfeitError: another split, or the data cannot be had.
    """

    def load(split: data.Split) -> data.ImageData:
        return data.load(name, split, data_dir, skip_broken=skip_broken)

    return _reference(load, None, data_dir, split, inception, progress, rotnet=rotnet, told=False)


def _reference(
    load: Callable[[data.Split], data.ImageData],
    train_images: int | None,
    data_dir: Path | None,
    split: HeldOut,
    inception: Inception | None,
    progress: Progress,
    *,
    rotnet: bool,
    told: bool,
) -> Reference:
    """See `reference_for`; `told` is whether the networks are told classes.

    Raises:
        UsageError: these are no images to measure against: `train`, or no split at all.
    """
    arguments.one_of("split", split, get_args(HeldOut))
    everything = load("train")

    def numbers(images: data.ImageData) -> Int64[Tensor, " N"] | None:
        return data.class_numbers(images, everything) if told else None

    candidates = everything.without_validation
    trained_on = everything.first(train_images)
    training: Tensor | None = trained_on.images
    compared = load("test") if split == "test" else everything.validation
    images = compared.images
    if split == "test":
        unused = everything.images[len(trained_on) :]
    else:
        unused = candidates.images[len(trained_on) :]
        if trained_on.held_out:
            training = None
    folder = data.data_folder(data_dir) / "classifiers"
    network = None
    if classes_in(everything) >= 2:
        network = classifier_for(
            everything,
            folder,
            progress=lambda done: progress(english("training a classifier, once"), done),
        )
    extractors: list[Extractor] = []
    if rotnet:
        training_it = english("training a network on turned images, once")
        extractors.append(
            rotnet_for(everything, folder, progress=lambda done: progress(training_it, done))
        )
    elif network is None and (kept := kept_rotnet(everything, folder)):
        extractors.append(kept)
    if inception is not None:
        extractors.append(inception)
    return Reference(
        split=split,
        images=images,
        validation=everything.validation.images,
        training=training,
        labels=everything.labels,
        training_classes=numbers(trained_on),
        image_classes=numbers(compared),
        real_classes=numbers(candidates),
        classifier=network,
        extractors=tuple(extractors),
        real=candidates.images,
        unseen=torch.cat([_next(images, NEAREST_IMAGES), subset(unused, NEAREST_IMAGES)]),
        left_out=() if network else _without_classifier(everything, bool(extractors)),
    )


def require_measurable(everything: data.ImageData) -> None:
    """Refuse, before a training, to evaluate it where nothing at all can be measured.

    Args:
        everything: the training images of its data.

    Raises:
        UsageError: there are neither two classes nor two validation images.
    """
    if classes_in(everything) < 2 and everything.held_out < 2:
        raise UsageError(
            f"{everything.name} has neither two classes nor two validation images among its"
            f" {len(everything)} training images, so nothing can be measured; train without"
            " evaluations, or add images."
        )


def classes_in(training: data.ImageData) -> int:
    return 0 if training.labels is None else len(classes_of(training.labels).labels)


def _without_classifier(training: data.ImageData, has_features: bool) -> tuple[LeftOut, ...]:
    if training.labels is None:
        why = english("{data} has no labels", data=training.name)
    else:
        why = english("{data} has one class", data=training.name)
    lines = [LeftOut(OF_CLASSES, why)]
    if not has_features:
        why = english(
            "{why}, so no classifier; --rotnet trains a network that needs none, once, in some"
            " minutes, or --inception takes Inception's weights, {weights}",
            why=why,
            weights=WEIGHTS,
        )
        lines.append(LeftOut((*DISTANCES, *MANIFOLD), why))
    return tuple(lines)


def some(
    images: UInt8[Tensor, "N C H W"],
    classes: Int64[Tensor, " N"] | None,
    count: int,
    value_range: tuple[float, float],
) -> Batch:
    """A `subset` of images as a discriminator takes them, with the numbers of their classes.

    One of a class that is not among the training images, -1, counts as of the first.
    """
    labels = None if classes is None else subset(classes, count).clamp(min=0)
    return Batch(data.as_float(subset(images, count), *value_range), labels)


def subset(values: Shaped[Tensor, "N ..."], count: int) -> Shaped[Tensor, "count ..."]:
    """`count` of N rows, drawn at random but always the same; all of them when there are fewer.

    Neither the first ones nor every n-th: MNIST's order has structure. Its first 5,000 test images
    are cleaner than its last, and every second one of its first 10,000 training images covers only
    .87 of the test images, where random ones of them cover .95.
    """
    if len(values) <= count:
        return values
    return values[torch.randperm(len(values), generator=stream(0, "subset"))[:count]]


def _next(values: Shaped[Tensor, "N ..."], count: int) -> Shaped[Tensor, "n ..."]:
    """Up to `count` rows that `subset` does not take."""
    if len(values) <= count:
        return values[:0]
    order = torch.randperm(len(values), generator=stream(0, "subset"))
    return values[order[count : 2 * count]]
