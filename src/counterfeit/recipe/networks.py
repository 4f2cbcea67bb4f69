"""The sections of a recipe's networks: what all have, and what each family adds.

A family is a class for each player, told apart by `name`. All its fields but the optimiser have
defaults, so that another name alone makes another network.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from counterfeit.arguments import shown
from counterfeit.errors import UsageError
from counterfeit.recipe.sections import Count, Optimizer, Positive, Probability, Section, Text

Activation = Literal["relu", "leaky-relu", "elu", "silu"]
Init = Literal["default", "normal-0.02", "orthogonal"]
"""PyTorch's own; DCGAN's (1511.06434), also of BatchNorm's gains; or Saxe et al.'s (1312.6120)."""
Channels = Annotated[int, Field(gt=0, le=100_000)]


class Network(Section):
    sized_by: ClassVar[str]
    """The field that makes the family's networks larger or smaller."""

    optimizer: Optimizer

    @property
    def trained_with(self) -> Optimizer:
        """Its optimiser, where the recipe has one."""
        return self.optimizer

    @property
    def mixes_rows(self) -> dict[str, str]:
        """The settings by which, in training, what it makes of an image depends on the others of
        its batch, with the choices that do not; none where it takes each by itself."""
        return {}

    @property
    def normalises(self) -> bool:
        """Whether its layers are brought to one scale, after which the length of their weights
        means nothing, and their gradients are the longer, the shorter the weights are."""
        return getattr(self, "norm", "none") != "none"


class AnyGenerator(Network):
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    """Also sets the images' range: [0, 1] or [-1, 1]."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Samples come from an average of G's weights that keeps this share of itself at each update,
    and from G's newest weights when it is 0. Training is the same."""

    @property
    def normalises_batches(self) -> bool:
        """Whether it has BatchNorm."""
        return False


class Perceptron(Section):
    sized_by: ClassVar[str] = "hidden"

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[
        tuple[Count, ...], Field(min_length=1, max_length=100, examples=[[256, 512]])
    ] = (256, 512)
    """Units of each hidden layer."""
    slope: Probability = 0.2
    """Of leaky-relu below 0."""
    init: Init = "default"
    init_range: Positive | None = None
    """Weights uniform in [-init_range, init_range] and biases 0, whatever `init` says."""


class MlpGenerator(AnyGenerator, Perceptron):
    activation: Activation = "relu"
    batch_norm: bool = False
    """BatchNorm between each hidden linear layer and its activation."""
    output_bias: Literal["default", "data-mean"] = "default"
    """`data-mean` starts the output at the training images' mean pixel."""

    @property
    def normalises_batches(self) -> bool:
        return self.batch_norm


class MlpDiscriminator(Network, Perceptron):
    hidden: Annotated[
        tuple[Count, ...], Field(min_length=1, max_length=100, examples=[[256, 512]])
    ] = (512, 256)
    """Units of each hidden layer."""
    activation: Literal["shared-maxout", "maxout", Activation] = "shared-maxout"
    pieces: Annotated[int, Field(ge=2, le=1000)] = 3
    """Lines of each maxout."""
    train_shared_maxout: bool = False
    """Whether shared-maxout's lines are trained; the article's stay at their random start."""
    norm: Literal["none", "batch", "layer", "spectral"] = "none"
    """Between each hidden linear layer and its activation; `spectral` is of all weights."""
    input_dropout: Probability = 0.0
    dropout: Probability | tuple[Probability, ...] = 0.0
    """Chance of dropping a unit after the activations: one for all hidden layers, or one each."""

    @property
    def hidden_dropout(self) -> tuple[float, ...]:
        if isinstance(self.dropout, tuple):
            return self.dropout
        return (self.dropout,) * len(self.hidden)

    @property
    def mixes_rows(self) -> dict[str, str]:
        return {"norm": "none, layer or spectral"} if self.norm == "batch" else {}

    @model_validator(mode="after")
    def _one_dropout_per_layer(self) -> "MlpDiscriminator":
        layers = len(self.hidden)
        if len(self.hidden_dropout) != layers:
            raise ValueError(
                f"dropout should be one value, or one for each of the {layers} hidden layers,"
                f" not {shown(list(self.hidden_dropout))}"
            )
        return self


class Convolutional(Section):
    sized_by: ClassVar[str] = "channels"

    channels: Channels = 32
    """Of the finest stage; each coarser one has twice as many."""


class DcganGenerator(AnyGenerator, Convolutional):
    """Radford et al. 2016 (1511.06434), with options."""

    name: Literal["dcgan"] = "dcgan"
    norm: Literal["none", "batch", "layer", "group"] = "batch"
    """Before each activation."""
    activation: Activation = "relu"
    slope: Probability = 0.2
    """Of leaky-relu below 0."""
    upsample: Literal["transposed", "nearest", "pixel-shuffle"] = "transposed"
    """How a stage doubles the sides; `nearest` repeats pixels before a convolution."""
    dropout: Probability = 0.0
    """Chance of dropping a unit after the activations."""
    sampling_dropout: bool = False
    """Whether units are dropped in samples as well, so that dropout is a second source of noise."""
    init: Init = "normal-0.02"

    @property
    def normalises_batches(self) -> bool:
        return self.norm == "batch"


class DcganDiscriminator(Network, Convolutional):
    """Radford et al. 2016 (1511.06434), with options."""

    name: Literal["dcgan"] = "dcgan"
    norm: Literal["none", "batch", "layer", "group", "spectral"] = "batch"
    """Before each activation but the first; `spectral` is of all weights (1802.05957)."""
    activation: Literal[Activation, "maxout"] = "leaky-relu"
    slope: Probability = 0.2
    """Of leaky-relu below 0."""
    pieces: Annotated[int, Field(ge=2, le=1000)] = 2
    """Convolutions of each maxout."""
    downsample: Literal["strided", "average"] = "strided"
    """How a stage halves the sides; `average` takes the mean of four after a convolution."""
    dropout: Probability = 0.0
    """Chance of dropping a unit after the activations."""
    minibatch: Literal["none", "discrimination", "stddev"] = "none"
    """Lets D see how a batch's images differ: 1606.03498, section 3.2, or 1710.10196, section 3."""
    init: Init = "normal-0.02"

    @property
    def mixes_rows(self) -> dict[str, str]:
        norm = {"norm": "none, layer, group or spectral"} if self.norm == "batch" else {}
        return norm | ({"minibatch": "none"} if self.minibatch != "none" else {})


class Residual(Convolutional):
    """Without normalisation, as in Huang et al. 2024 (2501.05441)."""

    name: Literal["resnet"] = "resnet"
    blocks: Annotated[int, Field(gt=0, le=100)] = 1
    """Residual blocks of each stage."""
    expansion: Annotated[int, Field(gt=0, le=16)] = 2
    """A block's inner channels for each outer one."""
    group_channels: Annotated[int, Field(gt=0, le=100_000)] = 16
    """Channels of each group of the inner convolution, at most."""
    patch: Literal[1, 2] = 1
    """Sides of the squares of pixels that the finest stage sees as one."""


class ResnetGenerator(AnyGenerator, Residual):
    pass


class ResnetDiscriminator(Network, Residual):
    pass


class Custom(Network):
    """A module of the user's, which no recipe can build: what is known of it."""

    name: Literal["custom"]
    label: Text
    """What its author calls it."""
    shapes: dict[str, tuple[int, ...]]
    """Of its parameters, by name."""
    optimizer: Optimizer | None = None  # type: ignore[assignment]
    """None where its steps are not ours to make."""

    @property
    def trained_with(self) -> Optimizer:
        if self.optimizer is None:
            raise UsageError(f"{self.label} has no optimizer in this recipe; give it one to train.")
        return self.optimizer


class CustomGenerator(Custom, AnyGenerator):
    batch_norm: bool = False
    """Whether it has BatchNorm."""

    @property
    def normalises_batches(self) -> bool:
        return self.batch_norm


class CustomDiscriminator(Custom):
    has_norm: bool = False
    """Whether it has normalising layers."""

    @property
    def normalises(self) -> bool:
        return self.has_norm


def mlp_if_unnamed(section: Any) -> Any:
    """A network's section with its family, which recipes need not name where it is a perceptron."""
    return {"name": "mlp"} | section if isinstance(section, dict) else section


Generator = Annotated[
    MlpGenerator | DcganGenerator | ResnetGenerator | CustomGenerator,
    Field(discriminator="name"),
    BeforeValidator(mlp_if_unnamed),
]
Discriminator = Annotated[
    MlpDiscriminator | DcganDiscriminator | ResnetDiscriminator | CustomDiscriminator,
    Field(discriminator="name"),
    BeforeValidator(mlp_if_unnamed),
]
