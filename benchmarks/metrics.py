"""The tables of docs/metrics.md, from MNIST and the project's classifier.

    python benchmarks/metrics.py [--data fashion-mnist]

Prints, as Markdown: how the jackknife's spreads compare with what repeated sets of real images
show; what the classifier says of images that are no digits; how each metric answers known faults.
Of other labelled data, only what their classifier, trained on first use, says.
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
    """Six disjoint sets of 10,000 training images, in the role of samples."""
    order = torch.randperm(60_000, generator=torch.Generator().manual_seed(1))
    few = subset(test.features, 5_000)
    seen: dict[str, list[Measurement]] = defaultdict(list)
    for chosen in torch.split(order, 10_000):
        features, probabilities = training.features[chosen], training.probabilities[chosen]
        seen["fid"].append(fid(features, test.features))
        seen["kid"].append(kid(features, test.features))
        for half in torch.split(features, 5_000):
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
    floor = fid(training.features[order[:10_000]], training.features[order[10_000:20_000]])
    print(f"\nFID of two disjoint sets of 10,000: {floor.value:.2f} ± {floor.spread:.1g}")
    print(f"variance of all features together: {training.features.var(0).sum():.0f}\n")


def off_the_data(trained: classifier.Classifier, test: Tensor) -> None:
    """The classifier's surest class for images that show nothing, or test images spoiled."""
    rng = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (1_000, 1, 28, 28), generator=rng, dtype=torch.uint8)
    places = torch.rand(1_000, 784, generator=rng).argsort(1)
    kinds = {
        "the test split (10,000)": test,
        "uniform noise": noise,
        "black-and-white noise": (noise > 127).to(torch.uint8) * 255,
        "sparse dots": (noise > 242).to(torch.uint8) * 255,
        "pixels shuffled": test[:1_000].flatten(1).gather(1, places).view(-1, 1, 28, 28),
        "inverted": 255 - test[:1_000],
        "a flat white image": torch.full((2, 1, 28, 28), 255, dtype=torch.uint8),
        "a flat black image": torch.zeros(2, 1, 28, 28, dtype=torch.uint8),
    }
    print("| 1,000 images of | median highest probability | unsure |\n|---|---|---|")
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
    ones = images[labels == 1]

    def reference(trained_on: int) -> Reference:
        return Reference("test", test, images[50_000:], images[:trained_on], labels, mnist)

    samples = {
        "real images, not trained on": (images[40_000:50_000], 40_000),
        "training images": (images[:10_000], 50_000),
        "one 0, repeated": (images[1:2].expand(10_000, -1, -1, -1), 50_000),
        "training 1s": (ones[torch.randint(len(ones), (10_000,), generator=rng)], 50_000),
        "uniform noise": (
            torch.randint(0, 256, (10_000, 1, 28, 28), generator=rng, dtype=torch.uint8),
            50_000,
        ),
    }
    print("| samples |", " | ".join(FAULT_COLUMNS), "|")
    print("|---|" + "---|" * len(FAULT_COLUMNS))
    for name, (drawn, trained_on) in samples.items():
        measured = measure_images(drawn, reference(trained_on)).metrics
        cells = [
            format(measured[named(metric, measured) or ""].value, spec)
            for metric, spec in FAULT_COLUMNS.items()
        ]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


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
    if name == "mnist":
        spreads(trained.read(train.images), tested, train.labels)
    off_the_data(trained, test.images)
    if name == "mnist":
        faults(trained, train, test.images)


if __name__ == "__main__":
    main()
