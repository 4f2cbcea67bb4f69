"""The plain step on several processes: each runs both networks on its share of every batch.

All processes hold the same players, latents and real images. Whatever of the step is not a network
each of them does on whole batches: what D sees, losses, penalties, old fakes. So a recipe's rules
are what they are on one process, and so are its random numbers. A `SharedNetwork` runs on this
process's rows of a batch, and gives the answers to all rows; in it, layers that look at a batch as
a whole look at all rows, and layers that draw for each row draw for all and use their own.
Gradients by weights are those of a process's rows, and are added up.

Processes are those of torch.distributed's default group, among which each batch must divide. All
call the same in the same order, so that each makes the same step, to the bit.
"""

import copy
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float, Int64
from torch import Tensor, nn

from counterfeit.errors import CounterfeitError
from counterfeit.game.step import Player
from counterfeit.networks import Dropout, Scores, ask
from counterfeit.networks.minibatch import MinibatchDiscrimination, MinibatchStddev


class Lost(CounterfeitError):
    """Another process has ended, without which this one cannot go on."""


class SharedPlayer(Player):
    """A player whose network all processes run, and who moves by the gradients of all of them."""

    def __init__(self, alone: Player) -> None:
        shared = SharedNetwork(alone.network)
        super().__init__(shared, alone.optimizer, alone.settings, alone.constraint)

    def gradients(
        self, loss: Float[Tensor, ""], *, keep_graph: bool = False
    ) -> Sequence[Float[Tensor, "..."]]:
        own = super().gradients(loss, keep_graph=keep_graph)
        total = torch.cat([gradient.flatten() for gradient in own])
        with reaching_others():
            dist.all_reduce(total)
        parts = torch.split(total, [gradient.numel() for gradient in own])
        return [part.view_as(gradient) for part, gradient in zip(parts, own, strict=True)]


class SharedNetwork(nn.Module):
    """A network of ours whose rows are shared out: from whole batches to whole answers.

    It has the network's parameters and buffers, not copies of them; the network stays as it is.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        held: dict[int, Any] = {
            id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())
        }
        held |= {
            id(rng): rng for layer in network.modules() if (rng := getattr(layer, "rng", None))
        }
        self.inner = copy.deepcopy(network, held)
        for layer in self.inner.modules():
            layer.__class__ = OF_WHOLE_BATCHES.get(type(layer), type(layer))
        self.conditional = getattr(network, "conditional", False)

    def forward(self, x: Tensor, labels: Int64[Tensor, " B"] | None = None) -> Tensor | Scores:
        said = ask(self.inner, _Take.apply(x), None if labels is None else own_rows(labels))
        if isinstance(said, Scores):
            extra = {name: _Join.apply(values) for name, values in said.extra.items()}
            return Scores(_Join.apply(said.logits), extra)
        whole: Tensor = _Join.apply(said)
        return whole


# What layers do on a share of a batch that would differ from what they do on all of it.


class _BatchNorm(nn.modules.batchnorm._BatchNorm):
    """By the mean and the variance of all rows: torch's SyncBatchNorm runs on GPUs alone."""

    def forward(self, x: Float[Tensor, "N F ..."]) -> Float[Tensor, "N F ..."]:
        if not self.training:
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        wide = x.to(self.running_mean.dtype)
        mean, variance = moments(wide, [0, *range(2, x.ndim)])
        count = x.numel() // x.shape[1] * dist.get_world_size()
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        scale = torch.rsqrt(variance + self.eps)
        shift = -mean * scale
        if self.affine:
            scale, shift = scale * self.weight, torch.addcmul(self.bias, shift, self.weight)
        shape = (-1, *[1] * (x.ndim - 2))
        return torch.addcmul(shift.view(shape), wide, scale.view(shape)).to(x.dtype)


class _BatchNorm1d(_BatchNorm, nn.BatchNorm1d):
    pass


class _BatchNorm2d(_BatchNorm, nn.BatchNorm2d):
    pass


class _Dropout(Dropout):
    def keep(self, shape: Sequence[int]) -> Float[Tensor, "N ..."]:
        rows, *rest = shape
        return own_rows(super().keep([rows * dist.get_world_size(), *rest]))


class _MinibatchDiscrimination(MinibatchDiscrimination):
    def others(self, rows: Float[Tensor, "N ..."]) -> Float[Tensor, "B ..."]:
        return of_all(rows).flatten(0, 1)


class _MinibatchStddev(MinibatchStddev):
    def variance(self, x: Float[Tensor, "N ..."]) -> Float[Tensor, "..."]:
        return moments(x, [0])[1]


OF_WHOLE_BATCHES: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm1d: _BatchNorm1d,
    nn.BatchNorm2d: _BatchNorm2d,
    Dropout: _Dropout,
    MinibatchDiscrimination: _MinibatchDiscrimination,
    MinibatchStddev: _MinibatchStddev,
}


def moments(x: Tensor, over: list[int]) -> tuple[Tensor, Tensor]:
    """The mean and the variance over those dimensions, the first among them, of all rows."""
    variance, mean = torch.var_mean(x, over, correction=0)
    variances, means = of_all(torch.stack([variance, mean])).unbind(1)  # (processes, ...)
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


# From whole batches to this process's rows and back. What is whole is the same everywhere, and so
# is its gradient; of what is a process's own, so is the gradient. Each of these is linear, and its
# derivative is another of them, so that gradients have gradients.


def own_rows(whole: Tensor) -> Tensor:
    """This process's rows."""
    return whole.chunk(dist.get_world_size())[dist.get_rank()]


def _gathered(own: Tensor) -> list[Tensor]:
    """All processes', in their order."""
    own = own.contiguous()
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    with reaching_others():
        dist.all_gather(parts, own)
    return parts


class _Take(torch.autograd.Function):
    """From a whole batch to the process's rows."""

    @staticmethod
    def forward(ctx: Any, whole: Float[Tensor, "B ..."]) -> Float[Tensor, "N ..."]:
        return own_rows(whole).clone()

    @staticmethod
    def backward(ctx: Any, g: Float[Tensor, "N ..."]) -> Float[Tensor, "B ..."]:
        whole: Tensor = _Join.apply(g)
        return whole


class _Join(torch.autograd.Function):
    """From each process's rows to the whole batch, of which all make the same."""

    @staticmethod
    def forward(ctx: Any, own: Float[Tensor, "N ..."]) -> Float[Tensor, "B ..."]:
        return torch.cat(_gathered(own))

    @staticmethod
    def backward(ctx: Any, g: Float[Tensor, "B ..."]) -> Float[Tensor, "N ..."]:
        own: Tensor = _Take.apply(g)
        return own


def of_all(own: Tensor) -> Float[Tensor, "processes ..."]:
    """What each process has, for what each makes of it for its own rows."""
    everywhere: Tensor = _Spread.apply(own)
    return everywhere


class _Spread(torch.autograd.Function):
    """From what each process has to all of it, of which each makes something of its own."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Float[Tensor, "processes ..."]:
        return torch.stack(_gathered(own))

    @staticmethod
    def backward(ctx: Any, g: Float[Tensor, "processes ..."]) -> Tensor:
        own: Tensor = _Collect.apply(g)
        return own


class _Collect(torch.autograd.Function):
    """The sum of what all processes have for this one."""

    @staticmethod
    def forward(ctx: Any, everywhere: Float[Tensor, "processes ..."]) -> Tensor:
        total = everywhere.clone(memory_format=torch.contiguous_format)
        with reaching_others():
            dist.all_reduce(total)
        return total[dist.get_rank()].clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Float[Tensor, "processes ..."]:
        everywhere: Tensor = _Spread.apply(g)
        return everywhere


@contextmanager
def reaching_others() -> Iterator[None]:
    """A block that talks to the other processes.

    Raises:
        Lost: one of them is no longer there.
    """
    try:
        yield
    except RuntimeError as error:
        traceback.clear_frames(error.__traceback__)  # they hold the group, which is to end
        raise Lost(
            f"one of the {dist.get_world_size()} processes that train together has ended."
        ) from error
