"""What a reader of the article writes, to compare with: plain PyTorch, trained for some epochs.

    python benchmarks/plain.py [RECIPE] [--epochs 1] [--data mnist]

A DataLoader with ToTensor, probabilities and BCELoss, real and fake images through D apart, G run
twice, gradients for D's weights in G's step as well, PyTorch's optimisers as they come. Updates
alternate also where the recipe's are simultaneous, as that is how such code is written.
Convolutional recipes are those of plain_convolutions.py.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

from counterfeit import data, recipe
from plain_convolutions import FAMILIES


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


def perceptrons(spec: recipe.Recipe) -> tuple[recipe.MlpGenerator, recipe.MlpDiscriminator]:
    """The sections of a recipe's networks, of which there must be no other family."""
    G, D = spec.generator, spec.discriminator
    assert isinstance(G, recipe.MlpGenerator)
    assert isinstance(D, recipe.MlpDiscriminator)
    return G, D


def networks(spec: recipe.Recipe) -> tuple[nn.Module, nn.Module]:
    G, D = perceptrons(spec)
    layers: list[nn.Module] = []
    inputs = spec.latent.dim
    for units in G.hidden:
        layers.append(nn.Linear(inputs, units))
        if G.batch_norm:
            layers.append(nn.BatchNorm1d(units))
        layers.append(nn.ReLU())
        inputs = units
    generator = nn.Sequential(*layers, nn.Linear(inputs, 784), nn.Sigmoid())

    layers = [nn.Dropout(D.input_dropout)]
    inputs = 784
    for units, p in zip(D.hidden, D.hidden_dropout, strict=True):
        if D.activation == "maxout":
            layers.append(PlainMaxout(inputs, units, D.pieces))
        else:
            layers += [nn.Linear(inputs, units), PlainSharedMaxout(D.pieces)]
        if p:
            layers.append(nn.Dropout(p))
        inputs = units
    return generator, nn.Sequential(*layers, nn.Linear(inputs, 1), nn.Sigmoid())


def optimizer(network: nn.Module, spec: recipe.Optimizer) -> torch.optim.Optimizer:
    if isinstance(spec, recipe.Sgd):
        return torch.optim.SGD(network.parameters(), lr=spec.lr, momentum=spec.momentum)
    return torch.optim.Adam(network.parameters(), lr=spec.lr, betas=spec.betas)


def torchvision_folder(name: str) -> Path:
    """MNIST, or IDX files under its names, where torchvision looks: links to the verified files."""
    folder = Path(tempfile.mkdtemp())
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in data.fetch(name).iterdir():
        (raw / file.name).symlink_to(file)
    return folder


def trainer(
    spec: recipe.Recipe, folder: Path, device: torch.device
) -> tuple[DataLoader[tuple[Tensor, Tensor]], Callable[[Tensor], None]]:
    """The batches of an epoch, and an update on one of them."""
    of_perceptrons = spec.generator.name == "mlp"
    centred = [] if of_perceptrons else [transforms.Normalize(0.5, 0.5)]  # before a tanh
    transform = transforms.Compose([transforms.ToTensor(), *centred])
    images = MNIST(str(folder), train=True, transform=transform)
    chosen = Subset(images, range(spec.data.train_images or len(images)))
    batch = spec.training.batch_size
    loader = DataLoader(chosen, batch_size=batch, shuffle=True, drop_last=True)
    if not of_perceptrons:
        return loader, convolutional_update(spec, (1, 28, 28))
    G, D = (network.to(device) for network in networks(spec))
    optimizer_G = optimizer(G, spec.generator.trained_with)
    optimizer_D = optimizer(D, spec.discriminator.trained_with)
    bce = nn.BCELoss()
    assert isinstance(spec.loss, recipe.CrossEntropy)
    low, high = spec.loss.real_labels
    ones = low + (high - low) * torch.rand(batch, 1, device=device)
    zeros = torch.zeros(batch, 1, device=device)

    def update(images: Tensor) -> None:
        real = images.to(device).view(batch, -1)
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

    return loader, update


def convolutional_update(
    spec: recipe.Recipe, shape: tuple[int, int, int]
) -> Callable[[Tensor], None]:
    """The update of a convolutional recipe, on images in [-1, 1]."""
    make, update_of = FAMILIES[spec.generator.name]
    G, D = make(spec, shape)
    optimizers = [
        optimizer(G, spec.generator.trained_with),
        optimizer(D, spec.discriminator.trained_with),
    ]
    return update_of(spec, G, D, optimizers)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="batchnorm-smoothing")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--data", default="mnist", help="or a folder of IDX files of 28x28 images")
    options = parser.parse_args()
    folder = torchvision_folder(options.data)
    loader, update = trainer(recipe.load(options.recipe), folder, torch.device("cpu"))
    for epoch in range(options.epochs):
        for images, _ in loader:
            update(images)
        print(f"epoch {epoch + 1} of {options.epochs}", flush=True)


if __name__ == "__main__":
    main()
