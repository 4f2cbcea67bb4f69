"""What a run's samples are compared with: the real images, split by split, and what reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float, Int64, Shaped, UInt8
from torch import Tensor

from counterfeit import data
from counterfeit.errors import UsageError
from counterfeit.measure.classifier import Classifier, Reading
from counterfeit.measure.inception import Inception
from counterfeit.measure.pairs import nearest
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from counterfeit.seeds import stream

NEAREST_IMAGES = 1_000
"""Samples, and as many reference images, whose nearest training image is looked for."""

Progress = Callable[[str, float], None]
"""Is told what is being done, and the share of the whole that is done."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Real images to measure samples against; they are read once, for any number of samples."""

    split: str
    """`test`, or `validation` where a checkpoint is chosen by the result."""
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
    """None for data without labels: what needs classes or features then cannot be had."""
    inception: Inception | None = None
    """Features for FID, KID and precision to coverage that need no labels."""

    @cached_property
    def reading(self) -> Reading | None:
        """What the classifier says of `images`."""
        return self.classifier.read(self.images) if self.classifier else None

    @cached_property
    def inception_features(self) -> Float[Tensor, "M 2048"] | None:
        """What Inception sees in `images`."""
        return self.inception.read(self.images) if self.inception else None

    @cached_property
    def nearest(self) -> Float[Tensor, " n"] | None:
        """Distances of up to 1,000 of `images` to their nearest training images."""
        if self.training is None:
            return None
        return nearest(subset(self.images, NEAREST_IMAGES), self.training)[0]


def reference_for(
    run: Run,
    split: Literal["test", "validation"] = "test",
    *,
    inception: Inception | None = None,
    progress: Progress = lambda stage, done: None,
) -> Reference:
    """What the run's samples are measured against.

    Labelled data other than MNIST get a classifier of their own, trained on first use and kept
    beside the data sets.

    The validation images are the last part of the data's training images (`data.splits`). A run
    that trains on some of them can still choose Parzen's bandwidth by them, but where they are what
    is measured against, nothing is held out, and the memorisation metrics are left out.

    Args:
        run: its recipe names the data.
        split: the images to measure against.
        inception: for data without labels, or beside their classifier.

    Raises:
        CounterfeitError: the data cannot be had.
    """
    folder = run.data_dir
    everything = data.load(run.recipe.data.name, "train", data_dir=folder)
    trained_on = everything.first(run.recipe.data.train_images)
    validation = everything.validation.images
    if split == "validation":
        images = validation
        training = None if trained_on.held_out else trained_on.images
    else:
        images = data.load(run.recipe.data.name, "test", data_dir=folder).images
        training = trained_on.images
    network = None
    if everything.labels is not None:
        network = classifier_for(
            everything,
            data.data_folder(folder) / "classifiers",
            progress=lambda done: progress("training a classifier, once", done),
        )
    return Reference(
        split=split,
        images=images,
        validation=validation,
        training=training,
        labels=everything.labels,
        classifier=network,
        inception=inception,
    )


def real_images(run: Run, count: int) -> UInt8[Tensor, "count C H W"]:
    """Training images, always the same random ones, to be measured as if they were samples.

    None of them is a validation image: Parzen's bandwidth would shrink to fit its own copies.

    Raises:
        UsageError: there are not so many.
    """
    everything = data.load(run.recipe.data.name, "train", data_dir=run.data_dir)
    images = everything.without_validation.images
    if count > len(images):
        raise UsageError(f"there are only {len(images):,} training images; give --samples below.")
    return subset(images, count)


def subset(values: Shaped[Tensor, "N ..."], count: int) -> Shaped[Tensor, "count ..."]:
    """`count` of N rows, drawn at random but always the same; all of them when there are fewer.

    Neither the first ones nor every n-th: MNIST's order has structure. Its first 5,000 test images
    are cleaner than its last, and every second one of its first 10,000 training images covers only
    .87 of the test images, where random ones of them cover .95.
    """
    if len(values) <= count:
        return values
    return values[torch.randperm(len(values), generator=stream(0, "subset"))[:count]]
