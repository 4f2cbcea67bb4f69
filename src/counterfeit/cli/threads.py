"""Threads of a command: no more than the machine grants, and a word where others use it."""

import sys

from counterfeit import cores

_began: cores.Moment | None = None


def begin() -> None:
    """At a command's start, before torch is imported: from now on, others' work is counted."""
    global _began
    cores.limit_threads()
    _began = cores.moment()


def say_what_is_faster(precision: str) -> None:
    """One line on stderr where others have kept cores busy since `begin`; imports take seconds.

    Not where the user has decided already, by one of `cores.SETTINGS`.
    """
    import torch

    now = cores.moment()
    if _began is None or now is None or cores.chosen():
        return
    busy = cores.others(_began, now)
    line = busy and cores.advice(busy, torch.get_num_threads(), precision=precision)
    if line:
        print(f"counterfeit: {line}", file=sys.stderr)
