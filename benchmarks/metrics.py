"""The tables of docs/metrics.md, from MNIST and the project's classifier.

    python benchmarks/metrics.py [--data fashion-mnist]

Prints, as Markdown: how the jackknife's spreads compare with what repeated sets of real images
show; what the classifier says of images that show nothing; how each metric answers known faults.
Other labelled data get a classifier of their own, trained on first use.
"""

import argparse
from collections import defaultdict

import torch
from torch import Tensor

from counterfeit import data
from counterfeit.measure import classifier
from counterfeit.measure.distances import fid, kid
from counterfeit.measure.images import measure_images
from counterfeit.measure.manifold import prdc
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.modes import SURE, inception_score, mode_coverage
from counterfeit.measure.names import named
from counterfeit.measure.reference import Reference, subset
from counterfeit.measure.train_classifier import classifier_for

FAULT_COLUMNS = {
    "fid": ".2f", "kid": ".4f", "precision": ".2f", "recall": ".2f", "density": ".2f",
    "coverage": ".2f", "inception_score": ".2f", "classes_found": ".0f", "class_tv": ".2f",
    "unsure": ".2f", "nearest_ratio": ".2f", "copies": ".3f", "parzen": ".0f",
}  # fmt: skip


def spreads(training: classifier.Reading, test: classifier.Reading, labels: Tensor) -> None:
    """Six disjoint sets of training images, 10,000 each of MNIST, in the role of samples."""
    sixth = len(training.features) // 6
    order = torch.randperm(6 * sixth, generator=torch.Generator().manual_seed(1))
    few = subset(test.features, min(sixth // 2, len(test.features)))
    seen: dict[str, list[Measurement]] = defaultdict(list)
    for chosen in torch.split(order, sixth):
        features, probabilities = training.features[chosen], training.probabilities[chosen]
        seen["fid"].append(fid(features, test.features))
        seen["kid"].append(kid(features, test.features))
        for half in torch.split(features, sixth // 2)[:2]:
            for name, value in prdc(half, few).items():
                seen[name].append(value)
        seen["inception_score"].append(inception_score(probabilities))
        seen["class_tv"].append(mode_coverage(probabilities, labels)["class_tv"])
    print("| | n | mean | seen | jackknife |\n|---|---|---|---|---|")
    for name, measured in seen.items():
        values = torch.tensor([m.value for m in measured], dtype=torch.float64)
        errors = torch.tensor([m.spread or 0.0 for m in measured], dtype=torch.float64)
        print(
            f"| {name} | {len(values)} | {values.mean():.4g} | {values.std():.2g}"
            f" | {errors.mean():.2g} |"
        )
    floor = fid(training.features[order[:sixth]], training.features[order[sixth : 2 * sixth]])
    print(f"\nFID of two disjoint sets of {sixth:,}: {floor.value:.2f} ± {floor.spread:.1g}")
    print(f"variance of all features together: {training.features.var(0).sum():.0f}\n")


def off_the_data(trained: classifier.Classifier, test: Tensor) -> None:
    """The classifier's surest class for images that show nothing, or test images spoiled."""
    rng = torch.Generator().manual_seed(0)
    some = test[:1_000]
    noise = torch.randint(0, 256, some.shape, generator=rng, dtype=torch.uint8)
    places = torch.rand(some.flatten(1).shape, generator=rng).argsort(1)
    kinds = {
        "the test split": test,
        "uniform noise": noise,
        "black-and-white noise": (noise > 127).to(torch.uint8) * 255,
        "sparse dots": (noise > 242).to(torch.uint8) * 255,
        "pixels shuffled": some.flatten(1).gather(1, places).view(some.shape),
        "inverted": 255 - some,
        "a flat white image": torch.full_like(some[:2], 255),
        "a flat black image": torch.zeros_like(some[:2]),
    }
    print("| up to 1,000 images of | median highest probability | unsure |\n|---|---|---|")
    for kind, images in kinds.items():
        surest = trained.read(images).probabilities.amax(1)
        unsure = (surest < SURE).double().mean()
        print(f"| {kind} | {surest.median():.2f} | {unsure:.3f} |")
    print()


def faults(mnist: classifier.Classifier, train: data.ImageData, test: Tensor) -> None:
    """Samples with one known fault each, by the full protocols."""
    images, labels = train.images, train.labels
    assert labels is not None
    rng = torch.Generator().manual_seed(0)
    zeros, ones = images[labels == 0], images[labels == 1]
    sixth = len(images) // 6

    def reference(trained_on: int) -> Reference:
        return Reference("test", test, images[5 * sixth :], images[:trained_on], labels, mnist)

    samples = {
        "real images, not trained on": (images[4 * sixth : 5 * sixth], 4 * sixth),
        "training images": (images[:sixth], 5 * sixth),
        "one 0, repeated": (zeros[:1].expand(sixth, -1, -1, -1), 5 * sixth),
        "training 1s": (ones[torch.randint(len(ones), (sixth,), generator=rng)], 5 * sixth),
        "uniform noise": (
            torch.randint(0, 256, (sixth, *images.shape[1:]), generator=rng, dtype=torch.uint8),
            5 * sixth,
        ),
    }
    print("| samples |", " | ".join(FAULT_COLUMNS), "|")
    print("|---|" + "---|" * len(FAULT_COLUMNS))
    for kind, (drawn, trained_on) in samples.items():
        measured = measure_images(drawn, reference(trained_on)).metrics
        cells = [
            format(measured[name].value, spec) if (name := named(metric, measured)) else "–"
            for metric, spec in FAULT_COLUMNS.items()
        ]
        print(f"| {kind} |", " | ".join(cells), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    name = parser.parse_args().data
    train, test = data.load(name, "train"), data.load(name, "test")
    trained = classifier_for(train, data.data_folder(None) / "classifiers")
    tested = trained.read(test.images)
    assert train.labels is not None
    assert test.labels is not None
    accuracy = (tested.classes == test.labels).double().mean()
    print(f"{trained.name}: {accuracy:.2%} of the test images are right\n")
    spreads(trained.read(train.images), tested, train.labels)
    off_the_data(trained, test.images)
    faults(trained, train, test.images)


if __name__ == "__main__":
    main()
