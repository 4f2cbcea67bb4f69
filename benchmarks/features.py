"""What features of images without labels see: a RotNet's, and those of random weights.

    python benchmarks/features.py faults [--data emoji] [--size 32] [--samples 1000]
    python benchmarks/features.py agree RUN [RUN ...] [--samples 2000]

`faults` damages real images in known ways and measures them beside the test images. `agree` takes
runs on labelled data, where there is a classifier to go by, and says how far each kind of features
puts them in the classifier's order.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from scipy.stats import spearmanr
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from counterfeit import data
from counterfeit.insight.numbers import number
from counterfeit.measure.classifier import Classifier, FeatureNetwork, as_input
from counterfeit.measure.images import compare_features
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.names import MetricName
from counterfeit.measure.reference import subset
from counterfeit.measure.rotnet import UPDATES, RotNet, train
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.networks import materialise
from counterfeit.run import Run
from counterfeit.seeds import stream

Images = UInt8[Tensor, "N C H W"]
Reader = Callable[[Images], Float[Tensor, "N F"]]

SHOWN = ("fid", "kid", "precision", "coverage")


def random_network(images: Images) -> Reader:
    """The RotNet before it is trained, each of whose layers is standardised on real images."""
    with torch.device("meta"):
        network = FeatureNetwork(images.shape[1], 1)
    materialise(network, stream(0, "init"))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(as_input(subset(images, 1000)))
    return RotNet(Classifier("random", network)).read


def damaged(real: Images, everything: Images) -> Iterator[tuple[str, Images]]:
    """As many images as `real`, with a fault each that is known."""
    count, rng = len(real), torch.Generator().manual_seed(0)
    half = real.shape[-1] // 2

    def noisy(share: float) -> Images:
        return _bytes(real + 255 * share * torch.randn(real.shape, generator=rng))

    def cut(pieces: int) -> Images:
        """Into so many rows of so many tiles, which change places."""
        _, channels, height, width = real.shape
        high, wide = height // pieces, width // pieces
        tiles = real.reshape(count, channels, pieces, high, pieces, wide).permute(0, 2, 4, 1, 3, 5)
        tiles = tiles.reshape(count, pieces**2, channels, high, wide)
        order = torch.rand(count, pieces**2, generator=rng).argsort(1)
        tiles = tiles[torch.arange(count)[:, None], order]
        tiles = tiles.reshape(count, pieces, pieces, channels, high, wide)
        return tiles.permute(0, 3, 1, 4, 2, 5).reshape(real.shape)

    points = everything.float().flatten(1)
    usual = (points - points.mean(0)).norm(dim=1).argsort()[: len(everything) // 2]
    halves = real.clone()
    halves[..., half:] = real.roll(1, 0)[..., half:]
    yield "none: training images", real
    yield "blurred by half a pixel", _bytes(gaussian_blur(real.float(), [7, 7], [0.5, 0.5]))
    yield "blurred by a pixel", _bytes(gaussian_blur(real.float(), [7, 7], [1.0, 1.0]))
    yield "noise of 0.03", noisy(0.03)
    yield "noise of 0.1", noisy(0.1)
    yield "two pixels to the right", real.roll(2, -1)
    yield "halves of two images", halves
    yield "cut in 4, and shuffled", cut(2)
    yield "cut in 16, and shuffled", cut(4)
    yield "means of two images", _bytes((real.float() + real.roll(1, 0).float()) / 2)
    if real.shape[1] == 3:
        red = real.float()
        red[:, 0] *= 0.8
        yield "a fifth less red", _bytes(red)
        yield "without colours", _bytes(real.float().mean(1, keepdim=True).expand_as(real))
    yield "50 images only", real[torch.arange(count) % 50]
    yield "200 images only", real[torch.arange(count) % 200]
    yield "the more usual half only", subset(everything[usual], count)


def _bytes(images: Float[Tensor, "N C H W"]) -> Images:
    return images.round().clamp(0, 255).to(torch.uint8)


def faults(options: argparse.Namespace) -> None:
    """A table of what is said of each fault."""
    training = data.load(options.data, "train", image_size=options.size).images
    real = data.load(options.data, "test", image_size=options.size).images
    rotnet = RotNet(Classifier("rotnet", train(training, updates=options.updates)))
    right = _right(rotnet, real)
    readers: dict[str, Reader] = {"RotNet": rotnet.read, "random": random_network(training)}
    print(
        f"{options.data}, {options.updates} updates, {right:.1%} of test images' turns are right;"
        f" {options.samples:,} images each, beside {len(real):,}\n"
    )
    print("| fault | " + " | ".join(f"{name}: {m}" for name in readers for m in SHOWN) + " |")
    print("| --- " * (1 + len(readers) * len(SHOWN)) + "|")
    there = {name: read(real) for name, read in readers.items()}
    for fault, images in damaged(subset(training, options.samples), training):
        cells = []
        for name, read in readers.items():
            found = _compared(read(images), there[name])
            cells += [number(found[metric]) for metric in SHOWN]
        print(f"| {fault} | {' | '.join(cells)} |", flush=True)


def _right(rotnet: RotNet, images: Images) -> float:
    """The share of images whose turns it tells, of each turn once."""
    network, turns = rotnet.network, rotnet.network.classes
    answers = [
        network.read(images.rot90(turn * (4 // turns), (2, 3))).classes.eq(turn)
        for turn in range(turns)
    ]
    return float(torch.cat(answers).double().mean())


def _compared(samples: Float[Tensor, "N F"], real: Float[Tensor, "M F"]) -> dict[str, Measurement]:
    """`SHOWN`, by their short names."""
    found = compare_features("of-any", samples, real, "test").metrics
    return {MetricName.parse(name).metric: each for name, each in found.items()}


def agree(options: argparse.Namespace) -> None:
    """Rank correlations with the classifier's numbers, over all runs."""
    runs = [Run.open(path) for path in options.runs]
    everything = runs[0].load_split("train")
    real = runs[0].load_split("test").images
    trained = classifier_for(everything, data.data_folder(None) / "classifiers")
    rotnet = RotNet(Classifier("rotnet", train(everything.images, updates=options.updates)))
    readers: dict[str, Reader] = {
        "classifier": lambda images: trained.read(images).features,
        "RotNet": rotnet.read,
        "random": random_network(everything.images),
    }
    there = {name: read(real) for name, read in readers.items()}
    scores: dict[str, list[dict[str, Measurement]]] = {name: [] for name in readers}
    for run in runs:
        samples = run.sample(options.samples)
        for name, read in readers.items():
            scores[name].append(_compared(read(samples), there[name]))
    print(f"{len(runs)} runs on {everything.name}, {options.samples:,} samples each\n")
    print("| features | " + " | ".join(SHOWN) + " |")
    print("| --- " * (1 + len(SHOWN)) + "|")
    for name in list(readers)[1:]:
        cells = []
        for metric in SHOWN:
            ours, theirs = (
                [each[metric].value for each in scores[who]] for who in (name, "classifier")
            )
            cells.append(f"{spearmanr(ours, theirs).statistic:.3f}")
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    of_faults = commands.add_parser("faults")
    of_faults.add_argument("--data", default="emoji")
    of_faults.add_argument("--size", type=int)
    of_faults.add_argument("--samples", type=int, default=1000)
    of_faults.set_defaults(command=faults)
    of_agreement = commands.add_parser("agree")
    of_agreement.add_argument("runs", type=Path, nargs="+")
    of_agreement.add_argument("--samples", type=int, default=2000)
    of_agreement.set_defaults(command=agree)
    for each in (of_faults, of_agreement):
        each.add_argument("--updates", type=int, default=UPDATES)
    options = parser.parse_args()
    options.command(options)


if __name__ == "__main__":
    main()
