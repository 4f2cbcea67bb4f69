"""Layers of plain PyTorch, for networks that are taken away: this file imports nothing but torch.

What `--format python` writes is a network's layers and, word for word, those classes of this file
that it is made of. They compute what the layers of `networks` compute in eval mode.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Rescale(nn.Module):
    """Pixels in another range: x * scale + shift."""

    def __init__(self, scale: float, shift: float) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift

    def extra_repr(self) -> str:
        return f"scale={self.scale}, shift={self.shift}"


class Maps(nn.Module):
    """Rows (N, height * width * C) as maps (N, C, height, width)."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (self.height, self.width, -1)).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return f"height={self.height}, width={self.width}"


class Rows(nn.Module):
    """Maps (N, C, H, W) as rows (N, H * W * C)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class SharedMaxout(nn.Module):
    """The maximum of `pieces` lines that all units share, elementwise on any shape."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(pieces))
        self.bias = nn.Parameter(torch.empty(pieces))

    def forward(self, x: Tensor) -> Tensor:
        lines = x.unsqueeze(-1) * self.weight + self.bias  # (..., pieces)
        return lines.amax(-1)

    def extra_repr(self) -> str:
        return f"pieces={len(self.weight)}"


class Maxout(nn.Module):
    """The maximum of each unit's `pieces` numbers: (N, pieces * units) to (N, units).

    Goodfellow et al. 2013, "Maxout Networks" (arXiv 1302.4389).
    """

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (self.pieces, -1)).amax(1)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"


class ChannelMaxout(nn.Module):
    """The maximum of each `pieces` channels: (N, C * pieces, H, W) to (N, C, H, W)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.pieces)).amax(2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"


class MinibatchDiscrimination(nn.Module):
    """Appends to each row how close the batch's other rows are, by `kernels` measures.

    Salimans et al. 2016 (arXiv 1606.03498), section 3.2.
    """

    def __init__(self, inputs: int, kernels: int, kernel_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, kernels, kernel_dim))

    def forward(self, x: Tensor) -> Tensor:
        rows = (x @ self.weight.flatten(1)).unflatten(1, self.weight.shape[1:])
        apart = (rows[:, None] - rows).abs().sum(3)  # (N, N, kernels)
        return torch.cat([x, torch.exp(-apart).sum(1)], 1)

    def extra_repr(self) -> str:
        return "inputs={}, kernels={}, kernel_dim={}".format(*self.weight.shape)


class MinibatchStddev(nn.Module):
    """Appends a channel that says how much the batch varies: one number, everywhere the same.

    Karras et al. 2018 (arXiv 1710.10196), section 3.
    """

    def forward(self, x: Tensor) -> Tensor:
        deviation = (x.var(0, correction=0) + 1e-8).sqrt().mean()
        return torch.cat([x, torch.ones_like(x[:, :1]) * deviation], 1)


class Spread(nn.Module):
    """Learned maps (C, height, width), each scaled by its channel of x (N, C)."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.empty(height, width, channels))

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None, None] * self.maps).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return "height={}, width={}, channels={}".format(*self.maps.shape)


class Project(nn.Module):
    """The projection of maps (N, C, height, width) on learned ones: (N, C)."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.empty(height, width, channels))

    def forward(self, x: Tensor) -> Tensor:
        return (x.permute(0, 2, 3, 1) * self.maps).sum((1, 2))

    def extra_repr(self) -> str:
        return "height={}, width={}, channels={}".format(*self.maps.shape)


class Block(nn.Module):
    """x + W3 a(W2 a(W1 x)): 1x1, grouped 3x3 and 1x1 convolutions around leaky rectifiers.

    Huang et al. 2024 (arXiv 2501.05441), section 4.
    """

    def __init__(self, channels: int, inner: int, groups: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(channels, inner, 1)
        self.mix = nn.Conv2d(inner, inner, 3, padding=1, groups=groups)
        self.reduce = nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.expand(x), 0.2)
        y = F.leaky_relu(self.mix(y), 0.2)
        return x + self.reduce(y)

    def extra_repr(self) -> str:
        mix = self.mix
        return f"channels={self.expand.in_channels}, inner={mix.in_channels}, groups={mix.groups}"


class OneHot(nn.Module):
    """A class as one of so many units."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, labels: Tensor) -> Tensor:
        return F.one_hot(labels, self.classes).float()

    def extra_repr(self) -> str:
        return f"classes={self.classes}"


class ClassNorm(nn.Module):
    """BatchNorm, by its running statistics, with a scale and a shift for each class.

    Dumoulin et al. 2017 (arXiv 1610.07629), section 2.2.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        self.register_buffer("running_mean", torch.empty(features))
        self.register_buffer("running_var", torch.empty(features))
        self.weight = nn.Parameter(torch.empty(classes, features))
        self.bias = nn.Parameter(torch.empty(classes, features))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        shape = (-1, x.shape[1], *(1 for _ in x.shape[2:]))
        scale, shift = self.weight[labels].view(shape), self.bias[labels].view(shape)
        return F.batch_norm(x, self.running_mean, self.running_var) * scale + shift

    def extra_repr(self) -> str:
        return "classes={}, features={}".format(*self.weight.shape)


class ToldGenerator(nn.Module):
    """Latents (N, z) and classes (N,) to images (N, C, H, W).

    The first layer takes what `embed` makes of a class beside the latent; without it, each
    ClassNorm is told the classes.
    """

    def __init__(self, layers: nn.Sequential, embed: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = layers
        self.embed = embed

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = z if self.embed is None else torch.cat([z, self.embed(labels)], 1)
        for layer in self.layers:
            x = layer(x, labels) if isinstance(layer, ClassNorm) else layer(x)
        return x


class ToldDiscriminator(nn.Module):
    """Images (N, C, H, W) and classes (N,) to logits (N,).

    With `planes`, a learned plane for each class stands beside the image's channels; with
    `projection`, the product of a class's learned vector and the features is added to the logit
    (Miyato and Koyama 2018, arXiv 1802.05637, equation 3).
    """

    def __init__(
        self,
        pixels: nn.Module,
        hidden: nn.Module,
        output: nn.Module,
        planes: nn.Embedding | None = None,
        projection: nn.Embedding | None = None,
    ) -> None:
        super().__init__()
        self.pixels = pixels
        self.hidden = hidden
        self.output = output
        self.planes = planes
        self.projection = projection

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        x = self.pixels(images)
        if self.planes is not None:
            plane = self.planes(labels).view(-1, 1, *x.shape[2:])
            x = torch.cat([x, plane], 1)
        features = self.hidden(x)
        logits = self.output(features).flatten()
        if self.projection is not None:
            logits = logits + (self.projection(labels) * features.flatten(1)).sum(1)
        return logits
