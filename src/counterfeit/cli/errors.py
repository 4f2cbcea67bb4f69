"""What is said of an error, and the exit status that it leads to."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from cyclopts import CycloptsError, UnknownOptionError

from counterfeit.cli.output import tell
from counterfeit.cli.processes import tell_torchrun
from counterfeit.errors import CounterfeitError, Interrupted, is_memory


def report_error(error: Exception | Interrupted) -> int:
    """Print one line that says what is wrong and what to do; return the exit status."""
    if isinstance(error, CounterfeitError | Interrupted):
        message, status = str(error), error.exit_status
    elif isinstance(error, CycloptsError):
        message, status = _usage(error), 2
    elif is_memory(error):
        message = "out of memory; lower the batch size, the networks, or the number of images."
        status = 1
    else:
        kind = type(error).__name__
        message, status = f"unexpected {kind}: {error} (--debug shows where).", 1
    line = f"counterfeit: {_one_line(message)}"
    tell(line)
    tell_torchrun(line)
    for note in getattr(error, "__notes__", []):
        tell(f"  - {_one_line(note)}", rest="    ")
    return status


def _usage(error: CycloptsError) -> str:
    """What is wrong with the arguments, and where the right ones are found."""
    if not error.command_chain:
        return f"{str(error).rstrip('.')}. `counterfeit --help` shows the commands."
    said = (
        _unknown(error) if isinstance(error, UnknownOptionError) else str(error).rstrip(".") + "."
    )
    return f"{said} `counterfeit {' '.join(error.command_chain)} --help` shows the options."


def _unknown(error: UnknownOptionError) -> str:
    """No such option; but a value of the recipe of that name, or an option that is close to it."""
    option = (error.token.keyword or error.token.value).partition("=")[0]
    name = option.lstrip("-").replace("_", "-")
    known = [each.lstrip("-") for argument in error.argument_collection for each in argument.names]
    keys = _recipe_keys(name.replace("-", "_")) if "set" in known else []
    close = difflib.get_close_matches(name, known, n=1)
    if keys:
        hint = (
            f" A recipe's values are given as {' or '.join(f'--set {key}=VALUE' for key in keys)}."
        )
    else:
        hint = f" Did you mean --{close[0]}?" if close else ""
    return f"There is no option {option}.{hint}"


def _recipe_keys(name: str) -> list[str]:
    """The keys of recipes that end in that name, in their order."""
    from counterfeit import recipe

    keys = dict.fromkeys(
        key for each in recipe.names() for key in _flat_keys(recipe.load(each).values)
    )
    return [key for key in keys if f".{key}".endswith(f".{name}")]


def _flat_keys(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat_keys(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _one_line(message: str) -> str:
    """Control characters, which names of files may hold, escaped; the middle of a long one cut."""
    if len(message) > 900:
        message = f"{message[:600]} … {message[-250:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
