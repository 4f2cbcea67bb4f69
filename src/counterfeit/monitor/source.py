"""A generator and latents to look at it with, as if nobody had looked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from counterfeit.arguments import shown
from counterfeit.errors import UsageError
from counterfeit.monitor.eyes import Eyes
from counterfeit.monitor.images import as_images
from counterfeit.run import SNAPSHOT_IMAGES
from counterfeit.run.sampler import looking_at
from counterfeit.seeds import global_draws

BATCH = 100

EXAMINED = 128
"""Latents that the networks are examined with."""

LEAST = 2
"""Latents to ask for: a batch, whatever a generator makes of one alone."""

Latents = Tensor | Sequence[Any] | Callable[[int], Any]
Arguments = tuple[Any, ...]


class Source:
    """Makes images of a stranger's generator.

    Args:
        eyes: which look away meanwhile, and know what the loop's own latents were.
        latents: a tensor, or the generator's arguments; or a function that draws n of them.

    Raises:
        UsageError: latents that are none of these.
    """

    def __init__(self, generator: nn.Module, eyes: Eyes, latents: Latents, samples: int) -> None:
        self.generator, self.eyes, self.samples = generator, eyes, samples
        self._draw = None if isinstance(latents, Tensor) or not callable(latents) else latents
        if self._draw is not None:
            with unchanged(generator):
                latents = self._draw(SNAPSHOT_IMAGES)
        else:
            eyes.latents.most = max(samples, EXAMINED)
        given = _as_arguments(latents)
        eyes.fixed = None if self._draw else given[0]
        self.fixed: Arguments = tuple(
            each[:SNAPSHOT_IMAGES].detach().clone() if isinstance(each, Tensor) else each
            for each in given
        )
        """The generator's arguments for the images that are kept of each epoch."""

    def images(
        self, args: Arguments, kwargs: Mapping[str, Any] | None = None
    ) -> Float[Tensor, "N C H W"]:
        """In eval mode, on the CPU."""
        with self.unseen(), torch.no_grad(), looking_at(self.generator):
            return as_images(self.generator(*args, **(kwargs or {}))).float().cpu()

    def new_images(self) -> Iterator[Float[Tensor, "n C H W"]]:
        """As many as are wanted or a few more, in batches: of latents that are drawn, or of those
        that the loop itself drew last; none before it has."""
        if not self.samples:
            return
        if self._draw is None:
            for args, kwargs in list(self.eyes.latents):
                yield self.images(args, kwargs)
            return
        with unchanged(self.generator):
            drawn = _as_arguments(self._draw(max(LEAST, self.samples)))
        for start in range(0, self.samples, BATCH):
            yield self.images(
                tuple(
                    each[start : start + BATCH] if isinstance(each, Tensor) else each
                    for each in drawn
                )
            )

    def latents(self, count: int) -> Tensor | None:
        """Some to examine the networks with; None where it takes more than latents to call G, or
        none are known yet."""
        if len(self.fixed) > 1:
            return None
        if self._draw is not None:
            with unchanged(self.generator):
                drawn: Tensor = _as_arguments(self._draw(count))[0]
            return drawn
        kept = [args[0] for args, kwargs in self.eyes.latents if not kwargs and len(args) == 1]
        return torch.cat(kept)[-count:] if kept else None

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """While the networks are called by us: the loop's own calls alone are counted, and no
        random state moves."""
        with self.eyes.closed(), unchanged(self.generator):
            yield


def unchanged(network: nn.Module) -> AbstractContextManager[None]:
    """Leaves the random states of torch, NumPy and Python as they were; inside, they begin the same
    each time, so that a network that draws noise draws the same."""
    return global_draws(0, {each.device for each in network.parameters()})


def _as_arguments(latents: Any) -> Arguments:
    given = tuple(latents) if isinstance(latents, tuple | list) else (latents,)
    if not given or not isinstance(given[0], Tensor) or given[0].ndim < 1 or len(given[0]) < LEAST:
        raise UsageError(
            "latents must be a tensor of 2 or more, such as torch.randn(100, 100), or a function"
            f" that draws n, not {shown(latents)}."
        )
    return given
