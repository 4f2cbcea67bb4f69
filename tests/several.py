"""Several processes as torchrun starts them, each forked from one that has imported the package."""

import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from torch.distributed import TCPStore

from counterfeit import recipe
from counterfeit.game.engines import sharing
from counterfeit.game.inputs import Batch
from counterfeit.training import processes
from counterfeit.training.processes import follow, leading

SECONDS = 600
"""Before it counts as a hang."""

ENDING = 10
"""Seconds in which a thread that has been waited for may still be listed."""

forks = multiprocessing.get_context("forkserver")
# With what optimisers import, which takes longer than PyTorch itself.
forks.set_forkserver_preload(["counterfeit.training.loop", "counterfeit.cli.app", "torch._dynamo"])


@contextmanager
def started(
    count: int, folder: Path, function: Callable[..., None], *arguments: object
) -> Iterator[list[BaseProcess]]:
    """Processes that call the function; what they say is in `folder`, in out.0, err.0, out.1, …

    They are killed where the block ends before they do.
    """
    folder.mkdir(exist_ok=True)
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # torchrun's
    processes: list[BaseProcess] = [
        forks.Process(target=_run, args=(rank, count, store.port, folder, function, arguments))
        for rank in range(count)
    ]
    for process in processes:
        process.start()
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()


def codes(processes: list[BaseProcess]) -> list[int | None]:
    """Their exit codes, when all have ended."""
    for process in processes:
        process.join(SECONDS)
    return [process.exitcode for process in processes]


def together(count: int, folder: Path, function: Callable[..., None], *arguments: object) -> None:
    """Call the function on several processes, and see that each does it without a word of error."""
    with started(count, folder, function, *arguments) as processes:
        ended = codes(processes)
    said = [(folder / f"err.{rank}").read_text() for rank in range(count)]
    assert (ended, said) == ([0] * count, [""] * count), (ended, said)


def _run(
    rank: int,
    count: int,
    port: int,
    folder: Path,
    function: Callable[..., None],
    arguments: tuple[object, ...],
) -> None:
    os.setsid()  # as torchrun does
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "TORCHELASTIC_RUN_ID": "none",
        "TORCHELASTIC_RESTART_COUNT": "0",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / f"{name}.{rank}", os.O_CREAT | os.O_WRONLY), number)
    torch.set_num_threads(1)
    try:
        function(*arguments)
    finally:
        until = time.monotonic() + ENDING
        while (left := threads_of_groups()) and time.monotonic() < until:
            time.sleep(0.01)
        if left:
            print("threads that outlive their group:", left, file=sys.stderr)


def threads_of_groups() -> list[str]:
    """This process's, as far as Linux lists them; while the interpreter ends, they may abort it."""
    names = []
    for path in Path("/proc/self/task").glob("*/comm"):
        with suppress(OSError):  # it has just ended
            names.append(path.read_text().strip())
    return [name for name in names if "gloo" in name]


def fail_in_an_update() -> None:
    """The first process does, in the midst of one, where the others wait for its share."""
    if os.environ["RANK"] != "0":
        follow()
        return
    spec = recipe.load("dcgan").with_overrides(
        ["generator.channels=4", "discriminator.channels=4", "training.batch_size=12"]
    )
    with leading():
        mean = torch.full((1, 8, 8), 0.4)
        game = processes.game(spec, mean, 0, seed=0, device=torch.device("cpu"))
        batch = [Batch(torch.rand(12, 1, 8, 8))]
        game.update(0, 0.0, batch)
        sharing.of_all = _no_memory
        game.update(1, 0.0, batch)


def _no_memory(own: torch.Tensor) -> torch.Tensor:
    raise MemoryError


def lead_while_a_module_takes_the_group() -> None:
    """As optimisers do: its functions have the group that is there at its import as a default."""
    module = "torch.distributed.nn.functional"
    for name in (module, "torch.distributed.nn"):
        sys.modules.pop(name)
    with leading():
        importlib.import_module(module)
        until = time.monotonic() + SECONDS
        while Path("/proc/self/task").is_dir() and not threads_of_groups():  # they name themselves
            assert time.monotonic() < until
            time.sleep(0.01)
