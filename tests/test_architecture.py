"""Data flows one way: nothing imports what stands to its right in the house."""

import ast
from pathlib import Path

import pytest

import counterfeit

PACKAGE = Path(counterfeit.__file__).parent

HOUSE = [
    ["errors", "seeds", "cores", "language", "terminal"],
    ["arguments", "files", "optional"],
    ["recipe"],
    ["data", "networks", "environment"],
    ["game"],
    ["run"],
    ["training"],
    ["measure"],
    ["insight"],
    ["progress", "reproduce", "tracking", "monitor", "session"],
    ["study"],
    ["search", "trials", "tricks"],
    ["exports"],
    ["view"],
    ["cli"],
    ["__main__"],
]
"""From left to right; docs/architecture.md draws the same. `cli` alone may import everything."""

NEVER = {"measure": "training", "insight": "training", "training": "progress"}
"""Measuring and explaining know run directories, and no optimiser."""

LEVEL = {room: number for number, rooms in enumerate(HOUSE) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "counterfeit":
                rooms |= {parts[1]} if len(parts) > 1 else {name.name for name in node.names}
        elif isinstance(node, ast.Import):
            names = [name.name.split(".") for name in node.names]
            rooms |= {parts[1] for parts in names if parts[0] == "counterfeit" and len(parts) > 1}
    return rooms


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def test_every_room_is_in_the_house() -> None:
    assert {room_of(path) for path in MODULES} == set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_what_stands_to_its_right(path: Path) -> None:
    room = room_of(path)
    for other in imported_rooms(path) - {room}:
        assert LEVEL[other] <= LEVEL[room], f"{room} imports {other}"
        assert NEVER.get(room) != other, f"{room} must not know {other}"
