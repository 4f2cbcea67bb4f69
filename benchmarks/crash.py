"""Kill training with SIGKILL, again and again, resume it, and see that nothing is lost.

    python benchmarks/crash.py [--kills 500] [--brief] [--seed 0] [--in DIR] [--append F.jsonl]

Two campaigns on runs that take a fraction of a second, log several rows an epoch, write a
checkpoint at each epoch's end, remove old ones, and once meet a NaN and roll back:

- operations: every operation on the file system that a run makes (write, fsync, rename, unlink,
  mkdir, truncate) is a moment to die: right before it, right after it and, for a write, half way.
- moments: death comes from outside after a random time, until the run is complete; then the next.

After each death every checkpoint that exists must read whole, and no row of the log may be there
twice. When the resumed run is complete, its weights, optimiser states, rows, findings and snapshots
must be those of a run that nothing disturbed, to the bit. Prints the figures; exit status 1 if
anything was lost.
"""

import argparse
import errno
import functools
import gc
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn
from unittest import mock

import torch

from counterfeit import data, environment, recipe
from counterfeit.environment import describe
from counterfeit.errors import CounterfeitError
from counterfeit.files import append_row
from counterfeit.game.game import Game
from counterfeit.run import Run, checkpoint
from counterfeit.training import loop

OPERATIONS = ("write", "fsync", "replace", "rename", "unlink", "mkdir", "ftruncate", "rmdir")
"""Functions of `os` that change what is on the disk."""

When = Literal["before", "half", "after", "refused"]


@dataclass
class FileSystem:
    """Counts a process's operations on the file system, and ends it at number `at`, from 0.

    Instead of a death, "refused" is one error: the disk is full.
    """

    at: int | None = None
    when: When = "before"
    names: list[str] = field(default_factory=list)

    @contextmanager
    def watched(self) -> Iterator["FileSystem"]:
        with ExitStack() as patches:
            for name in OPERATIONS:
                watched = self._wrap(name, getattr(os, name))
                patches.enter_context(mock.patch.object(os, name, watched))
            yield self

    def _wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **options: Any) -> Any:
            self.names.append(name)
            here = len(self.names) - 1 == self.at
            if here and self.when == "before":
                die()
            if here and self.when == "refused":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if here and self.when == "half":
                if name == "write":
                    descriptor, content = arguments
                    real(descriptor, content[: len(content) // 2])
                die()
            try:
                return real(*arguments, **options)
            finally:
                if here and self.when == "after":
                    die()

        return operation


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL cannot be survived")


def short_recipe(epochs: int) -> recipe.Recipe:
    """Four updates an epoch, of networks that fit into a few kilobytes."""
    return recipe.load("batchnorm-smoothing").with_overrides(
        [
            "data.name=digits", "data.train_images=64", "training.batch_size=16",
            "generator.hidden=[8]", "discriminator.hidden=[8]", "discriminator.dropout=0.5",
            f"training.epochs={epochs}",
        ]
    )  # fmt: skip


POISONED_STEP = 9
"""In epoch 3. A run that has never rolled back gets a NaN there."""

_update = Game.update


def _poisoned_update(game: Game, step: int, *arguments: Any) -> Any:
    outcome = _update(game, step, *arguments)
    if step == POISONED_STEP and not game.halvings:
        game.generator.parameters[0].data[0, 0] = torch.nan
    return outcome


@contextmanager
def small_world() -> Iterator[None]:
    """Rows every 3 updates, a NaN, and no time spent on reading data or asking git."""
    with (
        mock.patch.object(loop, "LOG_EVERY", 3),
        mock.patch.object(Game, "update", _poisoned_update),
        mock.patch.object(data, "load", functools.cache(data.load)),
        mock.patch.object(environment, "_git_revision", return_value=None),
        mock.patch.object(loop, "logger"),  # it warns of each NaN
    ):
        with tempfile.TemporaryDirectory() as folder:  # what is imported on first use is, once
            train(Path(folder), epochs=3)
        yield


def run_in(folder: Path) -> Run | None:
    """The one run there, if it exists yet."""
    paths = list(folder.glob("[!.]*"))
    assert len(paths) <= 1, f"{len(paths)} runs, where one was started"
    return Run.open(paths[0]) if paths else None


def train(folder: Path, epochs: int) -> None:
    """Start the folder's run, or go on with it, to its end."""
    run = run_in(folder)
    if run is None:
        loop.train(short_recipe(epochs), device="cpu", out=folder, on_nan="rollback")
    else:
        loop.resume(run.path, device="cpu", on_nan="rollback")


def in_child(work: Callable[[], None]) -> int:
    """Do it in a process of its own, a copy of this one; return its number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def was_killed(child: int) -> bool:
    """Wait for it; whether it was killed, or else ended well."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"training failed with status {status}")
    return status != 0


def fingerprint(run: Run) -> dict[str, str]:
    """A hash of each kind of thing that a run keeps, but of no speed."""
    state = run.checkpoint()
    rows = [{k: v for k, v in row.items() if k != "images_per_second"} for row in run.log]
    things: dict[str, list[bytes]] = {
        "checkpoints": [repr(run.checkpoint_steps).encode()],
        "tensors": [
            name.encode() + tensor.contiguous().numpy().tobytes()
            for name, tensor in sorted(state.tensors.items())
        ],
        "log": [repr(row).encode() for row in rows],
        "findings": [repr(row).encode() for row in run.findings],
        "snapshots": [run.snapshot(epoch).tobytes() for epoch in run.snapshot_epochs],
        "files": [str(path.relative_to(run.path)).encode() for path in sorted(run.path.rglob("*"))],
    }
    return {kind: hashlib.sha256(b"\n".join(parts)).hexdigest() for kind, parts in things.items()}


@dataclass
class Figures:
    """What a campaign did and found."""

    runs: int = 0
    kills: int = 0
    kills_before_the_run_existed: int = 0
    lost_runs: int = 0
    half_read_checkpoints: int = 0
    duplicated_rows: int = 0
    operations: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.problems

    def after_kill(self, folder: Path, moment: str) -> None:
        self.kills += 1
        run = run_in(folder)
        if run is None:
            self.kills_before_the_run_existed += 1
            return
        for step in run.checkpoint_steps:
            try:
                checkpoint.read(run.path / "checkpoints", step)
            except CounterfeitError as error:
                self.half_read_checkpoints += 1
                self.problems.append(f"{moment}: {error}")
        self._count_duplicates(run, moment)

    def at_end(self, folder: Path, undisturbed: dict[str, str], moment: str) -> None:
        self.runs += 1
        run = run_in(folder)
        seen = fingerprint(run) if run else {}
        if differing := [kind for kind in undisturbed if seen.get(kind) != undisturbed[kind]]:
            self.lost_runs += 1
            self.problems.append(f"{moment}: other {', '.join(differing)} at the end")
        if run is not None:
            self._count_duplicates(run, moment)

    def _count_duplicates(self, run: Run, moment: str) -> None:
        steps = [row["step"] for row in run.log]
        if twice := len(steps) - len(set(steps)):
            self.duplicated_rows += twice
            self.problems.append(f"{moment}: {twice} rows twice")


def undisturbed_run(scratch: Path, epochs: int) -> tuple[Run, list[str]]:
    """A run of this process, and its operations on the file system."""
    folder = scratch / f"undisturbed-{epochs}"
    with FileSystem().watched() as seen:
        train(folder, epochs)
    run = run_in(folder)
    assert run is not None
    assert len(run.rollbacks) == 1
    return run, seen.names


def die_at_every_operation(scratch: Path, *, brief: bool, epochs: int = 5) -> Figures:
    """One run for each operation and each side of it, killed there and resumed.

    In brief, not right after it: that is right before the next one.
    """
    figures, started = Figures(), time.perf_counter()
    run, operations = undisturbed_run(scratch, epochs)
    whole = fingerprint(run)
    figures.operations = len(operations)
    for at, name in enumerate(operations):
        moments: list[When] = ["before"] if brief else ["before", "after"]
        for when in [*moments, "half"] if name == "write" else moments:
            folder = scratch / f"operation-{at}-{name}-{when}"
            child = in_child(functools.partial(_die_at, folder, epochs, at, when))
            assert was_killed(child), f"{folder.name} was survived"
            figures.after_kill(folder, folder.name)
            was_killed(in_child(functools.partial(train, folder, epochs)))
            figures.at_end(folder, whole, folder.name)
    figures.seconds = time.perf_counter() - started
    return figures


def _die_at(folder: Path, epochs: int, at: int, when: When) -> None:
    with FileSystem(at, when).watched():
        train(folder, epochs)


def die_at_random_moments(scratch: Path, kills: int, seed: int, epochs: int = 20) -> Figures:
    """Runs that are killed after random times, until there have been so many kills."""
    figures, started, rng = Figures(), time.perf_counter(), random.Random(seed)
    whole = fingerprint(undisturbed_run(scratch, epochs)[0])
    life = time.perf_counter() - started
    while figures.kills < kills:
        folder = scratch / f"moment-{figures.runs}"
        while True:
            child = in_child(functools.partial(train, folder, epochs))
            if figures.kills < kills:
                time.sleep(rng.uniform(0, life / 2))
                os.kill(child, signal.SIGKILL)
            if not was_killed(child):
                break
            figures.after_kill(folder, f"{folder.name}, kill {figures.kills}")
        figures.at_end(folder, whole, folder.name)
    figures.seconds = time.perf_counter() - started
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=500, help="at random moments")
    parser.add_argument("--brief", action="store_true", help="each state of the disk only once")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--in", dest="place", type=Path, help="where the runs are made")
    parser.add_argument("--append", type=Path, help="a .jsonl file for the figures")
    arguments = parser.parse_args()

    torch.set_num_threads(1)  # a copy of a process has no copies of its threads
    with tempfile.TemporaryDirectory(dir=arguments.place) as folder, small_world():
        gc.freeze()  # so that collecting garbage does not copy the memory that children share
        scratch = Path(folder)
        campaigns = {
            "operations": die_at_every_operation(scratch, brief=arguments.brief),
            "moments": die_at_random_moments(scratch, arguments.kills, arguments.seed),
        }
    for name, figures in campaigns.items():
        print(
            f"{name}: {figures.kills} kills of {figures.runs} runs in {figures.seconds:.0f} s"
            + (f", at {figures.operations} operations" if figures.operations else "")
            + f"; {figures.kills_before_the_run_existed} before the run existed.\n"
            f"  {figures.lost_runs} lost runs, {figures.half_read_checkpoints} half-read"
            f" checkpoints, {figures.duplicated_rows} duplicated rows"
        )
        for problem in figures.problems:
            print(f"  {problem}")
        if arguments.append:
            facts = describe(torch.device("cpu"))
            row = {"campaign": name, "seed": arguments.seed, **asdict(figures), **facts}
            append_row(arguments.append, row)
    sys.exit(0 if all(figures.sound for figures in campaigns.values()) else 1)


if __name__ == "__main__":
    main()
