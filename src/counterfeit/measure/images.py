"""All metrics of one set of samples, on fixed protocols, under names that say which."""

from dataclasses import dataclass

from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from counterfeit.data import classes_of
from counterfeit.errors import UsageError
from counterfeit.language import english
from counterfeit.measure.classifier import Reading
from counterfeit.measure.conditions import class_accuracy, intra_fid
from counterfeit.measure.distances import fid, kid
from counterfeit.measure.likeness import unlike
from counterfeit.measure.manifold import prdc
from counterfeit.measure.measurement import LEAST_SAMPLES, Measurement, require_count
from counterfeit.measure.memorisation import LEAST_HELD_OUT, memorisation
from counterfeit.measure.modes import inception_score, mode_coverage
from counterfeit.measure.names import (
    DISTANCES,
    LOOKS,
    MANIFOLD,
    NEAREST,
    OTHER,
    MetricName,
    images_of,
)
from counterfeit.measure.pairs import as_points, nearest
from counterfeit.measure.parzen import parzen
from counterfeit.measure.reference import NEAREST_IMAGES, Progress, Reference, subset
from counterfeit.measure.support import LEAST_IMAGES, support_size
from counterfeit.run.rows import LeftOut, Measurements

MANIFOLD_IMAGES = 5_000
"""Samples, and as many reference images, for precision, recall, density and coverage."""


@dataclass(frozen=True)
class Measured:
    """What was measured of a set of images, and what could not be."""

    metrics: Measurements
    """By the metrics' full names; see `names`."""
    left_out: tuple[LeftOut, ...]
    """The metrics that are missing, in groups, and why."""

    def __or__(self, other: "Measured") -> "Measured":
        return Measured(self.metrics | other.metrics, self.left_out + other.left_out)


def measure_images(
    samples: UInt8[Tensor, "N C H W"],
    reference: Reference,
    *,
    asked: Int64[Tensor, " N"] | None = None,
    brief: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Measured:
    """Every metric that the samples and the reference allow.

    FID, KID, classes and Parzen take all samples and all of `reference.images`; precision, recall,
    density and coverage 5,000 of each; the nearest training images are looked for of 1,000 of each,
    which say how many different images there are and how many look like no real one, too.
    Where that is fewer than there are, they are a random subset, always the same.

    Args:
        samples: of the shape of the reference's images; the paper's protocol takes 10,000.
        asked: the number of each sample's class, where it was asked for.
        brief: only FID, precision to coverage and the classes, which cost least; all the same
            where there are no features.
        progress: called with a stage's name and the share of the whole that is done.

    Raises:
        UsageError: samples of another shape than the reference's, or fewer than 40.
    """
    require_count(samples, LEAST_SAMPLES, "samples")
    return _measure(samples, asked, subset(samples, NEAREST_IMAGES), reference, brief, progress)


def measure_real(
    reference: Reference,
    count: int,
    *,
    brief: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Measured:
    """Real images as if they were samples, `count` or as many as can be spared: the ceiling.

    The nearest training images are looked for of other ones, `reference.unseen`, since a training
    image is its own nearest.
    """
    none = reference.images[:0]
    real = none if reference.real is None else reference.real
    unseen = none if reference.unseen is None else reference.unseen
    if len(real) < LEAST_SAMPLES:
        line = missing(("all metrics",), len(real), LEAST_SAMPLES, english("real images"))
        return Measured({}, (line,))
    few = subset(unseen, min(count, NEAREST_IMAGES))
    classes = reference.real_classes
    asked = None if classes is None else subset(classes, count)
    return _measure(subset(real, count), asked, few, reference, brief, progress)


def _measure(
    samples: UInt8[Tensor, "N C H W"],
    asked: Int64[Tensor, " N"] | None,
    few: UInt8[Tensor, "n C H W"],
    reference: Reference,
    brief: bool,
    progress: Progress,
) -> Measured:
    """See `measure_images`; the nearest training images are looked for of `few`."""
    if samples.shape[1:] != reference.images.shape[1:]:
        raise UsageError(
            f"samples of shape {tuple(samples.shape[1:])} cannot be measured against images of"
            f" shape {tuple(reference.images.shape[1:])}"
        )
    if brief and (reference.classifier or reference.extractors):
        seen = _by_readers(samples, asked, reference, brief, progress)
        return Measured({}, reference.left_out) | seen
    return (
        Measured({}, reference.left_out)
        | _by_readers(samples, asked, reference, brief, progress)
        | _by_looks(subset(samples, NEAREST_IMAGES), reference)
        | _by_nearest(few, reference, progress)
        | _by_parzen(samples, reference, progress)
    )


def _by_readers(
    samples: UInt8[Tensor, "N C H W"],
    asked: Int64[Tensor, " N"] | None,
    reference: Reference,
    brief: bool,
    progress: Progress,
) -> Measured:
    """What the classifier says, and all that read features."""
    classes: Measurements = {}
    of_asked = Measured({}, ())
    read = []  # a reader's name, with the features of samples and of the reference
    progress(english("reading images"), 0)
    if reference.classifier and reference.reading:
        name = reference.classifier.name
        reading = reference.classifier.read(
            samples, progress=lambda done: progress(english("reading images"), 0.1 + 0.15 * done)
        )
        read.append((name, reading.features, reference.reading.features))
        of_classes = {"inception_score": inception_score(reading.probabilities)}
        if reference.labels is not None:
            of_classes |= mode_coverage(reading.probabilities, reference.labels)
        for metric, value in of_classes.items():
            classes[str(MetricName(metric, name, None, len(samples)))] = value
        if asked is not None:
            of_asked = _by_asked(reading, asked, reference, name, brief)
    for extractor, real in zip(reference.extractors, reference.extracted, strict=True):
        seen = extractor.read(
            samples, progress=lambda done: progress(english("reading images"), 0.25 + 0.1 * done)
        )
        read.append((extractor.name, seen, real))
    if not read:
        return Measured({}, ())
    of_features = english("FID, precision and recall")
    progress(of_features if brief else english("FID, KID, precision and recall"), 0.35)
    compared = [compare_features(*each, reference.split, brief=brief) for each in read]
    metrics = {name: value for part in compared for name, value in part.metrics.items()}
    return Measured(metrics | classes, compared[0].left_out) | of_asked


def _by_asked(
    reading: Reading, asked: Int64[Tensor, " N"], reference: Reference, name: str, brief: bool
) -> Measured:
    """Whether the classifier of that name sees the classes that were asked for; unless it is to be
    brief, also how far those are from real images."""
    count = len(asked)
    if reference.labels is None:
        return Measured({}, ())
    accuracies = class_accuracy(reading.classes, asked, classes_of(reference.labels).labels)
    measured = Measured(
        {str(MetricName(each, name, None, count)): accuracies[each] for each in accuracies}, ()
    )
    if brief or reference.reading is None or reference.image_classes is None:
        return measured
    within = intra_fid(reading.features, asked, reference.reading.features, reference.image_classes)
    if within is None:
        few = english(
            "{least} samples and 2 {what} of each class are needed",
            least=str(LEAST_SAMPLES),
            what=images_of(reference.split),
        )
        return measured | Measured({}, (LeftOut(("intra_fid",), few),))
    return measured | Measured(
        {str(MetricName("intra_fid", name, reference.split, count)): within}, ()
    )


def compare_features(
    name: str,
    samples: Float[Tensor, "N F"],
    real: Float[Tensor, "M F"],
    split: str,
    *,
    brief: bool = False,
) -> Measured:
    """FID, KID and precision to coverage of the features of that name, as far as there are images.

    FID and KID take 2 real images; the others as many of each kind, and 40 at least.

    Args:
        brief: without KID.
    """
    count, of_each = len(samples), min(MANIFOLD_IMAGES, len(samples), len(real))
    metrics, left_out = {}, []
    if len(real) >= 2:
        metrics[str(MetricName("fid", name, split, count))] = fid(samples, real)
        if not brief:
            metrics[str(MetricName("kid", name, split, count))] = kid(samples, real)
    else:
        distances = DISTANCES[:1] if brief else DISTANCES
        left_out.append(missing(distances, len(real), 2, images_of(split)))
    if of_each >= LEAST_SAMPLES:
        neighbours = prdc(subset(samples, of_each), subset(real, of_each))
        for metric, value in neighbours.items():
            metrics[str(MetricName(metric, name, split, of_each))] = value
    else:
        left_out.append(missing(MANIFOLD, of_each, LEAST_SAMPLES, images_of(split)))
    return Measured(metrics, tuple(left_out))


def _by_looks(few: UInt8[Tensor, "n C H W"], reference: Reference) -> Measured:
    """How many different images these are, and how many look like no real one."""
    nearness, usual, split = reference.nearness, reference.usual, reference.split
    if nearness is None or usual is None:
        there = len(reference.images)
        return Measured({}, (missing(LOOKS, there, LEAST_IMAGES, images_of(split)),))
    found = {"support_size": support_size(few, nearness), "unlike": unlike(few, usual)}
    return Measured(
        {str(MetricName(metric, None, split, len(few))): found[metric] for metric in LOOKS}, ()
    )


def _by_nearest(
    few: UInt8[Tensor, "n C H W"], reference: Reference, progress: Progress
) -> Measured:
    """How near the images are to the training set, against held-out ones."""
    split = reference.split
    training, compared = reference.training, reference.compared
    if training is None:
        return Measured({}, (none_held_out(NEAREST, split),))
    if len(few) < LEAST_SAMPLES:
        what = english("real images neither trained on nor compared with")
        return Measured({}, (missing(NEAREST, len(few), LEAST_SAMPLES, what),))
    if len(compared) < 2:
        return Measured({}, (missing(NEAREST, len(compared), 2, images_of(split)),))
    held_out = reference.nearest
    if held_out is None or held_out.median() == 0:
        why = english("most {images} are training images as well", images=images_of(split))
        return Measured({}, (LeftOut(NEAREST, why),))
    distances, _ = nearest(
        few,
        training,
        progress=lambda done: progress(english("nearest training images"), 0.5 + 0.2 * done),
    )
    classes = held_out_classes = None
    if reference.classifier and reference.reading:
        classes = reference.classifier.read(few).classes
        held_out_classes = subset(reference.reading.classes, NEAREST_IMAGES)
    copying = memorisation(distances, held_out, classes, held_out_classes)
    left_out = []
    if "copies" not in copying:
        left_out.append(missing(("copies",), len(held_out), LEAST_HELD_OUT, images_of(split)))
    return Measured(
        {str(MetricName(metric, None, split, len(few))): copying[metric] for metric in copying},
        tuple(left_out),
    )


def _by_parzen(
    samples: UInt8[Tensor, "N C H W"], reference: Reference, progress: Progress
) -> Measured:
    images, validation, split = reference.images, reference.validation, reference.split
    if len(images) < 2:
        return Measured({}, (missing(("parzen",), len(images), 2, images_of(split)),))
    if not len(validation):
        return Measured({}, (missing(("parzen",), 0, 1, english("validation images")),))
    window = parzen(
        as_points(samples),
        as_points(validation),
        as_points(images),
        progress=lambda done: progress(english("Parzen window"), 0.7 + 0.3 * done),
    )
    likelihood, sigma = (
        MetricName("parzen", None, split, len(samples)),
        MetricName("parzen_sigma", None, None, len(samples)),
    )
    return Measured(
        {str(likelihood): window.log_likelihood, str(sigma): Measurement(window.sigma, None)}, ()
    )


def missing(metrics: tuple[str, ...], there: int, least: int, what: str) -> LeftOut:
    """What cannot be measured for want of images."""
    why = english(
        "{least} {what} are needed, and there are {there}",
        least=f"{least:,}",
        what=what,
        there=f"{there:,}",
    )
    return LeftOut(metrics, why)


def none_held_out(metrics: tuple[str, ...], split: str) -> LeftOut:
    """What cannot be measured as the images to compare with were trained on."""
    why = english("the {images} were trained on; none are held out", images=images_of(split))
    if split == OTHER:
        why = english("what the images were trained on is not known")
    return LeftOut(metrics, why)
