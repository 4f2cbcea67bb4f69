"""Generators: from latents (N, z) to images (N, C, H, W)."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": lambda: nn.LeakyReLU(0.2),
}
OUTPUTS: dict[str, Callable[[], nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class MLPGenerator(nn.Module):
    """A multilayer perceptron; pixels lie in [0, 1] (output "sigmoid") or [-1, 1] ("tanh").

    Args:
        latent_dim: size of a latent.
        hidden: units of each hidden layer.
        image_shape: (C, H, W).
        activation: "relu" or "leaky-relu" (slope 0.2), after each hidden layer.
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
            layers.append(ACTIVATIONS[activation]())
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
