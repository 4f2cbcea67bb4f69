"""Recipes by name and from files."""

import os
from importlib.resources import files
from pathlib import Path

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.recipe.explain import nearest
from counterfeit.recipe.recipe import Recipe, parse
from counterfeit.recipe.tables import read_toml, toml_text


def names() -> list[str]:
    """The built-in recipes."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files("counterfeit").joinpath("recipes").iterdir()
        if entry.name.endswith(".toml")
    )


def load(name: StrPath | Recipe) -> Recipe:
    """The recipe of that name, or in that TOML file; a recipe is itself.

    Raises:
        UsageError: no such recipe or file, not TOML, an unknown key, or an impossible value.
    """
    if isinstance(name, Recipe):
        return name
    arguments.path("a recipe", name)
    origin, text = _text_of(os.fspath(name))
    return parse(read_toml(text, origin), origin)


def _text_of(name: str) -> tuple[str, str]:
    if name in names():
        return f"recipe {name}", files("counterfeit").joinpath(f"recipes/{name}.toml").read_text(
            encoding="utf-8"
        )
    path = Path(name)
    if path.suffix != ".toml":
        raise UsageError(
            f"no recipe is called '{name}'.{nearest(name, names())}"
            " (`counterfeit recipes` lists them; a file of your own must end in .toml)."
        )
    return str(path), toml_text(path)
