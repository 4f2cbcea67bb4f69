"""Whether images of a class that was asked for are of that class, and how good each class is."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from counterfeit.measure.distances import fid
from counterfeit.measure.measurement import LEAST_SAMPLES, Measurement, mean


def class_accuracy(
    seen: Int64[Tensor, " N"], asked: Int64[Tensor, " N"], names: Int64[Tensor, " classes"]
) -> dict[str, Measurement]:
    """How often a classifier sees in a sample the class that was asked for.

    `class_accuracy` is that share of all samples, and `class_accuracy_0`, `class_accuracy_1`, …
    that of those of each class, where there are two or more.

    Source: Odena et al. 2017 (arXiv 1610.09585), section 4.1, with a classifier of real images.

    Args:
        seen, asked: numbers of classes.
        names: the labels of the classes, by number.
    """
    right = seen == asked
    measured = {"class_accuracy": mean(right)}
    for number, label in enumerate(names.tolist()):
        of_class = right[asked == number]
        if len(of_class) >= 2:
            measured[f"class_accuracy_{label}"] = mean(of_class)
    return measured


def intra_fid(
    samples: Float[Tensor, "N F"],
    asked: Int64[Tensor, " N"],
    reference: Float[Tensor, "M F"],
    labels: Int64[Tensor, " M"],
) -> Measurement | None:
    """The mean over the classes of the FID between a class's samples and its real images.

    FID itself does not see classes that were swapped. Each class has fewer images than all
    together, so it is higher. None where a class has fewer than 40 samples or two real images.

    Source: Miyato and Koyama 2018 (arXiv 1802.05637), section 5.1.

    Args:
        asked, labels: numbers of classes.
    """
    distances = []
    for number in torch.unique(asked).tolist():
        of_samples, of_real = samples[asked == number], reference[labels == number]
        if len(of_samples) < LEAST_SAMPLES or len(of_real) < 2:
            return None
        distances.append(fid(of_samples, of_real))
    values = torch.tensor([value for value, _ in distances])
    spreads = [spread or 0.0 for _, spread in distances]
    return Measurement(float(values.mean()), math.hypot(*spreads) / len(distances))
