"""Multilayer perceptrons: a generator, from latents (N, z) to images (N, C, H, W), and a
discriminator, from those to logits (N,), whose sigmoid is D(x)."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.networks.layers import (
    OUTPUTS,
    Discriminator,
    Dropout,
    Maxout,
    SharedMaxout,
    activation_of,
)
from counterfeit.networks.spectral import SpectralLinear

NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class MLPGenerator(nn.Module):
    """A multilayer perceptron; pixels lie in [0, 1] (output "sigmoid") or [-1, 1] ("tanh").

    Args:
        latent_dim: size of a latent.
        hidden: units of each hidden layer.
        image_shape: (C, H, W).
        activation, slope: after each hidden layer; see `activation_of`.
        batch_norm: BatchNorm before each activation.
        output: "sigmoid" or "tanh".
    """

    def __init__(
        self,
        latent_dim: int,
        hidden: Sequence[int],
        image_shape: tuple[int, int, int],
        *,
        activation: str = "relu",
        slope: float = 0.2,
        batch_norm: bool = False,
        output: str = "sigmoid",
    ) -> None:
        super().__init__()
        channels, height, width = image_shape
        layers: list[nn.Module] = []
        inputs = latent_dim
        for units in hidden:
            layers.append(nn.Linear(inputs, units))
            if batch_norm:
                layers.append(nn.BatchNorm1d(units))
            layers.append(activation_of(activation, slope))
            inputs = units
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(inputs, channels * height * width)
        self.squash = OUTPUTS[output]()
        self.latent_dim = latent_dim
        self.image_shape = image_shape

    def forward(self, z: Float[Tensor, "N z"]) -> Float[Tensor, "N C H W"]:
        values = self.output(self.hidden(z))  # (N, C * H * W)
        pixels: Tensor = self.squash(values.to(self.output.weight.dtype))  # under autocast as well
        return pixels.view(-1, *self.image_shape)


class MLPDiscriminator(Discriminator):
    """A multilayer perceptron with maxout or rectifier units and dropout.

    Args:
        image_shape: (C, H, W).
        hidden: units of each hidden layer.
        activation, slope: see `activation_of`; or "shared-maxout" or "maxout".
        pieces: lines of each maxout.
        train_shared_maxout: whether the lines of shared maxout are trained.
        norm: "none"; "batch" or "layer", before each activation, or after maxout; or
            "spectral", of all weights.
        input_dropout: chance of dropping an input pixel.
        dropout: chance of dropping a unit, for each hidden layer; none when absent.
        rng: where dropout draws from; a new generator when absent.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        hidden: Sequence[int],
        *,
        activation: str = "shared-maxout",
        slope: float = 0.2,
        pieces: int = 3,
        train_shared_maxout: bool = False,
        norm: str = "none",
        input_dropout: float = 0.0,
        dropout: Sequence[float] | None = None,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        rng = rng if rng is not None else torch.Generator("cpu")
        channels, height, width = image_shape
        inputs = channels * height * width
        linear = SpectralLinear if norm == "spectral" else nn.Linear
        layers: list[nn.Module] = [nn.Flatten()]
        if input_dropout:
            layers.append(Dropout(input_dropout, rng))
        for units, p in zip(hidden, dropout or [0.0] * len(hidden), strict=True):
            if activation == "maxout":
                layers.append(Maxout(inputs, units, pieces, linear=linear))
            else:
                layers.append(linear(inputs, units))
            if norm in NORMS:
                layers.append(NORMS[norm](units))
            if activation == "shared-maxout":
                layers.append(SharedMaxout(pieces, trainable=train_shared_maxout))
            elif activation != "maxout":
                layers.append(activation_of(activation, slope))
            if p:
                layers.append(Dropout(p, rng))
            inputs = units
        self.hidden = nn.Sequential(*layers)
        self.output = linear(inputs, 1)
