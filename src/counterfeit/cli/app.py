"""The commands together, and what surrounds each of them."""

import atexit
import gc
import io
import os
import sys

from cyclopts import App

from counterfeit.cli import threads
from counterfeit.cli.data import data, recipes
from counterfeit.cli.errors import report_error
from counterfeit.cli.look import diagnose, report, sample
from counterfeit.cli.measure import evaluate
from counterfeit.cli.reproduce import reproduce
from counterfeit.cli.train import train
from counterfeit.errors import Interrupted

app = App(
    name="counterfeit",
    help="Train, measure and explain generative adversarial networks, starting from the paper.",
    help_epilogue=(
        "Commands end with the path of what they made on stdout; progress goes to stderr."
        " Add --debug to see where an error came from."
    ),
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # `main` says what was saved
)
for command in (recipes, data, train, evaluate, diagnose, sample, report, reproduce):
    app.command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad usage, 128 + n stopped by signal n.

    And 3 when a finding ended the run (`train --stop-on`).
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # TOML is UTF-8; names of files need not be.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    threads.begin()
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    # At its end, Python searches PyTorch's objects for cycles, which takes over a second; frozen
    # objects are left out.
    atexit.register(gc.freeze)
    try:
        app(
            [argument for argument in arguments if argument != "--debug"],
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, `head` say, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Exception, Interrupted) as error:
        if debug and not (isinstance(error, Interrupted) and error.__cause__ is None):
            raise
        sys.exit(report_error(error))
    except KeyboardInterrupt:
        sys.exit(130)
