"""A command run in this process."""

import re

import pytest

from counterfeit import cli

NEXT = re.compile(r"^next: .*\n\Z", re.MULTILINE)

COMMANDS = [
    *("data", "diagnose", "evaluate", "export", "push", "recipes", "report"),
    *("reproduce", "sample", "train", "view"),
]

TINY = [
    "--data=digits", "--epochs=1", "--batch-size=64", "--set=generator.hidden=[8, 8]",
    "--set=discriminator.hidden=[8, 8]", "--quiet",
]  # fmt: skip


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command run in this process.

    Of stderr without the last line, where it says what to do next.
    """
    status = 0
    try:
        cli.main(list(arguments))
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, NEXT.sub("", captured.err)
