"""Networks that are told a class, and discriminators that say more than real or not.

Each is put around a network of any family, of which it takes what all families have: `hidden`, from
the input to features, and `output`, the last layer. Classes are numbers from 0.
"""

from typing import Any, cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import one_hot

from counterfeit.networks.layers import without_autocast
from counterfeit.networks.scores import Scores


def ask(network: nn.Module, x: Tensor, labels: Int64[Tensor, " N"] | None) -> Any:
    """What a network makes of x, which it is told the classes of if it is `conditional`."""
    return network(x, labels) if getattr(network, "conditional", False) else network(x)


def within(network: nn.Module) -> nn.Module:
    """The network of a family that another is put around; any other network is itself."""
    return network.inner if isinstance(network, ToldGenerator | TellingDiscriminator) else network


def told(network: nn.Module, x: Tensor, labels: Int64[Tensor, " N"] | None) -> Tensor:
    """What the network of a family `within` another is given, where that is given x."""
    if not isinstance(network, ToldGenerator | TellingDiscriminator):
        return x
    given: Tensor = cast(Any, network).tell(x, labels)
    return given


def features_of(network: Any) -> int:
    """How many features a family's discriminator looks at last, in a linear layer or in a
    convolution of one pixel."""
    return int(network.output.weight.shape[1])


class OneHot(nn.Module):
    """A class as one of so many units."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, labels: Int64[Tensor, " N"]) -> Float[Tensor, "N classes"]:
        return one_hot(labels, self.classes).float()


class ClassNorm(nn.Module):
    """BatchNorm with a scale and a shift for each class; it is told the classes before a pass.

    They start at 1 and 0.

    Source: Dumoulin et al. 2017 (arXiv 1610.07629), section 2.2, for instance normalisation; de
    Vries et al. 2017 (arXiv 1707.00683), section 3.

    Args:
        norm: the BatchNorm in whose place it stands.
    """

    labels: Int64[Tensor, " N"]

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, classes: int) -> None:
        super().__init__()
        self.norm = type(norm)(norm.num_features, norm.eps, norm.momentum, affine=False)
        self.weight = nn.Parameter(torch.empty(classes, norm.num_features))
        self.bias = nn.Parameter(torch.empty(classes, norm.num_features))

    def draw(self, rng: torch.Generator) -> None:
        """Draws nothing."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "N F ..."]) -> Float[Tensor, "N F ..."]:
        shape = (*x.shape[:2], *(1 for _ in x.shape[2:]))
        scale, shift = self.weight[self.labels].view(shape), self.bias[self.labels].view(shape)
        scaled: Tensor = self.norm(x) * scale + shift
        return scaled


class ToldGenerator(nn.Module):
    """A generator that is told which class to draw: from (N, z) and (N,) to (N, C, H, W).

    Args:
        inner: of any family; its latents have `code.width` more units than z.
        code: from classes to those units; None where its BatchNorms are told instead.
        classes: how many there are.
    """

    conditional = True

    def __init__(self, inner: nn.Module, code: OneHot | nn.Embedding | None, classes: int) -> None:
        super().__init__()
        self.inner = inner
        self.code = code
        if code is None:
            _tell_norms(inner, classes)

    def tell(self, z: Float[Tensor, "N z"], labels: Int64[Tensor, " N"]) -> Float[Tensor, "N w"]:
        """The latents that the inner network takes; its BatchNorms are told the classes."""
        for layer in self.modules():
            if isinstance(layer, ClassNorm):
                layer.labels = labels
        return z if self.code is None else torch.cat([z, self.code(labels).to(z.dtype)], 1)

    def forward(
        self, z: Float[Tensor, "N z"], labels: Int64[Tensor, " N"]
    ) -> Float[Tensor, "N C H W"]:
        images: Tensor = self.inner(self.tell(z, labels))
        return images


def _tell_norms(network: nn.Module, classes: int) -> None:
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(parent, name, ClassNorm(layer, classes))


class TellingDiscriminator(nn.Module):
    """A discriminator that is told each image's class, or says more of it in heads of its own.

    Args:
        inner: of any family; with `planes`, of images with one more channel.
        planes: a learned plane (H * W) for each class, which stands beside the image's channels.
        projection: a learned vector for each class; its product with the features is added to the
            logit (Miyato and Koyama 2018, arXiv 1802.05637, equation 3).
        heads: from features to what `Scores.extra` has under their names.
    """

    inner: Any

    def __init__(
        self,
        inner: nn.Module,
        *,
        planes: nn.Embedding | None = None,
        projection: nn.Embedding | None = None,
        heads: dict[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.inner = inner
        self.planes = planes
        self.projection = projection
        self.heads = nn.ModuleDict(heads or {})

    @property
    def conditional(self) -> bool:
        """Whether it is told classes."""
        return self.planes is not None or self.projection is not None

    def tell(
        self, images: Float[Tensor, "N C H W"], labels: Int64[Tensor, " N"] | None
    ) -> Float[Tensor, "N c H W"]:
        """The images that the inner network takes."""
        if self.planes is None:
            return images
        plane = self.planes(labels).view(-1, 1, *images.shape[2:])
        return torch.cat([images, plane.to(images.dtype)], 1)

    def forward(
        self, images: Float[Tensor, "N C H W"], labels: Int64[Tensor, " N"] | None = None
    ) -> Scores:
        features = self.inner.hidden(self.tell(images, labels))
        with without_autocast(images.device):  # logits keep the weights' precision
            features = features.to(self.inner.output.weight.dtype)
            logits = self.inner.output(features).flatten()
            features = features.flatten(1)  # (N, F)
            if self.projection is not None:
                logits = logits + (self.projection(labels) * features).sum(1)
            return Scores(logits, {name: head(features) for name, head in self.heads.items()})
