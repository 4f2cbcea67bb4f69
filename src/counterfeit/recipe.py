"""A recipe says everything about a training that its seed and the machine do not: data, networks,
losses, optimisers, schedule, and where each number comes from.

Recipes are TOML files. The built-in ones lie in `recipes/`; a path to a file of your own works
wherever a name does. Unknown keys and impossible values are errors that name the key.
"""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from counterfeit.errors import UsageError

Probability = Annotated[float, Field(ge=0, lt=1)]
"""A chance of dropping a unit."""

# The bounds are far beyond any use: they keep counts countable and float32 from overflowing.
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
Positive = Annotated[float, Field(gt=0, le=1e30)]
NonNegative = Annotated[float, Field(ge=0, le=1e30)]
Text = Annotated[str, Field(max_length=10_000)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Data(Section):
    name: Text = "mnist"
    """A data set's name, or a folder of images."""
    train_images: Count | None = None
    """Train on the first so many images; all of them when absent."""


class Latent(Section):
    dim: Count = 100
    distribution: Literal["normal", "uniform"] = "normal"
    """`uniform` is on [-sqrt(3) std, sqrt(3) std], which has the stated standard deviation."""
    std: Positive = 1.0


class Sgd(Section):
    """Stochastic gradient descent with momentum, both of which may change as training goes on."""

    name: Literal["sgd"] = "sgd"
    lr: Positive
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
            raise ValueError("momentum_ramp must end after it starts")
        return self


class Adam(Section):
    """Kingma and Ba 2015 (1412.6980), with PyTorch's defaults."""

    name: Literal["adam"] = "adam"
    lr: Positive
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Positive = 1e-8


Optimizer = Annotated[Sgd | Adam, Field(discriminator="name")]


class Network(Section):
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, max_length=100)]
    """Units of each hidden layer."""
    init_range: Positive | None = None
    """Weights uniform in [-init_range, init_range] and biases 0; PyTorch's default when absent."""
    optimizer: Optimizer


class Generator(Network):
    activation: Literal["relu", "leaky-relu"] = "relu"
    batch_norm: bool = False
    """BatchNorm between each hidden linear layer and its activation."""
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    """Also sets the images' range: [0, 1] or [-1, 1]."""
    output_bias: Literal["default", "data-mean"] = "default"
    """`data-mean` starts the output at the training images' mean pixel."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Samples come from an average of G's weights that keeps this share of itself at each update,
    and from G's newest weights when it is 0. Training is the same."""


class Discriminator(Network):
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
    def _one_dropout_per_layer(self) -> "Discriminator":
        values, layers = len(self.hidden_dropout), len(self.hidden)
        if values != layers:
            raise ValueError(f"dropout has {values} values for {layers} hidden layers")
        return self


class Loss(Section):
    generator: Literal["non-saturating", "minimax"] = "non-saturating"
    """-log D(G(z)), or the paper's log(1 - D(G(z)))."""
    real_labels: tuple[Positive, Positive] = (1.0, 1.0)
    """Labels of real images, uniform in this range (one-sided smoothing when below 1). They are
    drawn once, before training, one for each position in the batch."""

    @model_validator(mode="after")
    def _labels_are_a_range(self) -> "Loss":
        low, high = self.real_labels
        if not low <= high <= 1:
            raise ValueError("real_labels must be [low, high] with low <= high <= 1")
        return self


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
                "simultaneous updates need discriminator_steps = 1 and generator_latents = 'shared'"
            )
        return self


class Recipe(Section):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    """Becomes part of the run directory's name."""
    title: Text
    source: Text
    """Where the numbers come from."""
    deviations: tuple[Text, ...] = ()
    """What differs from the source, and why."""
    data: Data = Data()
    latent: Latent = Latent()
    generator: Generator
    discriminator: Discriminator
    loss: Loss = Loss()
    training: Training = Training()

    @property
    def value_range(self) -> tuple[float, float]:
        """The lowest and highest pixel value that the networks see."""
        return (0.0, 1.0) if self.generator.output == "sigmoid" else (-1.0, 1.0)

    @property
    def values(self) -> dict[str, Any]:
        """All that training depends on: not the name, nor the words about it."""
        return self.model_dump(exclude={"name", "title", "source", "deviations"})

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(exclude_none=True))

    def changes(self, other: "Recipe") -> list[str]:
        """`generator.optimizer.lr: 0.0002 -> 0.001` for each value that `other` has otherwise.

        All but the number of epochs, which changes nothing in what was trained so far.
        """
        old, new = _flat(self.values), _flat(other.values)
        return [
            f"{key}: {old.get(key)} -> {new.get(key)}"
            for key in old | new
            if old.get(key) != new.get(key) and key != "training.epochs"
        ]

    def with_overrides(self, overrides: Sequence[str]) -> "Recipe":
        """This recipe with values such as `discriminator.dropout=0.3` instead of its own.

        Raises:
            UsageError: an unknown key or an impossible value.
        """
        return self.with_values(dict(map(_parse_override, overrides)))

    def with_values(self, values: Mapping[str, object]) -> "Recipe":
        """This recipe with the values of dotted keys, such as `training.epochs`, replaced.

        Another optimiser's name keeps the learning rate and drops the old one's other settings.

        Raises:
            UsageError: an unknown key or an impossible value.
        """
        table = self.model_dump(exclude_none=True)
        for key, value in values.items():
            _set(table, key, value)
        return parse(table, f"recipe {self.name}")


def names() -> list[str]:
    """The built-in recipes."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files("counterfeit").joinpath("recipes").iterdir()
        if entry.name.endswith(".toml")
    )


def load(name: str | Path) -> Recipe:
    """The recipe of that name, or in that TOML file.

    Raises:
        UsageError: no such recipe or file, not TOML, an unknown key, or an impossible value.
    """
    origin, text = _read(str(name))
    return parse(read_toml(text, origin), origin)


def read_toml(text: str, origin: str) -> dict[str, Any]:
    """The table in `text`, which came from `origin`.

    Raises:
        UsageError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also of a whole number of more than 4,300 digits
        raise UsageError(f"{origin} is not TOML: {str(error).rstrip('.')}.") from None
    except RecursionError:
        raise UsageError(f"{origin} is not TOML: its values are nested too deeply.") from None


def parse(table: dict[str, Any], origin: str) -> Recipe:
    """The recipe in `table`, which came from `origin`.

    Raises:
        UsageError: an unknown key or an impossible value.
    """
    try:
        return Recipe.model_validate(_with_tuples(table))
    except ValidationError as error:
        raise UsageError(f"{origin}: {'; '.join(_explain(error))}") from None


def _read(name: str) -> tuple[str, str]:
    if name in names():
        return f"recipe {name}", files("counterfeit").joinpath(f"recipes/{name}.toml").read_text(
            encoding="utf-8"
        )
    path = Path(name)
    if path.suffix != ".toml":
        raise UsageError(
            f"no recipe is called '{name}'.{_nearest(name, names())}"
            " (`counterfeit recipes` lists them; a file of your own must end in .toml)."
        )
    try:
        return str(path), path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not TOML: it is not UTF-8 text.") from None


def _parse_override(override: str) -> tuple[str, object]:
    """Key and value of `key=value`, the value as TOML or else as text."""
    key, equals, raw = override.partition("=")
    if not equals or not all(key.strip().split(".")):
        raise UsageError(f"--set {override!r}: write key=value, as in discriminator.dropout=0.3.")
    try:
        return key.strip(), read_toml(f"value = {raw}", override)["value"]
    except UsageError:
        return key.strip(), raw.strip()


def _set(table: dict[str, Any], key: str, value: object) -> None:
    *sections, last = key.split(".")
    for part in sections:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UsageError(f"{key!r}: '{part}' is a value, not a section.")
    if sections[-1:] == ["optimizer"] and last == "name" and value != table.get("name"):
        for other in table.keys() - {"lr"}:
            del table[other]
    table[last] = value


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of nested tables under dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= (
            _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return flat


def _with_tuples(value: Any) -> Any:
    """TOML's arrays as tuples: validation is strict, so that `true` is no number."""
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list | tuple) else value


def _explain(error: ValidationError) -> list[str]:
    sentences: dict[str, str] = {}
    for problem in error.errors():
        path, section = _locate(problem["loc"])
        key = ".".join(path).encode("unicode_escape").decode()
        if problem["type"] == "extra_forbidden":
            sentence = f"there is no key '{key}'.{_nearest(path[-1], list(section.model_fields))}"
        elif problem["type"].startswith("union_tag"):
            given = problem["input"]
            name = given.get("name") if isinstance(given, dict) else given
            sentence = f"{key}.name: should be 'sgd' or 'adam', not {_shown(name)}"
        elif problem["type"].startswith("model_"):
            sentence = f"{key}: should be a section, not {_shown(problem['input'])}"
        elif problem["type"] in ("missing", "value_error"):
            sentence = f"{key or 'the recipe'}: {_plain(problem['msg'])}"
        else:
            sentence = f"{key}: {_plain(problem['msg'])}, not {_shown(problem['input'])}"
        sentences.setdefault(key, sentence)
    return list(sentences.values())


def _locate(location: tuple[int | str, ...]) -> tuple[list[str], type[Section]]:
    """The keys of a pydantic error's location, and the section that the last one stands in.

    Beside keys, locations hold the names that pydantic gives to the members of a union.
    """
    path: list[str] = []
    section: type[Section] = Recipe
    within: Any = Recipe
    for part in location:
        if isinstance(part, str) and isinstance(within, type) and issubclass(within, Section):
            path.append(part)
            section = within
            field = within.model_fields.get(part)
            within = field.annotation if field else None
        elif part in ("sgd", "adam"):
            within = Sgd if part == "sgd" else Adam
    return path, section


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message[0].lower() + message[1:]


def _shown(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python writes out no whole number of more than 4,300 digits
        return "a number of over 4,300 digits"
    return text if len(text) <= 100 else f"{text[:80]}…"


def _nearest(word: str, words: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else f" Known: {', '.join(words)}"
