"""A network as a file of plain PyTorch, which builds it and loads its weights.

The file holds, word for word, those classes of `plain` that the network is made of, and the call
that makes it: what PyTorch's layers show of themselves, `extra_repr`, is the call's arguments.
"""

import ast
import inspect
import json
from string import Template
from textwrap import indent
from typing import Any

from torch import nn

from counterfeit.exports import plain
from counterfeit.exports.portable import Portable

FILE = Template('''\
"""$title

>>> from $module import $names
>>> network = load()
>>> $use

Made by counterfeit $version from the run $run: recipe $recipe,
data $data, seed $seed, epoch $epoch. It needs torch and safetensors, and no counterfeit.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
$functional
WEIGHTS = Path(__file__).with_name($weights)
$classes

def build() -> nn.Module:
    """The network before it has its weights."""
    return $network


def load(weights: Path = WEIGHTS) -> nn.Module:
    """The trained network, in eval mode."""
    network = build()
    network.load_state_dict(load_file(weights))
    return network.eval()
''')

PRIOR = Template('''

def latents(count: int) -> Tensor:
    """Latents as they were drawn in training."""
    return $draw
''')


def to_python(ready: Portable, module: str, weights: str) -> str:
    """The text of a Python file that rebuilds a network: `load` and, of a generator, `latents`.

    Args:
        module: the file's name without `.py`.
        weights: the name of the file of weights beside it.

    Raises:
        UsageError: it is a module of the user's own.
    """
    ready.require_plain()
    facts, told = ready.facts, "labels" in ready.input_names
    images = "images (N, {}, {}, {}) in [0, 1]".format(*facts["image_shape"])
    first, outcome, given = (
        (f"latents (N, {ready.inputs[0].shape[1]})", images, "latents(16)")
        if ready.player == "generator"
        else (images, "logits (N,)", "images")
    )
    if told:
        first += f" and their classes (N,), from 0 to {len(facts['classes']) - 1},"
        given += ", labels"
    classes = _classes(ready.network)
    text = FILE.substitute(
        title=f"{first[0].upper()}{first[1:]} to {outcome}.",
        module=module,
        names="latents, load" if ready.player == "generator" else "load",
        use=f"{ready.output_name} = network({given})",
        version=facts["counterfeit"],
        **{name: _harmless(str(facts[name])) for name in ("run", "recipe", "data", "seed")},
        epoch=f"{facts['epoch']:g}",
        functional="from torch.nn import functional as F\n" if " F." in "".join(classes) else "",
        weights=json.dumps(weights),
        classes="".join(f"\n\n{each}" for each in classes),
        network=indent(_call(ready.network), "    ").strip(),
    )
    if ready.player == "generator":
        text += PRIOR.substitute(draw=_prior(facts["latent"]))
    return text


def _harmless(name: str) -> str:
    """A name as a docstring may hold it, whatever is in it."""
    kept = (c if c.isprintable() else " " for c in name)
    return "".join(kept).replace("\\", "/").replace('"', "'")


def _classes(network: nn.Module) -> list[str]:
    """The text of the classes of `plain` that it takes, in their order there."""
    text = {
        name: inspect.getsource(each)
        for name, each in vars(plain).items()
        if inspect.isclass(each) and each.__module__ == plain.__name__
    }
    needed = {type(layer).__name__ for layer in network.modules()} & text.keys()
    for name in list(needed):
        nodes = ast.walk(ast.parse(text[name]))
        needed |= {each.id for each in nodes if isinstance(each, ast.Name)}
    return [each for name, each in text.items() if name in needed]


def _call(layer: nn.Module) -> str:
    """The call that makes a layer, over several lines where it holds others."""
    kind = type(layer)
    name = f"nn.{kind.__name__}" if kind.__module__.startswith("torch.nn.") else kind.__name__
    if isinstance(layer, nn.Sequential):
        parts = [_call(each) for each in layer]
    elif arguments := layer.extra_repr():
        return _shortened(f"{name}({arguments})", kind)
    else:
        parts = [f"{key}={_call(each)}" for key, each in layer.named_children()]
    if not parts:
        return f"{name}()"
    inside = indent(",\n".join(parts), "    ")
    return f"{name}(\n{inside},\n)"


def _shortened(call: str, kind: type[nn.Module]) -> str:
    """Without the arguments that are as they are by default."""
    tree = ast.parse(call, mode="eval").body
    assert isinstance(tree, ast.Call)
    defaults = {name: each.default for name, each in inspect.signature(kind).parameters.items()}
    tree.keywords = [
        each
        for each in tree.keywords
        if each.arg is None or defaults.get(each.arg) != ast.literal_eval(each.value)
    ]
    return ast.unparse(tree).replace("'", '"')


def _prior(latent: dict[str, Any]) -> str:
    """The call that draws latents as `game.inputs.draw_latents` does, from other random numbers."""
    dim, std = latent["dim"], latent["std"]
    if latent["distribution"] == "uniform":
        parts = [f"(2 * torch.rand(count, {dim}) - 1) * {3**0.5 * std!r}"]
    else:
        parts = [f"torch.randn(count, {dim})" + ("" if std == 1 else f" * {std!r}")]
    if categories := latent["categories"]:
        parts.append(f"torch.eye({categories})[torch.randint({categories}, (count,))]")
    if continuous := latent["continuous"]:
        parts.append(f"2 * torch.rand(count, {continuous}) - 1")
    if len(parts) == 1:
        return parts[0]
    inside = indent(",\n".join(parts), " " * 8)
    return f"torch.cat([\n{inside},\n    ], 1)"
