"""What the documents tell people to type: it is there, and it is read as it was meant."""

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclopts import CycloptsError

import counterfeit
from counterfeit import recipe
from counterfeit.cli.app import app as command_line

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [*REPOSITORY.glob("README*.md"), *REPOSITORY.glob("docs/*.md")]
READMES = [REPOSITORY / "README.md", REPOSITORY / "README.ko.md"]

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = r"(?:[A-Z_]+=\S+ )*(?:counterfeit|make|python benchmarks/[^\s`]+)(?: .*)?"
QUOTED = re.compile(f"`({COMMAND.replace('.*', '[^`]+')})`")
PLACEHOLDERS = {"...", "…", "N", "RECIPE", "[RUN"}


def blocks(document: Path, language: str) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return [block for name, block in FENCE.findall(text) if name == language]


def lines_typed(document: Path) -> list[str]:
    """The blocks' lines as a shell reads them: one that ends in a backslash goes on in the next."""
    return [
        line for block in blocks(document, "") for line in block.replace("\\\n", "").splitlines()
    ]


def typed(document: Path) -> Iterator[list[str]]:
    """The words of each command: of the blocks, and of those that are quoted in a sentence."""
    lines = lines_typed(document)
    lines += QUOTED.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
    for line in lines:
        if re.fullmatch(COMMAND, line):
            words = shlex.split(line.partition(" > ")[0], comments=True)
            yield [word for word in words if not re.fullmatch(r"[A-Z_]+=\S+", word)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_their_options_exist(document: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[1].split()
    for program, *arguments in typed(document):
        if program == "make":
            assert {word for word in arguments if "=" not in word} <= {*targets}, arguments
        elif program == "python":
            assert (REPOSITORY / arguments[0]).is_file(), arguments
        elif len(arguments) == 1:  # it is spoken of
            assert arguments[0] in command_line
        elif not PLACEHOLDERS & {*arguments}:
            command_line.parse_args(arguments, exit_on_error=False, print_error=False)


def test_readmes_type_the_same_and_nothing_else() -> None:
    english, korean = (
        [shlex.split(line, comments=True) for line in lines_typed(document)] for document in READMES
    )
    assert english == korean
    assert {words[0] for words in english} == {"git", "cd", "make", "counterfeit"}
    assert ["make", "demo"] in english


def test_a_wrong_option_and_a_command_that_is_gone_are_found(tmp_path: Path) -> None:
    document = tmp_path / "x.md"
    wrong = [
        "counterfeit train sgd --lr 1",
        "counterfeit train sgd \\\n    --lr 1",
        "counterfeit tame RUN",
        "make tea",
    ]
    for line in wrong:
        document.write_text(f"```\n{line}    # a word\n```\n")
        with pytest.raises((CycloptsError, AssertionError)):
            test_commands_and_their_options_exist(document)


@pytest.mark.parametrize(
    "document", [*READMES, REPOSITORY / "docs" / "index.md"], ids=lambda path: path.name
)
def test_the_python_example_runs(
    document: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    train = counterfeit.train

    def quickly(name: str, *, epochs: int, seed: int) -> Any:
        assert epochs <= recipe.load(name).training.epochs
        small = {"data.name": "digits", "data.train_images": 128, "training.batch_size": 64}
        return train(recipe.load(name).with_values(small), epochs=1, seed=seed, out=tmp_path)

    monkeypatch.setattr(counterfeit, "train", quickly)
    example, *_ = blocks(document, "python")
    found: dict[str, Any] = {}
    exec(compile(example, document.name, "exec"), found)
    assert found["images"].shape == (100, 1, 8, 8)
    if "losses" in found:
        assert [epoch for epoch, _, _ in found["losses"]] == [1.0]


@pytest.mark.parametrize(
    "document", [*READMES, REPOSITORY / "docs" / "monitor.md"], ids=lambda path: path.name
)
def test_what_a_monitor_is_told_it_takes(document: Path) -> None:
    """Sketches of loops cannot run: their arguments at least exist."""
    told = set()
    for sketch in blocks(document, "python"):
        for call in ast.walk(ast.parse(sketch)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                name = call.func.attr
                if name in ("Monitor", "update", "epoch", "close"):
                    on = counterfeit if name == "Monitor" else counterfeit.Monitor
                    method = [] if name == "Monitor" else [None]
                    given = {keyword.arg: None for keyword in call.keywords}
                    inspect.signature(getattr(on, name)).bind(*method, *call.args, **given)
                    told.add(name)
    assert told >= {"Monitor", "update", "epoch"}
