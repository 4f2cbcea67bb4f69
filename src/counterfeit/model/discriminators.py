"""Discriminators: from images (N, C, H, W) to logits (N,), whose sigmoid is D(x)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.model.generators import ACTIVATIONS
from counterfeit.model.layers import Dropout, Maxout, SharedMaxout


class MLPDiscriminator(nn.Module):
    """A multilayer perceptron with maxout or rectifier units and dropout.

    Args:
        image_shape: (C, H, W).
        hidden: units of each hidden layer.
        activation: "shared-maxout", "maxout", "relu" or "leaky-relu" (slope 0.2).
        pieces: lines of each maxout.
        train_shared_maxout: whether the lines of shared maxout are trained.
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
        pieces: int = 3,
        train_shared_maxout: bool = False,
        input_dropout: float = 0.0,
        dropout: Sequence[float] | None = None,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.rng = rng if rng is not None else torch.Generator()
        channels, height, width = image_shape
        inputs = channels * height * width
        layers: list[nn.Module] = [nn.Flatten()]
        if input_dropout:
            layers.append(Dropout(input_dropout, self.rng))
        for units, p in zip(hidden, dropout or [0.0] * len(hidden), strict=True):
            if activation == "maxout":
                layers.append(Maxout(inputs, units, pieces))
            elif activation == "shared-maxout":
                layers.append(nn.Linear(inputs, units))
                layers.append(SharedMaxout(pieces, trainable=train_shared_maxout))
            else:
                layers += [nn.Linear(inputs, units), ACTIVATIONS[activation]()]
            if p:
                layers.append(Dropout(p, self.rng))
            inputs = units
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(inputs, 1)

    def forward(self, images: Float[Tensor, "N C H W"]) -> Float[Tensor, " N"]:
        features = self.hidden(images)
        with torch.autocast(
            images.device.type, enabled=False
        ):  # logits keep the weights' precision
            logits: Tensor = self.output(features.to(self.output.weight.dtype))  # (N, 1)
        return logits.squeeze(1)
