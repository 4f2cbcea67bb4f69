"""One run on several processes: the first leads, and the others follow.

The first does all that a single process does: it reads data, decides, writes, measures and speaks.
The others have the run's game, and nothing else of it: before it changes they are told how, and
between two changes they wait, however long. How they share an update is `game.engines.sharing`'s.

`torchrun --nproc-per-node 2 -m counterfeit train …` starts them; the command calls `leading` in the
first and `follow` in the others.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from enum import IntEnum
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.game.engines.sharing import Lost, reaching_others
from counterfeit.game.game import NOTHING, Game
from counterfeit.game.inputs import Batch
from counterfeit.game.own import Given
from counterfeit.game.step import Outcome
from counterfeit.recipe import Recipe

PATIENCE = timedelta(days=20)
"""Longer than any evaluation, in which the others wait; its milliseconds fit into 32 bits. That a
process has ended is noticed at once."""

LAST_WORD = "counterfeit: the first process says why it ends"
"""The key by which the others know it in torchrun's store."""


class Word(IntEnum):
    """What the first process tells the others."""

    END = 0
    BEGIN = 1
    LOAD = 2
    UPDATE = 3


@contextmanager
def leading() -> Iterator[None]:
    """While the block runs, what this process trains, the others that torchrun started train too.

    Raises:
        Lost: one of them has ended.
    """
    _join()
    try:
        yield
    except BaseException:
        with suppress(RuntimeError):  # where torchrun itself has ended
            _store().set(LAST_WORD, "")
        raise
    finally:
        # Where another one ends badly, torchrun ends this one: not before it has had its say.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not _updating:  # else none of the others listens: they see that the group ends
            with suppress(Lost):
                _tell(Word.END)
        dist.destroy_process_group()


def follow() -> None:
    """Train what the first process trains, until it ends.

    Signals are for it: it saves what is to be saved.

    Raises:
        CounterfeitError: it has ended without a word, or this process cannot go on.
        SystemExit: it has ended, and has said why.
    """
    _join()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        _follow()
        return
    except Lost:
        said = dist.get_rank() > 1 or _last_word()
    finally:
        dist.destroy_process_group()
    if said:
        raise SystemExit(1)
    raise CounterfeitError(
        "the first process has ended; start the command again with --resume latest."
    )


def count() -> int:
    """How many processes train a run: those that torchrun has started, or 1."""
    return dist.get_world_size() if _leads else 1


def game(
    spec: Recipe,
    mean_image: Float[Tensor, "C H W"],
    classes: int,
    *,
    seed: int,
    device: torch.device,
    halvings: Sequence[int] = (),
    given: Given = NOTHING,
) -> Game:
    """The recipe's game, which all processes play; see `Game.from_recipe`.

    Raises:
        UsageError: they cannot share its batches, this device or the user's own code.
    """
    if count() == 1:
        return Game.from_recipe(
            spec, mean_image, classes, seed=seed, device=device, halvings=halvings, given=given
        )
    if given:
        raise UsageError("networks and losses of your own are trained by one process.")
    _require_shareable(spec.training.batch_size, device)
    _tell(Word.BEGIN)
    _broadcast_object((spec, mean_image, classes, seed, halvings, device.type))
    return LedGame.from_recipe(
        spec, mean_image, classes, seed=seed, device=device, halvings=halvings, shared=True
    )


class LedGame(Game):
    """A game that the other processes play too: they are told what becomes of it."""

    def update(self, step: int, epoch: float, reals: Sequence[Batch]) -> Outcome:
        global _updating
        _updating = True
        labels = [real.labels for real in reals if real.labels is not None]
        _tell(Word.UPDATE, step, epoch, bool(labels))
        _broadcast(torch.stack([real.images for real in reals]))
        if labels:
            _broadcast(torch.stack(labels))
        outcome = super().update(step, epoch, reals)
        _updating = False
        return outcome

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        super().load(tensors)
        _tell(Word.LOAD)
        _broadcast_object({name: tensor.cpu() for name, tensor in tensors.items()})


_leads = False
"""Whether this process has others that follow it."""

_updating = False
"""Whether they are in an update, which this process may have left by an error."""


def _join() -> None:
    """Meet the other processes, in the way that torchrun has told all of them."""
    # A group that something holds keeps its threads after `destroy_process_group`, and one of them
    # that lets go of a tensor while the interpreter ends aborts the process
    # (https://github.com/pytorch/pytorch/issues/190489). PyTorch's optimisers import this module,
    # whose functions have the group of that moment as a default: here there is none yet.
    import torch.distributed.nn.functional

    global _leads
    with_gpus = torch.cuda.is_available() and dist.is_nccl_available()
    backend = "cpu:gloo,cuda:nccl" if with_gpus else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    _leads = dist.get_rank() == 0


def _follow() -> None:
    while True:
        word, step, epoch, labelled = _hear()
        if word == Word.END:
            return
        if word == Word.BEGIN:  # before any of the others
            spec, mean, classes, seed, halvings, kind = _broadcast_object()
            device = torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if kind == "cuda" else kind)
            ours = Game.from_recipe(
                spec, mean, classes, seed=seed, device=device, halvings=halvings, shared=True
            )
            size = (spec.training.discriminator_steps, spec.training.batch_size)  # (k, B)
        elif word == Word.LOAD:
            ours.load(_broadcast_object())
        else:
            images = _broadcast(torch.empty(*size, *mean.shape, device=device))
            labels: Any = [None] * len(images)
            if labelled:
                labels = _broadcast(torch.empty(size, dtype=torch.int64, device=device))
            ours.update(step, epoch, [Batch(*pair) for pair in zip(images, labels, strict=True)])


def _tell(word: Word, step: int = 0, epoch: float = 0.0, labelled: bool = False) -> None:
    _broadcast(torch.tensor([word, step, epoch, labelled], dtype=torch.float64))


def _hear() -> tuple[Word, int, float, bool]:
    word, step, epoch, labelled = _broadcast(torch.empty(4, dtype=torch.float64)).tolist()
    return Word(int(word)), int(step), epoch, bool(labelled)


def _broadcast(tensor: Tensor) -> Tensor:
    """The first process's tensor, in this one's place."""
    with reaching_others():
        dist.broadcast(tensor, 0)
    return tensor


def _broadcast_object(own: Any = None) -> Any:
    """The first process's object, in this one's place."""
    told = [own]
    with reaching_others():
        dist.broadcast_object_list(told, 0, device=torch.device("cpu"))
    return told[0]


def _require_shareable(batch_size: int, device: torch.device) -> None:
    processes, here = dist.get_world_size(), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if batch_size % processes:
        less, more = batch_size - batch_size % processes, batch_size // processes + 1
        sizes = [size for size in (less, more * processes) if size]
        counts = [n for n in range(2, batch_size + 1) if batch_size % n == 0]
        raise UsageError(
            f"batches of {batch_size} images cannot be divided among {processes} processes; start"
            f" {_either(counts)} of them, or give --batch-size {_either(sizes)}."
        )
    if device.type == "cuda" and (device.index or here > torch.cuda.device_count()):
        raise UsageError(
            f"each process takes a GPU of its own, and {here} of them were started where there are"
            f" {torch.cuda.device_count()} GPUs; start as many as GPUs, with --device cuda, or"
            " give --device cpu."
        )
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"several processes cannot share {device.type}; give --device cpu.")


def _either(numbers: Sequence[int]) -> str:
    return " or ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))


def _store() -> Any:
    """Where processes leave words for each other; torchrun keeps it."""
    return dist.distributed_c10d._get_default_store()


def _last_word() -> bool:
    """Whether the first process says why it ends, which may take it a moment."""
    with suppress(RuntimeError):
        for _ in range(20):
            if _store().check([LAST_WORD]):
                return True
            time.sleep(0.1)
    return False
