"""Streams of random numbers: which there are, and that they stay what they are."""

import ast
from pathlib import Path
from typing import get_args

import counterfeit
from counterfeit.seeds import Stream, stream_seed

PACKAGE = Path(counterfeit.__file__).parent


def drawn_from(path: Path) -> set[str]:
    """The streams that a module names."""
    return {
        node.args[1].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", None) in ("stream", "stream_seed")
        and isinstance(node.args[1], ast.Constant)
    }


def test_every_stream_is_listed_and_drawn_from() -> None:
    assert set(get_args(Stream)) == set().union(*map(drawn_from, PACKAGE.rglob("*.py")))


def test_seeds_are_the_same_on_every_machine() -> None:
    assert stream_seed(0, "init") == 900553517829159482
    assert stream_seed(3, "latent", 7) != stream_seed(3, "latent", 8)
