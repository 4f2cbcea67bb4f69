"""Are samples copies of training images, and has the discriminator learned its training set?"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

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

LEAST_HELD_OUT = 100
"""Held-out images that `copies` takes: it asks which distance 99 of 100 are above."""


def memorisation(
    samples: Float[Tensor, " N"],
    held_out: Float[Tensor, " M"],
    sample_classes: Int64[Tensor, " N"] | None = None,
    held_out_classes: Int64[Tensor, " M"] | None = None,
) -> dict[str, Measurement]:
    """Distances of samples to their nearest training image, against those of held-out real images.

    Distances differ much between classes (a 1 is near some other 1), so with classes given each is
    divided by the median of the held-out images of its class.

    - nearest_ratio: median of the samples' over median of the held-out images'. About 1 for a
      faithful generator and 0 for one that copies; smooth samples come to somewhat less than 1.
    - nearest_p: of the one-sided Mann-Whitney test that samples are not nearer. It has no spread.
    - copies: the share of samples nearer than 99 of 100 held-out images are: 0.01 by chance. It
      shows a generator that copies only some of the time, which the median does not. It takes 100
      held-out images, and is left out where there are fewer.

    Source: Meehan et al. 2020 (arXiv 2004.05675), for the test and for comparing within cells.

    Args:
        samples, held_out: distances, as `pairs.nearest` gives them.
        sample_classes, held_out_classes: by the same classifier; both or neither.

    Raises:
        UsageError: fewer than 40 samples or two held-out images, only one kind of classes, or most
            held-out images are training images.
        CounterfeitError: a distance is not finite.
    """
    require_count(samples, LEAST_SAMPLES, "samples")
    require_count(held_out, 2, "held-out images")
    if (sample_classes is None) != (held_out_classes is None):
        raise UsageError("give the classes of both the samples and the held-out images, or neither")
    require_finite(samples.unsqueeze(1), "samples' distances")
    require_finite(held_out.unsqueeze(1), "held-out images' distances")
    from scipy.stats import mannwhitneyu

    samples, held_out = samples.double(), held_out.double()
    typical = held_out.median()
    if typical == 0:
        raise UsageError("most held-out images are in the training set; hold out others")
    if sample_classes is not None and held_out_classes is not None:
        count = 1 + int(max(sample_classes.max(), held_out_classes.max()))
        scale = torch.full((count,), float(typical)).double()
        for c in torch.unique(held_out_classes).tolist():
            of_class = held_out[held_out_classes == c].median()
            scale[c] = of_class if of_class > 0 else typical
        samples, held_out = samples / scale[sample_classes], held_out / scale[held_out_classes]

    weights = all_then_without_each(len(samples))
    medians = torch.stack([samples[weight > 0].median() for weight in weights])
    test = mannwhitneyu(samples.numpy(), held_out.numpy(), alternative="less")
    found = {
        "nearest_ratio": jackknife(medians / held_out.median()),
        "nearest_p": Measurement(float(test.pvalue), None),
    }
    if len(held_out) >= LEAST_HELD_OUT:
        found["copies"] = mean(samples < held_out.quantile(0.01))
    return found


def discriminator_accuracy(
    training: Float[Tensor, " N"], held_out: Float[Tensor, " M"], generated: Float[Tensor, " K"]
) -> dict[str, Measurement]:
    """How often D is right about training, held-out and generated images, from its logits.

    A D that is right about training images and wrong about held-out ones has learned its training
    set; one that is right half the time about all three can tell nothing.

    Only for losses by which D's logits of what it takes for real are above 0: `recipe.SIGNED`.

    Source: Brock et al. 2019 (arXiv 1809.11096), section 4.2, for the comparison.

    Raises:
        UsageError: fewer than two of any.
        CounterfeitError: a logit is not finite.
    """
    accuracies = {}
    for what, logits in (
        ("training", training),
        ("held_out", held_out),
        ("generated", generated),
    ):
        require_count(logits, 2, f"logits of {what} images")
        require_finite(logits.unsqueeze(1), f"logits of {what} images")
        right = logits <= 0 if what == "generated" else logits > 0
        accuracies[f"d_accuracy_{what}"] = mean(right)
    return accuracies
