"""A generator as a folder that explains itself, as model hubs take it."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save

from counterfeit.exports.card import card
from counterfeit.exports.code import to_python
from counterfeit.exports.facts import as_text
from counterfeit.exports.portable import Portable
from counterfeit.files import write_whole, writing
from counterfeit.insight.charts.grids import COLUMNS, grid
from counterfeit.insight.charts.save import encoded
from counterfeit.run import Run, asked

WEIGHTS = "model.safetensors"


def to_weights(ready: Portable) -> bytes:
    """The weights of a network in plain PyTorch, and its facts as their metadata."""
    tensors = {name: each.contiguous() for name, each in ready.network.state_dict().items()}
    return save(tensors, as_text(ready.facts))


def files_of(run: Run, ready: Portable) -> dict[str, bytes]:
    """What the folder of a run's generator holds, by name: its weights, its configuration, the file
    of plain PyTorch that loads them, some of its images, and the card that explains them.

    Raises:
        UsageError: it is a module of the user's own.
    """
    return {
        WEIGHTS: to_weights(ready),
        "config.json": json.dumps(ready.facts, indent=2, ensure_ascii=False).encode(),
        "generator.py": to_python(ready, "generator", WEIGHTS).encode(),
        "samples.png": _samples(run, ready.facts["step"]),
        "README.md": card(run, ready).encode(),
    }


def _samples(run: Run, step: int) -> bytes:
    """A grid of one hundred; of a run whose networks are told classes, in rows of each."""
    labels = asked.evenly(100, len(run.classes)) if run.classes else None
    images = run.sample(100, labels=labels, step=step)
    return encoded(grid(images.numpy(), COLUMNS), "png")


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder, over those of the same names.

    Raises:
        CannotWrite: it cannot be made, or written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_whole(folder / name, content)
