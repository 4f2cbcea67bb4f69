"""Seconds an epoch: plain code, this project, and the floor that matrix products set.

    python benchmarks/train_speed.py [RECIPE ...] [--repeats 5] [--steps 100] [--device cpu]
                                     [--append FILE.jsonl]

For each recipe, in one process and in turn, so that a noisy machine disturbs all alike:

- plain: what a reader of the article writes. A DataLoader with ToTensor, probabilities and BCELoss,
  real and fake images through D apart, G run twice, gradients for D's weights in G's step as
  well, PyTorch's optimisers as they come. Updates alternate also where the recipe's are
  simultaneous, as that is how such code is written.
- linear and mm: the update's matrix products alone, each once, on ready tensors, by these two.
- floor: the same by the fastest of the ways that PyTorch has for each; on the CPU it has oneDNN.
- counterfeit: `counterfeit.train` as a user calls it, with its log, snapshots and checkpoints.
- bf16 floor and counterfeit bf16: the same two with `--precision bf16`.

Prints medians over the repeats with their range, and the ratios of the medians. Seconds mean
nothing on another machine; ratios are what to compare.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the command line sets it

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

import counterfeit
from counterfeit import data, recipe
from counterfeit.environment import describe
from counterfeit.files import append_row
from counterfeit.game.engines.products import ONEDNN


class PlainSharedMaxout(nn.Module):
    """The article's layer: a linear map from 1 to k on every unit, then a max pool over k."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.weight = nn.Parameter(torch.randn(k, 1), requires_grad=False)
        self.bias = nn.Parameter(torch.randn(k), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        lines = nn.functional.linear(x.flatten().unsqueeze(1), self.weight, self.bias)
        return nn.functional.max_pool1d(lines, self.k).reshape(x.shape)


class PlainMaxout(nn.Module):
    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, units * pieces)
        self.shape = (units, pieces)

    def forward(self, x: Tensor) -> Tensor:
        lines: Tensor = self.linear(x).view(-1, *self.shape)
        return lines.max(dim=2)[0]


def plain_networks(spec: recipe.Recipe) -> tuple[nn.Module, nn.Module]:
    layers: list[nn.Module] = []
    inputs = spec.latent.dim
    for units in spec.generator.hidden:
        layers.append(nn.Linear(inputs, units))
        if spec.generator.batch_norm:
            layers.append(nn.BatchNorm1d(units))
        layers.append(nn.ReLU())
        inputs = units
    generator = nn.Sequential(*layers, nn.Linear(inputs, 784), nn.Sigmoid())

    layers = [nn.Dropout(spec.discriminator.input_dropout)]
    inputs = 784
    for units, p in zip(spec.discriminator.hidden, spec.discriminator.hidden_dropout, strict=True):
        if spec.discriminator.activation == "maxout":
            layers.append(PlainMaxout(inputs, units, spec.discriminator.pieces))
        else:
            layers += [nn.Linear(inputs, units), PlainSharedMaxout(spec.discriminator.pieces)]
        if p:
            layers.append(nn.Dropout(p))
        inputs = units
    return generator, nn.Sequential(*layers, nn.Linear(inputs, 1), nn.Sigmoid())


def plain_optimizer(network: nn.Module, spec: recipe.Sgd | recipe.Adam) -> torch.optim.Optimizer:
    if isinstance(spec, recipe.Adam):
        return torch.optim.Adam(network.parameters(), lr=spec.lr)
    return torch.optim.SGD(network.parameters(), lr=spec.lr, momentum=spec.momentum)


def wait_for(device: torch.device) -> None:
    """Until what was asked of it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def plain(
    spec: recipe.Recipe, folder: Path, steps: int, device: torch.device
) -> Callable[[], float]:
    """Seconds a step of the plain code."""
    images = MNIST(str(folder), train=True, transform=transforms.ToTensor())
    chosen = Subset(images, range(spec.data.train_images or len(images)))
    batch = spec.training.batch_size
    loader = DataLoader(chosen, batch_size=batch, shuffle=True, drop_last=True)
    G, D = (network.to(device) for network in plain_networks(spec))
    optimizer_G = plain_optimizer(G, spec.generator.optimizer)
    optimizer_D = plain_optimizer(D, spec.discriminator.optimizer)
    bce = nn.BCELoss()
    low, high = spec.loss.real_labels
    ones = low + (high - low) * torch.rand(batch, 1, device=device)
    zeros = torch.zeros(batch, 1, device=device)

    def run() -> float:
        batches: Iterator[tuple[Tensor, Tensor]] = iter(loader)
        next(batches)
        started = time.perf_counter()
        for _ in range(steps):
            real = next(batches)[0].to(device).view(batch, -1)
            z = spec.latent.std * torch.randn(batch, spec.latent.dim, device=device)
            optimizer_D.zero_grad()
            d_loss = (bce(D(real), ones) + bce(D(G(z).detach()), zeros)) / 2
            d_loss.backward()
            optimizer_D.step()
            optimizer_G.zero_grad()
            g_loss = bce(D(G(z)), torch.ones(batch, 1, device=device))
            g_loss.backward()
            optimizer_G.step()
            d_loss.item(), g_loss.item()
        return (time.perf_counter() - started) / steps

    return run


def products(spec: recipe.Recipe) -> list[tuple[int, int, int, str]]:
    """The update's matrix products: rows, inputs, outputs, and which of the three it is.

    `forward` is x W^T, `weights` is g^T x, `inputs` is g W. D judges real and fake images in one
    pass; G runs once; an alternating update runs D on the fakes a second time.
    """
    batch = spec.training.batch_size
    pieces = spec.discriminator.pieces if spec.discriminator.activation == "maxout" else 1
    g_sizes = [spec.latent.dim, *spec.generator.hidden, 784]
    g_layers = list(pairwise(g_sizes))
    d_inputs = [784, *spec.discriminator.hidden]
    d_outputs = [*(units * pieces for units in spec.discriminator.hidden), 1]
    d_layers = list(zip(d_inputs, d_outputs, strict=True))

    needed = [(batch, i, o, kind) for i, o in g_layers for kind in ("forward", "weights")]
    needed += [(batch, i, o, "inputs") for i, o in g_layers[1:]]
    needed += [(2 * batch, i, o, kind) for i, o in d_layers for kind in ("forward", "weights")]
    needed += [(2 * batch, i, o, "inputs") for i, o in d_layers[1:]]
    if spec.training.update == "simultaneous":
        needed.append((batch, *d_layers[0], "inputs"))
    else:
        needed += [(batch, i, o, kind) for i, o in d_layers for kind in ("forward", "inputs")]
    return needed


def ways_to_multiply(x: Tensor, g: Tensor, w: Tensor, kind: str) -> list[Callable[[], Tensor]]:
    """Of one product; g^T x has but one that is fast."""
    onednn = x.device.type == "cpu" and x.dtype in ONEDNN
    by_onednn = torch.ops.mkldnn._linear_pointwise if onednn else None
    if kind == "weights":
        return [lambda: torch.mm(g.t(), x)]
    if kind == "forward":
        ways: list[Callable[[], Tensor]] = [lambda: nn.functional.linear(x, w)]
        left, right = x, w
    else:
        ways = [lambda: torch.mm(g, w)]
        left, right = g, w.t()
    return [*ways, lambda: by_onednn(left, right, None, "none", [], "")] if by_onednn else ways


def seconds_of(call: Callable[[], Tensor]) -> float:
    """Median of 30 calls, after 10 that are not timed."""
    times = []
    with torch.inference_mode():
        for _ in range(40):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    return statistics.median(times[10:])


def floor(
    spec: recipe.Recipe,
    steps: int,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    *,
    fastest: bool = True,
) -> Callable[[], float]:
    """Seconds that the products of one step take, by the fastest way or by F.linear and mm."""
    calls: list[Callable[[], Tensor]] = []
    for rows, inputs, outputs, kind in products(spec):
        shapes = ((rows, inputs), (rows, outputs), (outputs, inputs))
        x, g, w = (torch.rand(shape, device=device).to(dtype) for shape in shapes)
        ways = ways_to_multiply(x, g, w, kind)
        calls.append(min(ways, key=seconds_of) if fastest and len(ways) > 1 else ways[0])

    def run() -> float:
        wait_for(device)
        started = time.perf_counter()
        with torch.inference_mode():
            for _ in range(steps):
                for call in calls:
                    call()
            wait_for(device)
        return (time.perf_counter() - started) / steps

    return run


def ours(spec: recipe.Recipe, device: torch.device, precision: str) -> Callable[[], float]:
    """Seconds of a whole second epoch, files and all."""
    spec = spec.with_values({"training.epochs": 2, "training.precision": precision})

    def run() -> float:
        ends: list[float] = []

        def note(*_: object) -> None:
            wait_for(device)
            ends.append(time.perf_counter())

        with tempfile.TemporaryDirectory() as out:
            counterfeit.train(spec, out=out, device=device.type, on_epoch=[note])
        return ends[1] - ends[0]

    return run


def torchvision_folder() -> Path:
    """MNIST where torchvision looks for it: links to the verified files."""
    folder = Path(tempfile.mkdtemp())
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in data.fetch("mnist").iterdir():
        (raw / file.name).symlink_to(file)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "recipes", nargs="*", default=["sgd", "adam", "batchnorm-smoothing", "paper"]
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100, help="steps of plain and floor a repeat")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--append", type=Path, help="add a JSON row for each recipe to this file")
    options = parser.parse_args()

    device = torch.device(options.device)
    facts = describe(device)
    print(
        f"{facts['device_name'] or facts['processor']}, {facts['threads']} threads,"
        f" torch {facts['torch']},"
        f" Python {platform.python_version()}; n = {options.repeats}, medians [min, max]"
    )
    folder = torchvision_folder()
    for name in options.recipes:
        spec = recipe.load(name)
        images = spec.data.train_images or 60_000
        steps = images // spec.training.batch_size
        contenders = {
            "plain": plain(spec, folder, options.steps, device),
            "linear and mm": floor(spec, options.steps, device, fastest=False),
            "floor": floor(spec, options.steps, device),
            "counterfeit": ours(spec, device, "float32"),
            "bf16 floor": floor(spec, options.steps, device, torch.bfloat16),
            "counterfeit bf16": ours(spec, device, "bf16"),
        }
        for run in contenders.values() if device.type == "cuda" else ():
            run()  # its libraries start
        seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
        for _ in range(options.repeats):
            for contender, run in contenders.items():
                scale = 1 if contender.startswith("counterfeit") else steps
                seconds[contender].append(run() * scale)
        row = {"recipe": name, "n": options.repeats, **facts}
        for contender, values in seconds.items():
            row[f"{contender.replace(' ', '_')}_seconds"] = statistics.median(values)
            print(
                f"{name:20} {contender:16} {statistics.median(values):7.2f} s an epoch"
                f"  [{min(values):.2f}, {max(values):.2f}]"
            )
        for bf16 in ("", "bf16_"):
            mine = row[f"counterfeit{'_bf16' if bf16 else ''}_seconds"]
            row[f"{bf16}times_plain"] = row["plain_seconds"] / mine
            row[f"{bf16}times_floor"] = mine / row[f"{bf16}floor_seconds"]
            if not bf16:
                row["times_linear_and_mm"] = mine / row["linear_and_mm_seconds"]
                print(f"{name:20} {row['times_linear_and_mm']:.2f} times F.linear and mm")
            print(
                f"{name:20} {'bf16' if bf16 else 'float32'}:"
                f" {row[f'{bf16}times_plain']:.2f} times as fast as plain code,"
                f" {row[f'{bf16}times_floor']:.2f} times its floor"
            )
        if options.append:
            append_row(options.append, row)


if __name__ == "__main__":
    main()
