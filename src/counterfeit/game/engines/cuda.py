"""One adversarial update as a CUDA graph: recorded once, then replayed by a single launch.

What is recorded is the plain step of `step.py`, optimisers included. On networks this small the
GPU waits for Python to launch some hundred kernels an update; a graph launches them together.

Nothing that changes from update to update may be a number in Python: batches and latents are copied
into tensors that stay, learning rates and momentums are tensors (see `optimizers`), and dropout's
generator is registered with the graph, which at each replay draws from wherever the generator then
stands. So its masks stay functions of the seed and the step.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.game.inputs import Batch
from counterfeit.game.step import Outcome

WARM_UPS = 3
"""Updates that run before one is recorded: they make the optimisers' state and PyTorch's caches."""


class GraphedEngine:
    """Another engine's update, recorded and replayed; what it returns is overwritten by the next.

    On another device than CUDA it does the same with the same tensors, without a graph.

    Args:
        engine: the update; all calls must have the same shapes, and nothing may depend on the
            update's number.
        rng: the generator that the networks draw from.
    """

    def __init__(self, engine: Callable[..., Outcome], rng: torch.Generator) -> None:
        self._engine = engine
        self._rng = rng
        self._updates = 0
        self._reals: list[Batch] = []
        self._latents: Tensor | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(
        self, reals: Sequence[Batch], latents: Float[Tensor, "draws B z"], number: int
    ) -> Outcome:
        if self._latents is None:
            self._latents = latents.clone()
            self._reals = [
                Batch(real.images.clone(), None if real.labels is None else real.labels.clone())
                for real in reals
            ]
        else:
            self._latents.copy_(latents)
            for held, given in zip(self._reals, reals, strict=True):
                held.images.copy_(given.images)
                if held.labels is not None and given.labels is not None:
                    held.labels.copy_(given.labels)
        if self._graph is not None:
            self._graph.replay()
            return self._outcome
        outcome = self._run()
        self._updates += 1
        if latents.is_cuda and self._updates == WARM_UPS:
            self._record()
        return outcome

    def _run(self) -> Outcome:
        """The update itself, on a stream of its own, as what comes before a recording must be."""
        assert self._latents is not None
        if not self._latents.is_cuda:
            return self._engine(self._reals, self._latents, 0)
        here = torch.cuda.current_stream()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            outcome = self._engine(self._reals, self._latents, 0)
        here.wait_stream(aside)
        return outcome

    def _record(self) -> None:
        """Record an update, which runs nothing and changes nothing."""
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._rng)
        with torch.cuda.graph(graph):
            self._outcome = self._engine(self._reals, self._latents, 0)
        self._graph = graph
