"""Randomness as a function of (seed, stream, step), never of what was drawn before.

Each draw starts a fresh generator, so that a resumed run needs no generator state, one step can be
replayed alone, and a new consumer of random numbers changes no other one.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch

Stream = Literal[
    "init", "order", "latent", "dropout", "penalty", "labels", "view", "replay", "user",  # training
    "history", "evaluation", "classes", "vitals",  # what a run is looked at by
    "classifier", "subset", "jackknife",  # measuring
    "stacked",  # the digits of Stacked MNIST
    "search",  # what a trial tries
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


@contextmanager
def global_draws(seed: int, devices: Iterable[torch.device] = ()) -> Iterator[None]:
    """While the block runs, the global generators of torch, NumPy and Python start from a seed;
    after it they are as they were. For code that is not ours, which may draw from any of them.

    Args:
        devices: whose generators of torch's that are, beside the processor's.
    """
    cuda = {device for device in devices if device.type == "cuda"}
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - whatever that code uses
    with torch.random.fork_rng(devices=cuda):
        torch.default_generator.manual_seed(seed)
        for device in cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
