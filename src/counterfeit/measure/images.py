"""All metrics of one set of samples, on fixed protocols, under names that say which."""

from jaxtyping import Float, UInt8
from torch import Tensor

from counterfeit.errors import UsageError
from counterfeit.measure.distances import fid, kid
from counterfeit.measure.manifold import prdc
from counterfeit.measure.measurement import LEAST_SAMPLES, Measurement, require_count
from counterfeit.measure.memorisation import memorisation
from counterfeit.measure.modes import inception_score, mode_coverage
from counterfeit.measure.names import MetricName
from counterfeit.measure.pairs import as_points, nearest
from counterfeit.measure.parzen import parzen
from counterfeit.measure.reference import NEAREST_IMAGES, Progress, Reference, subset

MANIFOLD_IMAGES = 5_000
"""Samples, and as many reference images, for precision, recall, density and coverage."""


def measure_images(
    samples: UInt8[Tensor, "N C H W"],
    reference: Reference,
    *,
    progress: Progress = lambda stage, done: None,
) -> dict[str, Measurement]:
    """Every metric that the reference allows, by its full name.

    FID, KID, classes and Parzen take all samples and all of `reference.images`; precision, recall,
    density and coverage 5,000 of each; the nearest training images are looked for of 1,000 of each.
    Where that is fewer than there are, they are a random subset, always the same.

    Args:
        samples: of the shape of the reference's images; the paper's protocol takes 10,000.
        progress: called with a stage's name and the share of the whole that is done.

    Raises:
        UsageError: samples of another shape than the reference's, or fewer than 40 of either.
    """
    if samples.shape[1:] != reference.images.shape[1:]:
        raise UsageError(
            f"samples of shape {tuple(samples.shape[1:])} cannot be measured against images of"
            f" shape {tuple(reference.images.shape[1:])}"
        )
    require_count(samples, LEAST_SAMPLES, "samples")
    require_count(reference.images, LEAST_SAMPLES, f"{reference.split} images")
    split, count, few = reference.split, len(samples), min(NEAREST_IMAGES, len(samples))

    measured: dict[str, Measurement] = {}
    read = real = None
    progress("reading images", 0)
    if reference.classifier:
        real = reference.reading
        read = reference.classifier.read(
            samples, progress=lambda done: progress("reading images", 0.1 + 0.15 * done)
        )
    if reference.classifier and read and real:
        features = reference.classifier.name
        progress("FID, KID, precision and recall", 0.25)
        measured |= compare_features(features, read.features, real.features, split)
        score = inception_score(read.probabilities)
        measured[str(MetricName("inception_score", features, None, count))] = score
        if reference.labels is not None:
            for metric, value in mode_coverage(read.probabilities, reference.labels).items():
                measured[str(MetricName(metric, features, None, count))] = value

    if reference.inception and reference.inception_features is not None:
        seen = reference.inception.read(
            samples, progress=lambda done: progress("Inception", 0.4 + 0.1 * done)
        )
        measured |= compare_features(
            reference.inception.name, seen, reference.inception_features, split
        )

    if reference.training is not None and reference.nearest is not None:
        distances, _ = nearest(
            subset(samples, few),
            reference.training,
            progress=lambda done: progress("nearest training images", 0.5 + 0.2 * done),
        )
        copying = memorisation(
            distances,
            reference.nearest,
            subset(read.classes, few) if read else None,
            subset(real.classes, NEAREST_IMAGES) if real else None,
        )
        for metric, value in copying.items():
            measured[str(MetricName(metric, None, split, few))] = value

    window = parzen(
        as_points(samples),
        as_points(reference.validation),
        as_points(reference.images),
        progress=lambda done: progress("Parzen window", 0.7 + 0.3 * done),
    )
    measured[str(MetricName("parzen", None, split, count))] = window.log_likelihood
    measured[str(MetricName("parzen_sigma", None, None, count))] = Measurement(window.sigma, None)
    return measured


def compare_features(
    name: str, samples: Float[Tensor, "N F"], real: Float[Tensor, "M F"], split: str
) -> dict[str, Measurement]:
    """FID, KID and precision to coverage of the features of that name."""
    measured = {
        str(MetricName("fid", name, split, len(samples))): fid(samples, real),
        str(MetricName("kid", name, split, len(samples))): kid(samples, real),
    }
    of_each = min(MANIFOLD_IMAGES, len(samples), len(real))
    neighbours = prdc(subset(samples, of_each), subset(real, of_each))
    return measured | {
        str(MetricName(metric, name, split, of_each)): value for metric, value in neighbours.items()
    }
