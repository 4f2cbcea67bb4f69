"""The command line: one subcommand is one function. Heavy imports stay inside them."""

from counterfeit.cli.app import main
from counterfeit.cli.errors import report_error

__all__ = ["main", "report_error"]
