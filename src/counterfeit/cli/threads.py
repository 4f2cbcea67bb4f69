"""Threads of a command: no more than the machine grants, and a word where others use it."""

from typing import TYPE_CHECKING

from counterfeit import cores
from counterfeit.cli.output import tell

if TYPE_CHECKING:
    from counterfeit.recipe import Recipe

_began: cores.Moment | None = None


def begin() -> None:
    """At a command's start, before torch is imported: from now on, others' work is counted."""
    global _began
    cores.limit_threads()
    _began = cores.moment()


def say_what_is_faster(spec: "Recipe", device: str) -> None:
    """One line on stderr where others have kept cores busy since `begin`; imports take seconds.

    Not where the user has decided already, by one of `cores.SETTINGS`, nor on a GPU.
    """
    import torch

    from counterfeit.environment import pick_device

    now = cores.moment()
    if _began is None or now is None or cores.chosen() or pick_device(device).type != "cpu":
        return
    busy = cores.others(_began, now)
    fast = spec.generator.name == spec.discriminator.name == "mlp"  # see game/engines/fast.py
    bits_depend = spec.training.precision == "bf16" or not fast
    line = busy and cores.advice(busy, torch.get_num_threads(), bits_depend=bits_depend)
    if line:
        tell(f"counterfeit: {line}")
