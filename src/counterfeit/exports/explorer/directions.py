"""Directions in latent space along which a generator's images change most.

Both kinds are found without labels and without training, and are made orthonormal in their order:
moving along one leaves a latent's place along the others as it is. They span the part of latents
that is not codes.
"""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.game.inputs import draw_classes, draw_latents
from counterfeit.networks import told, within
from counterfeit.networks.conditional import ClassNorm
from counterfeit.networks.convolutions import Maps
from counterfeit.recipe import Latent
from counterfeit.seeds import global_draws, stream

MOST = 24
"""Directions that are kept of each kind: later ones change little."""

LATENTS = 4096
"""From which principal directions are found."""

RECTIFIERS = nn.ReLU | nn.LeakyReLU | nn.ELU | nn.SiLU
BEFORE = (
    nn.Linear | Maps | ClassNorm | nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm | nn.GroupNorm
)
"""What may stand before the first rectifier."""


def principal_directions(
    generator: nn.Module, latent: Latent, class_sizes: Sequence[int] = (), seed: int = 0
) -> tuple[Float[Tensor, "k dim"], Float[Tensor, " k"]]:
    """The principal components of the first hidden layer's activations, each carried back to
    latents by least squares, and the share of the activations' variance that each explains.

    Source: Härkönen et al. 2020, "GANSpace: Discovering Interpretable GAN Controls" (arXiv
    2004.02546), sections 2.1 and 2.2.

    Args:
        generator: in eval mode, of one of the recipe's families.
        class_sizes: how many training images are of each class, where it is told classes.
    """
    z = draw_latents(latent, LATENTS, stream(seed, "evaluation"))
    labels = draw_classes(class_sizes, LATENTS, stream(seed, "classes")) if class_sizes else None
    with torch.inference_mode(), global_draws(seed):
        x = _first_activations(generator, z, labels).flatten(1)  # (N, units)
        x = x - x.mean(0)
        count = min(MOST, latent.dim, x.shape[1])
        along, lengths, _ = torch.svd_lowrank(x, min(count + 8, *x.shape), niter=4)  # (N, q), (q,)
        own = z[:, : latent.dim]
        back = along[:, :count].T @ (
            own - own.mean(0)
        )  # least squares, as the columns are orthonormal
    return _orthonormal(back), lengths[:count].square() / x.square().sum()


def first_layer_directions(generator: nn.Module, latent: Latent) -> Float[Tensor, "k dim"]:
    """The latent directions that the first layer's weights lengthen most: the first eigenvectors
    of W^T W, in closed form.

    Source: Shen and Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs" (SeFa, arXiv
    2007.06600), section 2.2.
    """
    weight = _first_linear(generator).weight.detach()[:, : latent.dim].double()
    _, _, directions = torch.linalg.svd(weight, full_matrices=False)
    return _signed(directions[:MOST]).float()


def _first_linear(generator: nn.Module) -> nn.Linear:
    return next(each for each in within(generator).modules() if isinstance(each, nn.Linear))


def _first_activations(
    generator: nn.Module, z: Float[Tensor, "N z"], labels: Tensor | None
) -> Float[Tensor, "N ..."]:
    """What the first linear layer says, with the normalisation and the rectifier after it."""
    x = told(generator, z, labels)
    for layer in cast(nn.Sequential, within(generator).hidden):
        if not isinstance(layer, BEFORE | RECTIFIERS):
            break
        x = layer(x)
        if isinstance(layer, RECTIFIERS):
            break
    return x


def _orthonormal(rows: Float[Tensor, "k dim"]) -> Float[Tensor, "k dim"]:
    """Gram and Schmidt's rows: each is the part of its own that those before it lack."""
    q, _ = torch.linalg.qr(rows.T)
    return _signed(q.T).float()


def _signed(rows: Float[Tensor, "k dim"]) -> Float[Tensor, "k dim"]:
    """Each turned so that its largest number is positive, as its sign is nobody's choice."""
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return rows * largest.sign()
