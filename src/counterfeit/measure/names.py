"""A metric's name, which says how it was measured: `metric_features_split_count`.

Parts that do not apply are left out. `fid_mnist-v1-0123abcd_test_10k` compares the classifier's
features of 10,000 samples with those of the whole test split; `parzen_validation_10k` needs no
features. Two numbers of one name are of one kind and can be compared.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from counterfeit.language import english, translated
from counterfeit.run.rows import LeftOut

T = TypeVar("T")

ROTNET = "-rotnet"
"""What the names of a RotNet's features have after the data's: `emoji-rotnet-v1-0123abcd`."""

OTHER = "other"
"""The split of images that are compared with and are none of the data's."""

SHORT = {
    "fid": english("FID"),
    "kid": english("KID"),
    "inception_score": english("Inception score"),
    "classes_found": english("classes found"),
    "class_tv": english("total variation"),
    "class_kl": english("KL divergence"),
    "unsure": english("unsure samples"),
    "share": english("share of each class"),
    "support_size": english("different images"),
    "unlike": english("unlike any real"),
    "class_accuracy": english("class accuracy"),
    "intra_fid": english("FID within classes"),
    "nearest_ratio": english("nearest ratio"),
    "nearest_p": english("nearest p-value"),
    "copies": english("copies"),
    "d_accuracy_training": english("D right on training"),
    "d_accuracy_held_out": english("D right on held-out"),
    "d_accuracy_generated": english("D right on samples"),
    "parzen": english("Parzen in nats"),
    "parzen_sigma": english("Parzen bandwidth"),
    "all metrics": english("all metrics"),
    "precision": english("precision"),
    "recall": english("recall"),
    "density": english("density"),
    "coverage": english("coverage"),
}
"""What metrics are called where the protocol is said elsewhere; others by their own name."""

OF_CLASSES = ("inception_score", "classes_found", "class_tv", "class_kl", "unsure", "share")
DISTANCES = ("fid", "kid")
MANIFOLD = ("precision", "recall", "density", "coverage")
LOOKS = ("support_size", "unlike")
NEAREST = ("nearest_ratio", "nearest_p", "copies")
ACCURACIES = ("d_accuracy_training", "d_accuracy_held_out", "d_accuracy_generated")
"""Metrics that are measured together, or not at all."""

_NAME = re.compile(
    r"(?P<metric>.+?)(?:_(?P<features>[^_]*-[^_]*))?"
    rf"(?:_(?P<split>test|validation|{OTHER}))?"
    r"_(?P<count>[0-9]+k?)",
    re.DOTALL,
)
_WHICH = re.compile(r"-v[0-9]+-[0-9a-f]+$")
"""The version and checksum that features end in; a data set may be called `two-views`."""
_OF_CLASS = re.compile(r"(share|class_accuracy)_([0-9]+)")


@dataclass(frozen=True)
class MetricName:
    """The parts of a name. `str` puts them together, `parse` takes them apart."""

    metric: str
    """`fid`, `nearest_ratio`, `share_3`, …: no hyphen in it, but underscores."""
    features: str | None = None
    """What read the images: `mnist-v1-0123abcd`. A hyphen in it, and no underscore."""
    split: str | None = None
    """The images compared with: `test`, `validation`, or `OTHER` ones than the data's."""
    count: int | None = None
    """How many samples; a multiple of 1,000 is written with a k."""

    @classmethod
    def parse(cls, text: str) -> "MetricName":
        """The name whose `str` is `text`; one that is not of this form is all `metric`."""
        if found := _NAME.fullmatch(text):
            count = int(found["count"].replace("k", "000"))
            name = cls(found["metric"], found["features"], found["split"], count)
            if str(name) == text:
                return name
        return cls(text)

    def __str__(self) -> str:
        images = None
        if self.count is not None:
            thousands, rest = divmod(self.count, 1000)
            images = str(self.count) if rest else f"{thousands}k"
        return "_".join(part for part in (self.metric, self.features, self.split, images) if part)

    @property
    def short(self) -> str:
        """What it is called where the protocol is said elsewhere."""
        return SHORT.get(self.metric, self.metric.replace("_", " "))

    @property
    def reader(self) -> str:
        """What read the images, without its version and checksum: `MNIST classifier`."""
        if not self.features:
            return ""
        if self.kind == "inception":
            return "Inception"
        data = _WHICH.sub("", self.features).removesuffix(ROTNET)
        shown = "MNIST" if data == "mnist" else data.replace("-", " ").capitalize()
        if self.kind == "rotnet":
            return english("{data} RotNet", data=shown)
        return english("{data} classifier", data=shown)

    @property
    def kind(self) -> Literal["classifier", "rotnet", "inception"] | None:
        """Of what read the images; None where nothing did."""
        if not self.features:
            return None
        read = _WHICH.sub("", self.features)
        if read == "inception":
            return "inception"
        return "rotnet" if read.endswith(ROTNET) else "classifier"

    @property
    def protocol(self) -> str:
        """All but the metric, in words."""
        return ", ".join(self.protocol_parts)

    @property
    def protocol_parts(self) -> list[str]:
        """How many samples, which images, and what read them, as far as that applies."""
        samples = english("{count} samples", count=f"{self.count:,}") if self.count else ""
        images = images_of(self.split) if self.split else ""
        return [part for part in (samples, images, self.reader) if part]

    @property
    def of_class(self) -> int | None:
        """The label of the one class that it is about: 3 for `share_3` or `class_accuracy_3`."""
        found = _OF_CLASS.fullmatch(self.metric)
        return int(found[2]) if found else None


def named(metric: str, names: Iterable[str], features: str | None = None) -> str | None:
    """The first of the names that is of that metric, and of those features if any are given."""
    for text in names:
        name = MetricName.parse(text)
        if name.metric == metric and features in (None, name.features):
            return text
    return None


def main_features(names: Iterable[str]) -> str | None:
    """What read the images for the first of the names that tells; the classifier where there is
    one."""
    return next((each for name in names if (each := MetricName.parse(name).features)), None)


def like(asked: str, names: Iterable[str]) -> str | None:
    """The name itself if it is there; else that of the same protocol but for how many images.

    Of several, the one of the most images. This is how a ceiling is found where there are fewer
    real images than samples.
    """
    there = set(names)
    if asked in there:
        return asked
    wanted = MetricName.parse(asked)
    parsed = [MetricName.parse(each) for each in there]
    alike = [each for each in parsed if each.count and replace(each, count=wanted.count) == wanted]
    most = max(alike, key=lambda each: each.count or 0, default=None)
    return None if most is None else str(most)


def left_out_line(left_out: LeftOut) -> str:
    """`FID, KID: 2 test images are needed, and there is 1`."""
    metrics = ", ".join(translated(MetricName(each).short) for each in left_out.metrics)
    return f"{metrics}: {translated(left_out.why)}"


def images_of(split: str) -> str:
    """The images of a split, in words."""
    if split == OTHER:
        return english("images compared with")
    return english("test images") if split == "test" else english("validation images")


def class_shares(metrics: Mapping[str, T]) -> dict[MetricName, T]:
    """Of metrics by name, each class's share of the samples, in order, as far as counted.

    Where several protocols counted them, by the first.
    """
    return _by_class("share", metrics)


def class_accuracies(metrics: Mapping[str, T]) -> dict[MetricName, T]:
    """The same of how often each class is seen where it was asked for."""
    return _by_class("class_accuracy", metrics)


def _by_class(metric: str, metrics: Mapping[str, T]) -> dict[MetricName, T]:
    names = {name: MetricName.parse(name) for name in metrics}
    of_classes = {
        text: name
        for text, name in names.items()
        if name.of_class is not None and name.metric == f"{metric}_{name.of_class}"
    }
    protocols = [replace(name, metric=metric) for name in of_classes.values()]
    return {
        name: metrics[text]
        for (text, name), protocol in zip(of_classes.items(), protocols, strict=True)
        if protocol == protocols[0]
    }
