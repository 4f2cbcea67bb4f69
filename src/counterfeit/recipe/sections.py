"""The sections of a recipe on data, latents, optimisers and training, and their values' types."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterfeit.arguments import is_colour, shown

Probability = Annotated[float, Field(ge=0, lt=1)]
"""A chance of dropping a unit."""

# The bounds are far beyond any use: they keep counts countable and float32 from overflowing.
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
Positive = Annotated[float, Field(gt=0, le=1e30)]
NonNegative = Annotated[float, Field(ge=0, le=1e30)]
Text = Annotated[str, Field(max_length=10_000)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


MAX_IMAGE_SIZE = 1024


class Data(Section):
    name: Text = "mnist"
    """A data set's name, or the path of a folder, an archive or a file of images (docs/data.md)."""
    train_images: Count | None = None
    """Train on the first so many images, of a folder random ones; on all of them when absent."""
    image_size: Annotated[int, Field(ge=1, le=MAX_IMAGE_SIZE)] | None = None
    """Height and width in pixels. When absent 28 for a folder or an archive of images, 32 for
    emoji, and for the others as they are stored."""
    channels: Literal[1, 3] | None = None
    """Gray or RGB; as stored when absent."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How an image becomes a square one: its central square, all of it with bars of the background,
    or all of it squeezed."""
    background: Annotated[str, Field(max_length=100)] = "white"
    """What transparent images are laid on: a colour of CSS's names, or `#rrggbb`."""
    skip_broken: bool = False
    """Whether to go on without pictures that cannot be read; `counterfeit data` names them."""

    @model_validator(mode="after")
    def _background_is_a_colour(self) -> "Data":
        if not is_colour(self.background):
            raise ValueError(
                f"background should be a colour such as white or #ffcc00, not"
                f" {shown(self.background)}"
            )
        return self

    def same_images(self, other: "Data") -> bool:
        """Whether both make the same images of the same files, however many they train on."""
        return self.model_copy(update={"train_images": other.train_images}) == other


class Latent(Section):
    dim: Count = 100
    distribution: Literal["normal", "uniform"] = "normal"
    """`uniform` is on [-sqrt(3) std, sqrt(3) std], which has the stated standard deviation."""
    std: Positive = 1.0
    categories: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Units behind those, of which one is 1 and the others 0: a code that D's features shall tell
    (InfoGAN, Chen et al. 2016, 1606.03657)."""
    continuous: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Units behind those, each uniform on [-1, 1]: more codes."""
    information: NonNegative = 1.0
    """Weight of the codes' mutual information with the image in both losses."""

    @property
    def width(self) -> int:
        """Numbers in a latent, its codes included."""
        return self.dim + self.codes

    @property
    def codes(self) -> int:
        """How many of them, the last ones, are codes."""
        return self.categories + self.continuous


class AnyOptimizer(Section):
    """What all optimisers have. The learning rate is a function of the update and the epoch."""

    name: str
    lr: Positive
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate falls to 0 over `training.epochs`, if it does."""
    warmup: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """The optimiser's first updates, over which its learning rate rises linearly."""
    clip_gradients: Positive | None = None
    """Gradients that are longer, all of a network's together, are scaled to this length."""


class Sgd(AnyOptimizer):
    """Stochastic gradient descent with momentum, both of which may change as training goes on."""

    name: Literal["sgd"] = "sgd"
    momentum: Probability = 0.0
    lr_decay: Annotated[float, Field(ge=1, le=1e30)] = 1.0
    """The learning rate is divided by this at every update."""
    lr_min: NonNegative = 0.0
    final_momentum: Probability | None = None
    """Momentum rises linearly to this over `momentum_ramp`; constant when absent."""
    momentum_ramp: tuple[NonNegative, Positive] = (0.0, 1.0)
    """The ramp's first and last epoch, counted from 1."""

    @model_validator(mode="after")
    def _ramp_rises(self) -> "Sgd":
        if self.momentum_ramp[0] >= self.momentum_ramp[1]:
            raise ValueError(
                "momentum_ramp should be [start, end] with start < end,"
                f" not {shown(list(self.momentum_ramp))}"
            )
        return self


class AnyAdam(AnyOptimizer):
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Positive = 1e-8


class Adam(AnyAdam):
    """Kingma and Ba 2015 (1412.6980), with PyTorch's defaults."""

    name: Literal["adam"] = "adam"


class AdamW(AnyAdam):
    """Adam whose weights also shrink: Loshchilov and Hutter 2019 (1711.05101)."""

    name: Literal["adamw"] = "adamw"
    weight_decay: NonNegative = 0.01
    """Of each weight, the share that goes at each update, times the learning rate."""


Optimizer = Annotated[Sgd | Adam | AdamW, Field(discriminator="name")]


class Training(Section):
    epochs: Count = 100
    batch_size: Annotated[int, Field(ge=2, le=1_000_000_000)] = 128
    update: Literal["alternating", "simultaneous"] = "alternating"
    """`alternating`: G's step goes through the D just updated. `simultaneous`: both gradients are
    taken at the same parameters, from the same fakes and the same pass through D."""
    discriminator_steps: Count = 1
    """k of Algorithm 1: D steps for each G step."""
    generator_latents: Literal["shared", "fresh"] = "shared"
    """Whether G's step uses the fakes of the last D step, or draws its own."""
    precision: Literal["float32", "bf16"] = "float32"
    """`bf16`: matrix products and hidden activations in bfloat16; weights, optimisers, statistics,
    logits and losses stay in float32."""

    @model_validator(mode="after")
    def _simultaneous_means_one_step(self) -> "Training":
        if self.update == "simultaneous" and (
            self.discriminator_steps != 1 or self.generator_latents != "shared"
        ):
            raise ValueError(
                "simultaneous updates need discriminator_steps = 1 and generator_latents ="
                f" 'shared', not {self.discriminator_steps} and {self.generator_latents!r}"
            )
        return self
