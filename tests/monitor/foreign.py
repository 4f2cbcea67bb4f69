"""A loop as others write it, on 8x8 digits, with all that a monitor must not disturb."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from counterfeit import data

Z = 8
BATCH = 64


class Shaped(nn.Module):
    """G of digits whose images have the shape that a loop wants."""

    def __init__(self, *shape: int, last: nn.Module | None = None) -> None:
        super().__init__()
        self.shape = shape
        self.main = nn.Sequential(
            nn.Linear(Z, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 64)
        )
        self.last = last or nn.Tanh()

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.last(self.main(z)).view(-1, *self.shape)
        return images


def networks(*shape: int, last: nn.Module | None = None) -> tuple[nn.Module, nn.Module]:
    D = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Dropout(0.3))
    D.append(nn.BatchNorm1d(32)).append(nn.Linear(32, 1))
    return Shaped(*(shape or (1, 8, 8)), last=last), D


def digits() -> Tensor:
    """Training images (1437, 1, 8, 8) in [-1, 1]."""
    return data.load("digits").images.float() / 127.5 - 1


def play(
    G: nn.Module,
    D: nn.Module,
    *,
    epochs: int = 2,
    updates: int = 5,
    update: Callable[..., Any] = lambda **told: None,
    epoch: Callable[[], Any] = lambda: None,
) -> dict[str, Any]:
    """Train both; draw from every random state; return all state that there is afterwards."""
    images, loss = digits(), nn.BCEWithLogitsLoss()
    optimizers = [torch.optim.Adam(each.parameters(), 2e-3, (0.5, 0.999)) for each in (D, G)]
    for _ in range(epochs):
        for part in torch.randperm(len(images)).split(BATCH)[:updates]:
            real = images[part] + 0.01 * random.random() * np.random.rand()  # noqa: NPY002
            fake = G(torch.randn(len(part), Z)).view_as(real)
            optimizers[0].zero_grad()
            d_real, d_fake = D(real), D(fake.detach())
            d_loss = loss(d_real, torch.ones_like(d_real)) + loss(d_fake, torch.zeros_like(d_fake))
            d_loss.backward()
            optimizers[0].step()
            optimizers[1].zero_grad()
            answers = D(fake)
            g_loss = loss(answers, torch.ones_like(answers))
            g_loss.backward()
            optimizers[1].step()
            update(d_loss=d_loss, g_loss=g_loss, d_real=d_real, d_fake=d_fake)
        epoch()
    modules = {"G": G, "D": D}
    return {
        "state": [each for m in modules.values() for each in m.state_dict().values()],
        "gradients": [each.grad for m in modules.values() for each in m.parameters()],
        "modes": [each.training for m in modules.values() for each in m.modules()],
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state()[1],  # noqa: NPY002
        "python": random.getstate(),
    }
