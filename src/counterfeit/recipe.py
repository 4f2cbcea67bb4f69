"""A recipe says everything about a training that its seed and the machine do not: data, networks,
losses, optimisers, schedule, and where each number comes from.

Recipes are TOML files. The built-in ones lie in `recipes/`; a path to a file of your own works
wherever a name does. Unknown keys and impossible values are errors that name the key.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, reduce
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, cast

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
            raise ValueError(
                "momentum_ramp should be [start, end] with start < end,"
                f" not {_shown(self.momentum_ramp)}"
            )
        return self


class Adam(Section):
    """Kingma and Ba 2015 (1412.6980), with PyTorch's defaults."""

    name: Literal["adam"] = "adam"
    lr: Positive
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Positive = 1e-8


Optimizer = Annotated[Sgd | Adam, Field(discriminator="name")]


class Network(Section):
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, max_length=100, examples=[[256, 512]])]
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
        layers = len(self.hidden)
        if len(self.hidden_dropout) != layers:
            raise ValueError(
                f"dropout should be one value, or one for each of the {layers} hidden layers,"
                f" not {_shown(self.dropout)}"
            )
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
            raise ValueError(
                "real_labels should be [low, high] with low <= high <= 1,"
                f" not {_shown(self.real_labels)}"
            )
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
                "simultaneous updates need discriminator_steps = 1 and generator_latents ="
                f" 'shared', not {self.discriminator_steps} and {self.generator_latents!r}"
            )
        return self


class Recipe(Section):
    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
            max_length=100,
            description="at most 100 of A-Z, a-z, 0-9, '.', '_', '-', and no mark in front",
        ),
    ]
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
            _set(table, key, _plain(value))
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
        return Recipe.model_validate(table := _plain(table))
    except ValidationError as error:
        sentences = _explain(error, table, _schema())
        raise UsageError(f"{origin}: {'; '.join(sentences)}") from None


@cache
def _schema() -> dict[str, Any]:
    return Recipe.model_json_schema()


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


def _plain(value: Any) -> Any:
    """The same in Python's own types, arrays as tuples and numpy's numbers as numbers.

    Validation is strict, so that `true` is no number.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def _explain(
    error: ValidationError, table: Mapping[str, Any], schema: Mapping[str, Any]
) -> list[str]:
    """A sentence for each key that is wrong: what may stand there, and what does.

    Args:
        error: what pydantic said about `table`.
        schema: the JSON schema of what the table should be.
    """
    sentences: dict[str, str] = {}
    for problem in error.errors():
        path, section, node = _locate(problem["loc"], schema)
        key = ".".join(path).encode("unicode_escape").decode()
        if node is None:
            sentence = f"there is no key '{key}'.{_nearest(path[-1], list(section['properties']))}"
        elif problem["type"] == "value_error":
            sentence = f"{key or 'the recipe'}: {problem['ctx']['error']}"
        else:
            given = reduce(lambda held, part: held.get(part, _MISSING), path, cast(Any, table))
            if "discriminator" in node and isinstance(given, dict):
                name = node["discriminator"]["propertyName"]
                key, given = f"{key}.{name}", given.get(name, _MISSING)
                allowed = _either(map(repr, node["discriminator"]["mapping"]))
            else:
                allowed = _allowed(node)
            was = "but is missing" if given is _MISSING else f"not {_shown(given)}"
            sentence = f"{key}: should be {allowed}, {was}"
        sentences.setdefault(key, sentence)
    return list(sentences.values())


_MISSING = object()


def _locate(
    location: tuple[int | str, ...], schema: Mapping[str, Any]
) -> tuple[list[str], Mapping[str, Any], Mapping[str, Any] | None]:
    """The keys of a pydantic error's location, and the schemas of the section that the last one
    stands in and of what it holds, which is None where there is no such key.

    Beside keys, locations hold the names of a union's members, and what is inside a value.
    """

    def resolved(reference: str) -> Mapping[str, Any]:
        return cast(Mapping[str, Any], schema["$defs"][reference.removeprefix("#/$defs/")])

    path: list[str] = []
    section = node = schema
    for part in location:
        if "discriminator" in node:
            node = resolved(node["discriminator"]["mapping"][part])
        elif "properties" in node:
            section = node
            path.append(str(part))
            if part not in section["properties"]:
                return path, section, None
            node = section["properties"][part]
            node = resolved(node["$ref"]) if "$ref" in node else node
        else:
            break
    return path, section, node


def _allowed(node: Mapping[str, Any]) -> str:
    """A field's JSON schema in words."""
    kind = node.get("type", "object")
    if "description" in node and kind != "object":
        words = str(node["description"])
    elif "anyOf" in node:
        words = _either(map(_allowed, node["anyOf"]))
    elif "const" in node:
        words = repr(node["const"])
    elif "enum" in node:
        words = _either(map(repr, node["enum"]))
    elif kind == "array":
        items = [node["items"]] if "items" in node else node["prefixItems"]
        each = list(dict.fromkeys(map(_allowed, items)))
        counts = [f"{node[end]:,}" for end in ("minItems", "maxItems") if end in node]
        number = f"{' to '.join(dict.fromkeys(counts))} values" if counts else "values"
        words = f"a list of {number}, {'each ' if len(each) == 1 else ''}{', then '.join(each)}"
    else:
        limits = [words.format(node[limit]) for limit, words in _LIMITS.items() if limit in node]
        words = _KINDS[kind] + (f" ({', '.join(limits)})" if limits else "")
    return words + (f", as in {node['examples'][0]}" if "examples" in node else "")


_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "Unicode text",
    "null": "left out",
    "object": "a section",
}
_LIMITS = {
    "exclusiveMinimum": "above {:,}",
    "minimum": "at least {:,}",
    "exclusiveMaximum": "below {:,}",
    "maximum": "at most {:,}",
    "maxLength": "at most {:,} characters",
}


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _shown(value: object) -> str:
    """A value as Python writes it, in one line, cut where it is long."""
    try:
        text = " ".join(repr(_with_lists(value)).split())
    except ValueError:  # Python writes out no whole number of more than 4,300 digits
        return "a number of over 4,300 digits"
    return text if len(text) <= 100 else f"{text[:80]}…"


def _with_lists(value: object) -> object:
    return list(map(_with_lists, value)) if isinstance(value, tuple) else value


def _nearest(word: str, words: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else f" Known: {', '.join(words)}"
