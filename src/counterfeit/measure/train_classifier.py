"""Training a classifier for its features, once for each data set.

MNIST's, which the package ships, was made by

    python -m counterfeit.measure.train_classifier FILE.safetensors

in 10 minutes on one core of an AMD EPYC, with torch 2.14: 99.52 % of the test images are right.

Beside the data, an eighth of each batch is pictures of nothing, a class of their own. Without them
a classifier finds some digit in any noise, with confidence, and noise may lie near digits in the
space of features. (After "outlier exposure", Hendrycks et al. 2019, arXiv 1812.04606, which gives
such pictures even probabilities; then they lay among the doubtful digits, and noise had precision.)
"""

import hashlib
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from counterfeit import data
from counterfeit.data import classes_of
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure import classifier
from counterfeit.measure.classifier import VERSION, Classifier, FeatureNetwork, as_input
from counterfeit.networks import materialise
from counterfeit.seeds import stream

BATCH = 250
UPDATES = 2400
"""10 epochs of MNIST."""

PEAK_RATE = 5e-3
NOTHING = 32
"""Pictures of nothing beside each batch."""


def classifier_for(
    train_split: data.ImageData,
    folder: Path,
    *,
    updates: int = UPDATES,
    progress: Callable[[float], None] = lambda done: None,
) -> Classifier:
    """The fixed classifier of a labelled data set: MNIST's own, or one trained on first use.

    Args:
        train_split: all of the data's training images.
        folder: where trained ones are kept, under the data's name and checksum.
        updates, progress: see `train`.

    Raises:
        UsageError: the data have no labels, or only one.
        CounterfeitError: a kept classifier is damaged, or it cannot be kept.
    """
    if kept := kept_classifier(train_split, folder):
        return kept
    images, labels = train_split.images, train_split.labels
    if labels is None or len(classes_of(labels).labels) < 2:
        raise UsageError(
            f"{train_split.name} has no labels of two or more classes, so no classifier can be"
            " trained; only Parzen and nearest-image metrics can be had"
        )
    return keep(
        _path(train_split, folder),
        file_name(train_split.name),
        lambda: train(images, labels, updates=updates, progress=progress),
    )


def kept_classifier(train_split: data.ImageData, folder: Path) -> Classifier | None:
    """The fixed classifier of a data set if it exists: MNIST's own, or one trained before.

    Raises:
        CounterfeitError: it is damaged.
    """
    if train_split.name == "mnist" and train_split.shape == (1, 28, 28):
        return classifier.mnist()
    if train_split.labels is None:
        return None
    of = (train_split.images.shape[1], len(classes_of(train_split.labels).labels))
    return kept_in(_path(train_split, folder), file_name(train_split.name), *of)


def _path(labelled: data.ImageData, folder: Path) -> Path:
    assert labelled.labels is not None
    content = hashlib.sha256(labelled.images.contiguous().numpy().data)
    content.update(classes_of(labelled.labels).which.numpy().data)
    return path_of(file_name(labelled.name), content.hexdigest(), folder)


def path_of(name: str, checksum: str, folder: Path) -> Path:
    """Where a network is kept, by that name and the checksum of what it was trained on."""
    return folder / f"{name}-v{VERSION}-{checksum[:8]}.safetensors"


def file_name(data_name: str) -> str:
    """The name of a data set or a path, of small letters, digits and hyphens."""
    return re.sub("[^a-z0-9]+", "-", Path(data_name).name.lower()).strip("-") or "data"


def keep(path: Path, name: str, make: Callable[[], FeatureNetwork]) -> Classifier:
    """A network that is made and kept in that file, under that name.

    Raises:
        CounterfeitError: its folder cannot be made, which is said before it is; or it cannot be
            written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CounterfeitError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    network = make()
    classifier.write(path, network)
    return Classifier(name, network)


def kept_in(path: Path, name: str, channels: int, classes: int) -> Classifier | None:
    """The network of that file under that name; None where there is no file.

    Raises:
        CounterfeitError: it is damaged.
    """
    try:
        if not path.is_file():
            return None
    except OSError:  # no path may be that long
        return None
    try:
        trained = Classifier(name, classifier.network_from(path.read_bytes()))
    except (CounterfeitError, OSError):
        trained = None
    if trained is None or (trained.channels, trained.classes) != (channels, classes):
        raise CounterfeitError(f"{path} is damaged; remove it, to train it again")
    return trained


def train(
    images: UInt8[Tensor, "N C H W"],
    labels: Int64[Tensor, " N"],
    *,
    updates: int = UPDATES,
    progress: Callable[[float], None] = lambda done: None,
) -> FeatureNetwork:
    """A classifier of these images; the same bits for the same data, machine and thread count.

    Args:
        images: training images.
        labels: two different values or more; the network's classes are in their order.
        updates: steps of Adam, on batches of 250 drawn with replacement.
        progress: called with the share done.
    """
    values, labels, _ = classes_of(labels)

    def draw(rng: torch.Generator) -> tuple[UInt8[Tensor, "n C H W"], Int64[Tensor, " n"]]:
        chosen = torch.randint(len(images), (BATCH,), generator=rng)
        return images[chosen], labels[chosen]

    return fit(draw, images.shape[1], len(values), updates=updates, progress=progress)


def fit(
    draw: Callable[[torch.Generator], tuple[UInt8[Tensor, "n C H W"], Int64[Tensor, " n"]]],
    channels: int,
    classes: int,
    *,
    updates: int,
    progress: Callable[[float], None] = lambda done: None,
) -> FeatureNetwork:
    """A network that tells the classes of what is drawn, and pictures of nothing from all of it.

    Args:
        draw: a batch of 32 or more images, and their classes from 0.
        updates, progress: see `train`.
    """
    with torch.device("meta"):
        network = FeatureNetwork(channels, classes)
    materialise(network, stream(0, "init"))
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=updates)
    of_nothing = torch.full((NOTHING,), classes)
    for step in range(updates):
        rng = stream(0, "classifier", step)
        images, labels = draw(rng)
        batch = as_input(images)
        batch = torch.cat([moved(batch, rng), nothing(batch[:NOTHING], rng)])
        _, logits = network(batch)
        loss = nn.functional.cross_entropy(logits, torch.cat([labels, of_nothing]))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        progress((step + 1) / updates)
    return network.eval()


def moved(images: Float[Tensor, "N C H W"], rng: torch.Generator) -> Float[Tensor, "N C H W"]:
    """Each image turned by up to 12 degrees, scaled by up to 10 %, shifted by up to 8 %."""
    angle, scale, right, down = torch.rand(4, len(images), generator=rng).mul_(2).sub_(1)
    angle, scale = angle * math.radians(12), 1 + 0.1 * scale
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    # affine_grid's unit is half the image's width.
    rows = [
        torch.stack([cosine, -sine, 0.16 * right], 1),
        torch.stack([sine, cosine, 0.16 * down], 1),
    ]
    grid = nn.functional.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, align_corners=False)


def nothing(images: Float[Tensor, "N C H W"], rng: torch.Generator) -> Float[Tensor, "N C H W"]:
    """As many pictures of nothing: noise of some coarseness, and the images cut up and shuffled."""
    count, channels, height, width = images.shape
    half = count // 2
    cells = int(torch.randint(2, height + 1, (), generator=rng))
    noise = torch.rand(half, channels, cells, cells, generator=rng)
    contrast = torch.rand(half, 1, 1, 1, generator=rng)
    level = torch.rand(half, 1, 1, 1, generator=rng)
    noise = nn.functional.interpolate(level + contrast * (noise - level), size=(height, width))
    pieces = int(torch.randint(3, height + 1, (), generator=rng))
    rows, columns = _shuffled(height, pieces, rng), _shuffled(width, pieces, rng)
    return torch.cat([noise, images[half:][..., rows, :][..., columns]])


def _shuffled(length: int, pieces: int, rng: torch.Generator) -> Int64[Tensor, " length"]:
    """0 to length - 1, cut into so many pieces, the pieces in random order."""
    parts = torch.arange(length).tensor_split(pieces)
    return torch.cat([parts[i] for i in torch.randperm(len(parts), generator=rng).tolist()])


def main(file: str) -> None:
    """Train MNIST's classifier and say how good it is."""
    torch.set_num_threads(1)
    training, test = data.load("mnist", "train"), data.load("mnist", "test")
    assert training.labels is not None
    network = train(training.images, training.labels)
    classifier.write(Path(file), network)
    trained = Classifier("mnist", network)
    assert test.labels is not None
    right = trained.read(test.images).classes.eq(test.labels).double().mean()
    print(f"{trained.name}: {right:.2%} of the test images are right")
    print(f"SHA-256 {hashlib.sha256(Path(file).read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1])
