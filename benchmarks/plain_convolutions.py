"""What one writes first for `dcgan` and `r3gan-small`: plain PyTorch, layer by layer.

The first follows PyTorch's own example (pytorch/examples, dcgan/main.py), the second the authors'
(brownvc/R3GAN, Trainer.py): real and fake images through D apart, gradients for D's weights in G's
step as well, channels first. Both are the recipes' mathematics, at 28x28 and other sizes alike.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from counterfeit import recipe
from counterfeit.networks.stages import halvings

Update = Callable[[Tensor], None]


def dcgan(spec: recipe.Recipe, shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
    assert isinstance(spec.generator, recipe.DcganGenerator)
    assert isinstance(spec.discriminator, recipe.DcganDiscriminator)
    stages, coarsest = halvings(shape)
    maps = spec.generator.channels * 2 ** (stages - 1)
    layers: list[nn.Module] = [
        nn.ConvTranspose2d(spec.latent.dim, maps, coarsest, bias=False),
        nn.BatchNorm2d(maps),
        nn.ReLU(True),
    ]
    for _ in range(stages - 1):
        layers += [
            nn.ConvTranspose2d(maps, maps // 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(maps // 2),
            nn.ReLU(True),
        ]
        maps //= 2
    G = nn.Sequential(*layers, nn.ConvTranspose2d(maps, shape[0], 4, 2, 1), nn.Tanh())
    maps = spec.discriminator.channels
    layers = [nn.Conv2d(shape[0], maps, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    for _ in range(stages - 1):
        layers += [
            nn.Conv2d(maps, 2 * maps, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * maps),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        maps *= 2
    return G, nn.Sequential(*layers, nn.Conv2d(maps, 1, coarsest), nn.Sigmoid())


class PlainBlock(nn.Module):
    def __init__(self, channels: int, expansion: int, group: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.layers = nn.Sequential(
            nn.Conv2d(channels, inner, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(inner, inner, 3, padding=1, groups=inner // group),
            nn.LeakyReLU(0.2),
            nn.Conv2d(inner, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class PlainBasis(nn.Module):
    def __init__(self, channels: int, sides: tuple[int, int]) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(1, channels, *sides))

    def forward(self, z: Tensor) -> Tensor:
        return self.basis * z[:, :, None, None]


def r3gan(spec: recipe.Recipe, shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
    g, d = spec.generator, spec.discriminator
    assert isinstance(g, recipe.ResnetGenerator)
    assert isinstance(d, recipe.ResnetDiscriminator)
    stages, sides = halvings(shape)
    stages, pixels = stages + 2 - g.patch, shape[0] * g.patch**2
    maps = g.channels * 2 ** (stages - 1)
    layers: list[nn.Module] = [nn.Linear(spec.latent.dim, maps, bias=False)]
    layers.append(PlainBasis(maps, sides))
    for stage in range(stages):
        if stage:
            layers.append(nn.Conv2d(maps, maps // 2, 1, bias=False))
            layers.append(nn.Upsample(scale_factor=2, mode="bilinear"))
            maps //= 2
        layers += [PlainBlock(maps, g.expansion, g.group_channels) for _ in range(g.blocks)]
    layers += [nn.Conv2d(maps, pixels, 1, bias=False), nn.PixelShuffle(g.patch), nn.Tanh()]
    G = nn.Sequential(*layers)
    maps = d.channels
    layers = [nn.PixelUnshuffle(d.patch), nn.Conv2d(pixels, maps, 1, bias=False)]
    for stage in range(stages):
        if stage:
            layers += [nn.AvgPool2d(2), nn.Conv2d(maps, 2 * maps, 1, bias=False)]
            maps *= 2
        layers += [PlainBlock(maps, d.expansion, d.group_channels) for _ in range(d.blocks)]
    layers += [nn.Conv2d(maps, maps, sides, groups=maps, bias=False), nn.Conv2d(maps, 1, 1)]
    return G, nn.Sequential(*layers, nn.Flatten(0))


def dcgan_update(
    spec: recipe.Recipe, G: nn.Module, D: nn.Module, optimizers: list[torch.optim.Optimizer]
) -> Update:
    optimizer_G, optimizer_D = optimizers
    bce = nn.BCELoss()

    def update(real: Tensor) -> None:
        batch = len(real)
        ones, zeros = torch.ones(batch), torch.zeros(batch)
        z = torch.empty(batch, spec.latent.dim, 1, 1).uniform_(-1, 1)
        optimizer_D.zero_grad()
        d_real = bce(D(real).view(-1), ones)
        d_real.backward()
        fake = G(z)
        d_fake = bce(D(fake.detach()).view(-1), zeros)
        d_fake.backward()
        optimizer_D.step()
        optimizer_G.zero_grad()
        g_loss = bce(D(fake).view(-1), ones)
        g_loss.backward()
        optimizer_G.step()
        (d_real + d_fake).item(), g_loss.item()

    return update


def r3gan_update(
    spec: recipe.Recipe, G: nn.Module, D: nn.Module, optimizers: list[torch.optim.Optimizer]
) -> Update:
    optimizer_G, optimizer_D = optimizers
    assert spec.penalties.r1 is not None
    gamma = spec.penalties.r1.weight

    def penalty(images: Tensor, logits: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        return gradient.square().sum((1, 2, 3)).mean()

    def update(images: Tensor) -> None:
        real = images.detach().requires_grad_()
        optimizer_D.zero_grad()
        fake = G(torch.randn(len(real), spec.latent.dim)).detach().requires_grad_()
        of_real, of_fake = D(real), D(fake)
        penalties = penalty(real, of_real) + penalty(fake, of_fake)
        d_loss = softplus(of_fake - of_real).mean() + gamma / 2 * penalties
        d_loss.backward()  # type: ignore[no-untyped-call]
        optimizer_D.step()
        optimizer_G.zero_grad()
        fake = G(torch.randn(len(real), spec.latent.dim))
        g_loss = softplus(D(images) - D(fake)).mean()
        g_loss.backward()  # type: ignore[no-untyped-call]
        optimizer_G.step()
        d_loss.item(), g_loss.item()

    return update


FAMILIES = {"dcgan": (dcgan, dcgan_update), "resnet": (r3gan, r3gan_update)}
"""Networks and update, by the family of both networks."""
