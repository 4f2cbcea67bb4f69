"""Randomness as a function of (seed, stream, step), never of what was drawn before.

Each draw starts a fresh generator, so that a resumed run needs no generator state, one step can be
replayed alone, and a new consumer of random numbers changes no other one.
"""

import hashlib
from typing import Literal

import torch

Stream = Literal[
    "init", "order", "latent", "dropout", "penalty", "labels", "view", "replay",  # training
    "history", "evaluation", "classes", "vitals",  # what a run is looked at by
    "classifier", "subset", "jackknife",  # measuring
]  # fmt: skip
"""What random numbers are drawn for; each stream is independent of the others."""


def stream_seed(seed: int, stream: Stream, step: int = 0) -> int:
    """The 63-bit seed of `stream` at `step`, the same on every machine and in every version."""
    digest = hashlib.blake2b(f"{seed}/{stream}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def stream(
    seed: int, name: Stream, step: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A generator on `device`, at the start of the stream `name` at `step`."""
    return torch.Generator(device).manual_seed(stream_seed(seed, name, step))
