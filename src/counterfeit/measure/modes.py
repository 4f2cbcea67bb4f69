"""Which classes the samples belong to, in the eyes of a classifier, and how surely."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from counterfeit.data import classes_of
from counterfeit.errors import UsageError
from counterfeit.measure.measurement import (
    LEAST_SAMPLES,
    Measurement,
    all_then_without_each,
    jackknife,
    mean,
    require_count,
    require_finite,
)

SURE = 0.9
"""A classifier is unsure of a sample when its highest probability is below this."""

FOUND = 0.1
"""A class is found when its share is at least this much of its share in the data."""


def mode_coverage(
    probabilities: Float[Tensor, "N classes"], labels: Int64[Tensor, " M"]
) -> dict[str, Measurement]:
    """How the samples' classes are distributed, against the data's labels.

    - classes_found: classes that hold a tenth or more of their share in the data, counting only the
      samples that the classifier is sure of.
    - class_tv: total variation, half the sum of `|p - q|`: the share of samples in excess classes.
    - class_kl: Kullback-Leibler divergence of samples from data, sum of p log(p / q), in nats.
    - unsure: the share of samples whose most probable class has a probability below 0.9.
    - share_0, share_1, ...: each label's share of the samples, p.

    Source: Che et al. 2017 (arXiv 1612.02136) and Metz et al. 2017 (arXiv 1611.02163) for counting
    the classes that a classifier sees and for the divergence; the thresholds are this project's.

    Args:
        probabilities: of the classes, in the order of their labels.
        labels: of the data: as many different ones as there are classes, whatever their values.

    Raises:
        UsageError: fewer than 40 samples, or more or fewer labels than classes.
        CounterfeitError: a probability is not finite.
    """
    _check(probabilities)
    classes = probabilities.shape[1]
    values, _, counts = classes_of(labels)
    if len(values) != classes:
        raise UsageError(
            f"the classifier tells {classes} classes apart, and the data's labels are"
            f" {values.tolist()}"
        )
    q = counts.double() / counts.sum()
    top, predicted = probabilities.max(1)
    member = torch.nn.functional.one_hot(predicted, classes).double()  # (N, classes)
    weights = all_then_without_each(len(probabilities))  # (1 + groups, N)
    p = weights @ member  # (1 + groups, classes)
    sure = weights @ (member * (top >= SURE).unsqueeze(1))
    measurements = {
        "classes_found": jackknife((sure >= FOUND * q).sum(1)),
        "class_tv": jackknife((p - q).abs().sum(1) / 2),
        "class_kl": jackknife(torch.special.xlogy(p, p / q).sum(1)),
        "unsure": mean(top < SURE),
    }
    return measurements | {
        f"share_{label}": mean(member[:, c]) for c, label in enumerate(values.tolist())
    }


def inception_score(probabilities: Float[Tensor, "N classes"]) -> Measurement:
    """exp of the mean divergence of p(y|x) from p(y): from 1 to the number of classes.

    High when each sample is surely of one class and the classes are equally many. It never sees
    the data, and one perfect image of each class gets the full score. All samples at once, without
    the usual ten splits.

    Source: Salimans et al. 2016 (arXiv 1606.03498), section 4.

    Raises:
        UsageError: fewer than 40 samples.
        CounterfeitError: a probability is not finite.
    """
    _check(probabilities)
    p = probabilities.double()
    weights = all_then_without_each(len(p))
    marginal = weights @ p  # (1 + groups, classes)
    entropy = -torch.special.xlogy(p, p).sum(1)  # (N,)
    marginal_entropy = -torch.special.xlogy(marginal, marginal).sum(1)
    return jackknife((marginal_entropy - weights @ entropy).exp())


def _check(probabilities: Float[Tensor, "N classes"]) -> None:
    require_count(probabilities, LEAST_SAMPLES, "samples")
    require_finite(probabilities, "samples' probabilities")
