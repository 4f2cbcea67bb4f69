"""Networks as users write them, for 8x8 digits and latents of 100 numbers."""

from typing import Any

import torch
from torch import Tensor, nn

from counterfeit import recipe

SMALL = {"data.name": "digits", "data.train_images": 300, "training.batch_size": 50}


def small(name: str = "adam", **values: object) -> recipe.Recipe:
    return recipe.load(name).with_values(SMALL | values)


class Generator(nn.Module):
    """With BatchNorm, dropout and noise of torch's global generator."""

    def __init__(self, *shape: int, classes: int = 0, latents: int = 100) -> None:
        super().__init__()
        self.shape, self.classes = shape or (1, 8, 8), classes
        self.main = nn.Sequential(
            nn.Linear(latents + classes, 32),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(32, 64),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is not None:
            z = torch.cat([z, nn.functional.one_hot(labels, self.classes).float()], 1)
        images: Tensor = self.main(z + 0.01 * torch.randn_like(z))
        return images.view(-1, *self.shape)


class Discriminator(nn.Module):
    def __init__(self, *shape: int, classes: int = 0) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes
        self.main = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, 32),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.2),
            nn.Linear(32, max(1, classes)),
        )

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        said: Tensor = self.main(images)
        if labels is not None:
            said = said.gather(1, labels[:, None])
        return said.view(-1, *self.shape)


def pair(**given: Any) -> dict[str, nn.Module]:
    """Both, for `train` and `resume`."""
    return {"generator": Generator(**given), "discriminator": Discriminator(**given)}
