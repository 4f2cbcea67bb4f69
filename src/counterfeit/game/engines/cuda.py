"""One adversarial update as a CUDA graph: recorded once, then replayed by a single launch.

What is recorded is the plain step of `step.py`, optimisers included. On networks this small the
GPU waits for Python to launch some hundred kernels an update; a graph launches them together.

Nothing that changes from update to update may be a number in Python: batches and latents are copied
into tensors that stay, learning rates and momentums are tensors (see `optimizers`), and dropout's
generator is registered with the graph, which at each replay draws from wherever the generator then
stands. So its masks stay functions of the seed and the step.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.game.step import Outcome

WARM_UPS = 3
"""Updates that run before one is recorded: they make the optimisers' state and PyTorch's caches."""


class GraphedStep:
    """An update with the arguments of `alternating_step` behind its players.

    What it returns is overwritten by the next update. On another device than CUDA it does the same
    with the same tensors, without a graph.

    Args:
        move: the update; all calls must have the same shapes, labels and loss.
        rng: the generator that it draws from.
    """

    def __init__(self, move: Callable[..., Outcome], rng: torch.Generator) -> None:
        self._move = move
        self._rng = rng
        self._updates = 0
        self._inputs: tuple[Tensor, Tensor] | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(
        self,
        reals: Float[Tensor, "k B C H W"],
        latents: Float[Tensor, "draws B z"],
        real_labels: Float[Tensor, " B"],
        generator_loss: str,
    ) -> Outcome:
        if self._inputs is None:
            self._inputs = reals.clone(), latents.clone()
        else:
            for held, given in zip(self._inputs, (reals, latents), strict=True):
                held.copy_(given)
        arguments = (*self._inputs, real_labels, generator_loss)
        if self._graph is not None:
            self._graph.replay()
            return self._outcome
        outcome = self._run(arguments)
        self._updates += 1
        if reals.is_cuda and self._updates == WARM_UPS:
            self._record(arguments)
        return outcome

    def _run(self, arguments: tuple[Tensor, Tensor, Tensor, str]) -> Outcome:
        """The update itself, on a stream of its own, as what comes before a recording must be."""
        if not arguments[0].is_cuda:
            return self._move(*arguments)
        here = torch.cuda.current_stream()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            outcome = self._move(*arguments)
        here.wait_stream(aside)
        return outcome

    def _record(self, arguments: tuple[Tensor, Tensor, Tensor, str]) -> None:
        """Record an update, which runs nothing and changes nothing."""
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._rng)
        with torch.cuda.graph(graph):
            self._outcome = self._move(*arguments)
        self._graph = graph
