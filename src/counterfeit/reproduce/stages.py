"""The three stages, each trained in a process of its own, at once where there are cores."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from counterfeit import cores, recipe
from counterfeit.environment import pick_device
from counterfeit.errors import CounterfeitError, Interrupted, UsageError
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.report import write_report
from counterfeit.insight.verdict import judge
from counterfeit.language import tr, translated
from counterfeit.measure.evaluate import measure_newest, newest_is_measured
from counterfeit.progress import Bar
from counterfeit.reproduce.article import statements
from counterfeit.run import Run
from counterfeit.run.rows import LogRow
from counterfeit.terminal import columns, fill, say

STAGES = ("sgd", "adam", "batchnorm-smoothing")

GOES_ON = "the same command goes on."


def reproduce_article(
    folder: Path,
    *,
    epochs: int = 100,
    seed: int = 0,
    device: str = "auto",
    data_dir: Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> Path:
    """Train the stages into `folder` and write one report about them; return its path.

    A stage that `folder` already has is not trained again, and one that was stopped goes on.

    Args:
        workers: how many stages are trained at once; by default, see `plan`. It changes no number.

    Raises:
        CounterfeitError: a stage failed; the others are saved.
        Interrupted: SIGINT or SIGTERM came; all is saved.
    """
    many, threads = plan(pick_device(device).type)
    stages = []
    for name in STAGES:
        spec = recipe.load(name).with_values({"training.epochs": epochs})
        earlier = find(folder, spec, seed)
        if earlier is not None:
            earlier.find_data(data_dir=data_dir)
        stages.append(Stage(spec, seed, device, folder, data_dir, earlier))
    with Bar.several(epochs, [f"{stage.spec.name}: " for stage in stages], quiet=quiet) as bars:
        for number, stage in enumerate(stages, start=1):
            if not quiet:
                bars[0].say(
                    tr(
                        "stage {number} of {of}: {title}",
                        number=str(number),
                        of=str(len(stages)),
                        title=translated(stage.spec.title),
                    )
                )
        runs = train_together(
            stages,
            [bar.on_row for bar in bars],
            on_stage=[bar.on_preparing for bar in bars],
            workers=workers or many,
            threads=threads,
        )
    for run in runs:
        if not newest_is_measured(run):
            with Bar(1, tr("measuring {name}: ", name=run.recipe.name), quiet=quiet) as bar:
                try:
                    measure_newest(run, progress=bar.on_stage)
                except CounterfeitError as error:
                    why = str(error)
                    bar.say(tr("{name} is not measured: {error}", name=run.path.name, error=why))
    if not quiet:
        for number, run in enumerate(runs, start=1):
            sentence = judge(run, diagnose(run)).sentence
            line = tr("stage {number}: {verdict}", number=str(number), verdict=sentence)
            say(fill(line, columns(sys.stderr)), sys.stderr)
        say(tr("writing the report"), sys.stderr)
    return write_report(runs, folder / "report.html", statements(runs))


def plan(device: str) -> tuple[int, int | None]:
    """How many stages to train at once, and with how many threads each; None: as torch chooses.

    One thread does not wait for another, so that three trainings of one thread each are done
    sooner than one after the other with all threads, also on two cores (docs/performance.md). The
    user's OMP_NUM_THREADS stays. One GPU, or one core, takes one stage after the other.
    """
    if device != "cpu" or cores.count() == 1:
        return 1, None
    given = os.environ.get("OMP_NUM_THREADS", "")
    if not given.isdecimal() or int(given) == 0:
        return len(STAGES), max(1, cores.count() // len(STAGES))
    if int(given) == 1:
        return len(STAGES), 1
    return min(len(STAGES), max(1, cores.count() // int(given))), int(given)


def find(folder: Path, spec: recipe.Recipe, seed: int) -> Run | None:
    """The newest run of that recipe and seed in `folder`."""
    for path in sorted(folder.glob(f"*-{spec.name}-s{seed}*"), reverse=True):
        with suppress(CounterfeitError):  # not a run, or a damaged one
            run = Run.open(path)
            if run.recipe.values == spec.values and run.seed == seed:
                return run
    return None


@dataclass(frozen=True)
class Stage:
    """What one process trains."""

    spec: recipe.Recipe
    seed: int
    device: str
    folder: Path
    data_dir: Path | None
    earlier: Run | None
    """The run to go on with."""

    @property
    def done(self) -> bool:
        with suppress(CounterfeitError):  # damaged, or there is none: training sees to it
            return (
                self.earlier is not None
                and self.earlier.checkpoint().epoch >= self.spec.training.epochs
            )
        return False

    def asked(self) -> str:
        """For the worker, see there."""
        return json.dumps(
            {
                "recipe": self.spec.to_toml(),
                "seed": self.seed,
                "device": self.device,
                "out": str(self.folder),
                "data_dir": self.data_dir and str(self.data_dir),
                "run": self.earlier and str(self.earlier.path),
            }
        )


def train_together(
    stages: Sequence[Stage],
    hear: Sequence[Callable[[LogRow], None]],
    *,
    on_stage: Sequence[Callable[[str], None]] | None = None,
    workers: int,
    threads: int | None = None,
) -> list[Run]:
    """Train the stages, so many at once; their runs, in the stages' order.

    A stage that fails stops the others, which save what they have.

    Args:
        hear: called with each stage's rows.
        on_stage: called with what each does before its first row.
        threads: of each process.
    """
    team = Team({"OMP_NUM_THREADS": str(threads)} if threads else {})
    with team.forwarding_signals(), ThreadPoolExecutor(workers) as pool:
        futures = [
            pool.submit(team.train, stage, on_row, prepares)
            for stage, on_row, prepares in zip(
                stages, hear, on_stage or [_ignore] * len(stages), strict=True
            )
        ]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:  # of those that are still at work, something went wrong beside them
            team.stop(signal.SIGTERM)
    if team.received:
        raise Interrupted(f"stopped and saved; {GOES_ON}", team.received[0], None)
    for future in futures:
        if error := future.exception():
            raise error
    return [Run.open(cast(Path, future.result())) for future in futures]


def _ignore(stage: str) -> None:
    pass


@dataclass
class Team:
    """The processes that train, and what stops them."""

    environment: dict[str, str]
    """Added to this process's."""
    processes: set[subprocess.Popen[str]] = field(default_factory=set)
    stopped: bool = False
    received: list[int] = field(default_factory=list)
    """Signals that came."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def forwarding_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM go to the processes, each as often as it comes: the first one saves
        and stops, a second SIGINT acts at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def forward(signum: int, frame: object) -> None:
            self.received.append(signum)
            self.stop(signum)

        previous = {
            number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def stop(self, signum: int) -> None:
        """Those that train, by that signal; no other one is started."""
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.send_signal(signum)

    def train(
        self,
        stage: Stage,
        hear: Callable[[LogRow], None],
        prepares: Callable[[str], None] = _ignore,
    ) -> Path | None:
        """Where the stage's run is, when it is complete; None when it was stopped before.

        Raises:
            CounterfeitError: what the process says of its failure.
        """
        if stage.done:
            assert stage.earlier is not None
            return stage.earlier.path
        told: dict[str, Any] = {}
        with tempfile.TemporaryFile("w+") as complaints:
            with self.lock:
                if self.stopped:
                    return None
                process = subprocess.Popen(
                    [sys.executable, "-m", "counterfeit.reproduce.worker"],
                    env=os.environ | self.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    text=True,
                    start_new_session=True,  # the terminal's Ctrl-C comes by way of this process
                )
                self.processes.add(process)
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                with suppress(BrokenPipeError):  # it has ended: its status says how
                    process.stdin.write(stage.asked() + "\n")
                    process.stdin.flush()
                for line in process.stdout:
                    told = json.loads(line)
                    if "row" in told:
                        hear(told["row"])
                    elif "stage" in told:
                        prepares(told["stage"])
            with self.lock:
                self.processes.discard(process)
            if "run" in told:
                return Path(told["run"])
            if "error" in told:
                raise _error(**told["error"])
            if self.stopped:
                return None
            complaints.seek(0)
            last = complaints.read().strip().rpartition("\n")[2]
            raise CounterfeitError(
                f"the process that trained {stage.spec.name} ended with status"
                f" {process.returncode}{': ' if last else ''}{last}; {GOES_ON}"
            )


def _error(message: str, notes: list[str], status: int) -> CounterfeitError:
    error = UsageError(message) if status == UsageError.exit_status else CounterfeitError(message)
    for note in notes:
        error.add_note(note)
    return error
