"""Values of options are taken as they are written, or refused."""

import re
from collections.abc import Iterator
from inspect import signature

import pytest
from command import COMMANDS, call

from counterfeit.cli.app import app


def counts() -> Iterator[tuple[str, str]]:
    """Each command's options that hold a whole number."""
    for command in COMMANDS:
        for name, parameter in signature(app[command].default_command).parameters.items():
            if re.search(r"\bint\b", str(parameter.annotation)):
                yield command, f"--{name.replace('_', '-')}"


def test_some_options_are_whole_numbers() -> None:
    assert ("train", "--epochs") in counts()
    assert ("sample", "--count") in counts()


@pytest.mark.parametrize(("command", "option"), list(counts()))
@pytest.mark.parametrize("value", ["1.5", "many", ""])
def test_a_whole_number_is_not_rounded(capsys, command: str, option: str, value: str) -> None:
    place = [] if command == "reproduce" else ["any"]
    status, out, err = call(capsys, command, *place, f"{option}={value}")
    assert (status, out) == (2, "")
    assert f"Invalid value for {option}: '{value}' is no whole number." in err
