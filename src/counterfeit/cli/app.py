"""The commands together, and what surrounds each of them."""

import atexit
import gc
import logging
import sys

from cyclopts import App

from counterfeit.cli import streams, threads
from counterfeit.cli.data import data, recipes
from counterfeit.cli.errors import report_error
from counterfeit.cli.look import diagnose, report, sample
from counterfeit.cli.measure import evaluate
from counterfeit.cli.output import Warnings
from counterfeit.cli.processes import one_command
from counterfeit.cli.reproduce import reproduce
from counterfeit.cli.search import search
from counterfeit.cli.study import study
from counterfeit.cli.take import export, push
from counterfeit.cli.train import train
from counterfeit.cli.trial import trial
from counterfeit.cli.view import view
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
for command in (
    recipes, data, train, evaluate, diagnose, sample, report, view, export, push, reproduce, trial
):  # fmt: skip
    app.command(command)
app.command(study)
app.command(search)

warnings = Warnings()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad usage, 128 + n stopped by signal n.

    And 3 when a finding ended the run (`train --stop-on`).
    """
    threads.begin()
    logging.getLogger("counterfeit").addHandler(warnings)  # the same one is added once
    arguments = sys.argv[1:] if arguments is None else arguments
    # At its end, Python searches PyTorch's objects for cycles, which takes over a second; frozen
    # objects are left out.
    atexit.register(gc.freeze)
    debug = "--debug" in arguments
    with streams.standing():
        told = sys.stderr.isatty() and not {"--quiet", "-q"}.intersection(arguments)
        downloads = logging.getLogger("counterfeit.data.published")  # they may take minutes
        downloads.setLevel(logging.INFO if told else logging.NOTSET)
        try:
            with one_command() as ours:
                if ours:
                    app(
                        [argument for argument in arguments if argument != "--debug"],
                        exit_on_error=False,
                        print_error=False,
                        result_action="return_value",
                    )
            sys.stdout.flush()
        except (Exception, Interrupted) as error:
            if debug and not (isinstance(error, Interrupted) and error.__cause__ is None):
                raise
            sys.exit(report_error(error))
        except KeyboardInterrupt:
            sys.exit(130)
