"""The sections of a recipe's networks: what all have, and what each family adds."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from counterfeit.arguments import shown
from counterfeit.recipe.sections import Count, Optimizer, Positive, Probability, Section


class Network(Section):
    optimizer: Optimizer


class AnyGenerator(Network):
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    """Also sets the images' range: [0, 1] or [-1, 1]."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Samples come from an average of G's weights that keeps this share of itself at each update,
    and from G's newest weights when it is 0. Training is the same."""


class Perceptron(Section):
    name: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, max_length=100, examples=[[256, 512]])]
    """Units of each hidden layer."""
    init_range: Positive | None = None
    """Weights uniform in [-init_range, init_range] and biases 0; PyTorch's default when absent."""


class MlpGenerator(AnyGenerator, Perceptron):
    activation: Literal["relu", "leaky-relu"] = "relu"
    batch_norm: bool = False
    """BatchNorm between each hidden linear layer and its activation."""
    output_bias: Literal["default", "data-mean"] = "default"
    """`data-mean` starts the output at the training images' mean pixel."""


class MlpDiscriminator(Network, Perceptron):
    activation: Literal["shared-maxout", "maxout", "relu", "leaky-relu"] = "shared-maxout"
    pieces: Annotated[int, Field(ge=2, le=1000)] = 3
    """Lines of each maxout."""
    train_shared_maxout: bool = False
    """Whether shared-maxout's lines are trained; the article's stay at their random start."""
    input_dropout: Probability = 0.0
    dropout: Probability | tuple[Probability, ...] = 0.0
    """Chance of dropping a unit after the activations: one for all hidden layers, or one each."""

    @property
    def hidden_dropout(self) -> tuple[float, ...]:
        if isinstance(self.dropout, tuple):
            return self.dropout
        return (self.dropout,) * len(self.hidden)

    @model_validator(mode="after")
    def _one_dropout_per_layer(self) -> "MlpDiscriminator":
        layers = len(self.hidden)
        if len(self.hidden_dropout) != layers:
            raise ValueError(
                f"dropout should be one value, or one for each of the {layers} hidden layers,"
                f" not {shown(list(self.hidden_dropout))}"
            )
        return self


def mlp_if_unnamed(section: Any) -> Any:
    """A network's section with its family, which recipes need not name where it is a perceptron."""
    return {"name": "mlp"} | section if isinstance(section, dict) else section


# Another family joins as a member of a union with `Field(discriminator="name")`, as in `Optimizer`.
Generator = Annotated[MlpGenerator, BeforeValidator(mlp_if_unnamed)]
Discriminator = Annotated[MlpDiscriminator, BeforeValidator(mlp_if_unnamed)]
