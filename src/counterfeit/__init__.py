"""Counterfeit trains, measures and explains generative adversarial networks.

>>> import counterfeit
>>> run = counterfeit.train("batchnorm-smoothing", epochs=20)
>>> images = run.sample(100)  # uint8 (100, 1, 28, 28)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterfeit.errors import CounterfeitError, Interrupted
    from counterfeit.exports import export
    from counterfeit.measure.sets import evaluate
    from counterfeit.monitor import Monitor
    from counterfeit.recipe import Recipe
    from counterfeit.recipe import load as load_recipe
    from counterfeit.run import Run
    from counterfeit.session import resume, train

__all__ = [
    "CounterfeitError",
    "Interrupted",
    "Monitor",
    "Recipe",
    "Run",
    "evaluate",
    "export",
    "load_recipe",
    "resume",
    "train",
]

_HOMES = {
    "CounterfeitError": ("counterfeit.errors", "CounterfeitError"),
    "Interrupted": ("counterfeit.errors", "Interrupted"),
    "Monitor": ("counterfeit.monitor", "Monitor"),
    "Recipe": ("counterfeit.recipe", "Recipe"),
    "Run": ("counterfeit.insight", "Run"),
    "evaluate": ("counterfeit.measure.sets", "evaluate"),
    "export": ("counterfeit.exports", "export"),
    "load_recipe": ("counterfeit.recipe", "load"),
    "resume": ("counterfeit.session", "resume"),
    "train": ("counterfeit.session", "train"),
}


def __getattr__(name: str) -> object:
    """Import on first use, so that `counterfeit --help` need not wait for torch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("counterfeit")
    if name not in _HOMES:
        raise AttributeError(f"module 'counterfeit' has no attribute '{name}'")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
