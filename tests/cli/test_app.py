"""What surrounds every command: help, encodings, readers, exit."""

import inspect
import os
import re
import subprocess
import sys
import tomllib
from typing import get_type_hints

import pytest
from command import COMMANDS, call

from counterfeit import cli, recipe
from counterfeit.cli.app import app


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from counterfeit import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'matplotlib', 'pydantic', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_each_of_its_options(capsys, command: str) -> None:
    status, out, _ = call(capsys, command, "--help")
    assert status == 0
    text = " ".join(out.replace("│", " ").split())
    function = app[command].default_command
    described = dict(re.findall(r"^    (\w+): (.*)$", inspect.getdoc(function), flags=re.M))
    annotations = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    for name in parameters.keys() - described.keys():  # an option of all explains itself
        described[name] = next(each.help for each in annotations[name].__metadata__ if each.help)
    assert described.keys() == parameters.keys()
    for words in described.values():
        assert " ".join(words.split()[:3]) in text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_a_recipe_prints_whatever_the_terminal(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "counterfeit", "recipes", "sgd"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
    assert recipe.parse(tomllib.loads(done.stdout.decode()), "stdout") == recipe.load("sgd")


def test_debug_shows_where(capsys) -> None:
    with pytest.raises(Exception, match="no recipe"):
        cli.main(["train", "unknown", "--debug"])
