"""How far a study is, as its files say: from the command that conducts it, or from any other."""

import math
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from counterfeit.errors import CounterfeitError
from counterfeit.insight.accounts import finding_line
from counterfeit.insight.columns import spent
from counterfeit.language import english, tr, translated
from counterfeit.measure.names import named
from counterfeit.run import Run
from counterfeit.run.findings import SEVERITIES, Finding
from counterfeit.study.folder import Study, Task
from counterfeit.study.outcome import ENDINGS, State
from counterfeit.terminal import columns, fill, styled

if TYPE_CHECKING:  # who only looks needs no Dask
    from counterfeit.study.worker import Answer

STYLES: dict[State, str] = {
    "training": "bold",
    "stopped": "yellow",
    "failed": "bold red",
    "waiting": "dim",
    "pruned": "dim",
    "finished": "green",
}
"""Of states, in the order in which they are shown where there is no room for all."""

_NAMES = (
    english("training"),
    english("stopped"),
    english("failed"),
    english("waiting"),
    english("pruned"),
    english("finished"),
)

NAME_WIDTH = 44
"""Of a run's name on one line of the table, so that its numbers have room on 80 columns."""

LOOKS_SHARE = 0.05
"""The most of the time that is spent on looking."""


@dataclass(frozen=True)
class Seen:
    """What is seen of a task."""

    task: Task
    state: State
    epoch: float = 0.0
    epochs: int | None = None
    """At its end."""
    fid: float | None = None
    """The newest, whichever images it was measured against."""
    findings: tuple[Finding, ...] = ()
    epoch_seconds: float | None = None
    why: str | None = None
    """What failed."""


def see(task: Task) -> Seen:
    """What the files of a task say now."""
    state, ended = task.state, task.outcome
    if not task.run.exists():
        return Seen(task, state, why=ended.why if ended else None)
    run = Run.open(task.run)
    log = run.log
    epoch = log[-1]["epoch"] if log else 0.0
    scores = [
        row["metrics"][name].value for row in run.metrics if (name := named("fid", row["metrics"]))
    ]
    took = ended.seconds if ended else None
    if took is None and log:
        took = float(spent(run)[2][-1])
    return Seen(
        task,
        state,
        epoch,
        run.recipe.training.epochs,
        scores[-1] if scores else None,
        tuple(map(Finding.from_row, run.findings)),
        took / epoch if took and epoch else None,
        ended.why if ended else None,
    )


class HasTasks(Protocol):
    """A study, or a search, whose tasks become more."""

    @property
    def tasks(self) -> tuple[Task, ...]: ...


class Glance:
    """All tasks of a study, as seen last; those that have ended are read once."""

    def __init__(self, study: HasTasks) -> None:
        self.study = study
        self._budget = study.plan.seconds if isinstance(study, Study) else None
        self.seen: dict[str, Seen] = {task.id: Seen(task, "waiting") for task in study.tasks}

    def look(self) -> list[tuple[Task, Finding]]:
        """See anew; the findings that there are since the last look."""
        new = []
        for task in self.study.tasks:
            before = self.seen.setdefault(task.id, Seen(task, "waiting"))
            if before.state in ENDINGS:
                continue
            try:
                now = see(task)
            except CounterfeitError:  # a row is being written, or the run is being made
                continue
            said = {(finding.name, finding.severity) for finding in before.findings}
            new += [
                (now.task, each) for each in now.findings if (each.name, each.severity) not in said
            ]
            self.seen[task.id] = now
        return new

    def count(self, state: State) -> int:
        return sum(each.state == state for each in self.seen.values())

    def seconds_left(self) -> float | None:
        """Until all have ended, if as many go on at once as now; None while nothing tells."""
        tasks = list(self.seen.values())
        known: dict[str, list[float]] = {}
        for each in tasks:
            if each.epoch_seconds is not None:
                known.setdefault(each.task.recipe, []).append(each.epoch_seconds)
        means = {recipe: sum(took) / len(took) for recipe, took in known.items()}
        epochs = {each.task.recipe: each.epochs for each in tasks if each.epochs is not None}
        if not means:
            return None
        usual = sum(means.values()) / len(means)
        most = max(epochs.values())
        budget = math.inf if self._budget is None else self._budget
        left = 0.0
        for each in tasks:
            if each.state not in ENDINGS:
                mean = means.get(each.task.recipe, usual)
                whole = min(budget, epochs.get(each.task.recipe, most) * mean)
                left += max(0.0, whole - each.epoch * mean)
        return left / max(1, self.count("training"))

    def summary(self) -> str:
        """One line: how many have ended, go on and wait, and how long it takes."""
        parts = [
            tr(
                "{ended} of {of} runs have ended",
                ended=str(self.ended),
                of=str(len(self.seen)),
            ),
            *self.counts(),
        ]
        seconds = self.seconds_left()
        if seconds and self.count("training"):
            parts.append(tr("about {time} left", time=duration(seconds)))
        return ", ".join(parts)

    @property
    def ended(self) -> int:
        """How many have."""
        return sum(each.state in ENDINGS for each in self.seen.values())

    def counts(self) -> list[str]:
        """How many of them failed, go on, and could."""
        parts = []
        if failed := self.count("failed"):
            parts.append(tr("{count} of them failed", count=str(failed)))
        if training := self.count("training"):
            parts.append(tr("{count} in training", count=str(training)))
        if stopped := self.count("stopped"):
            parts.append(tr("{count} stopped", count=str(stopped)))
        return parts

    def table(self, rows: int | None = None) -> Table:
        """A row for each task; where there are more than `rows`, those that tell most."""
        tasks = list(self.seen.values())
        if rows is not None and len(tasks) > rows:
            order = list(STYLES)
            first = sorted(tasks, key=lambda each: order.index(each.state))[:rows]
            tasks = [each for each in tasks if each in first]
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column(tr("run"), no_wrap=True)
        table.add_column(tr("state"), no_wrap=True)
        table.add_column(tr("epoch"), justify="right", no_wrap=True)
        for heading in self.headings:
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column(tr("findings"))  # the one that gives way where the terminal is narrow
        for each in tasks:
            table.add_row(
                "\n".join(textwrap.wrap(each.task.id, NAME_WIDTH)),
                Text(translated(each.state), style=STYLES[each.state]),
                "" if each.epochs is None else f"{each.epoch:.4g}/{each.epochs}",
                *self.cells(each),
                _in_a_line(styled(_findings(each.findings))),
            )
        return table

    @property
    def headings(self) -> Sequence[str]:
        """Of what `cells` shows."""
        return ["FID"]

    def cells(self, seen: Seen) -> Sequence[str]:
        """What is shown of a task beside its state and its findings."""
        return ["" if seen.fid is None else f"{seen.fid:.4g}"]


def _findings(findings: Iterable[Finding]) -> str:
    """The names of findings, the worst first, each behind its severity."""
    worst: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda each: SEVERITIES.index(each.severity)):
        worst.setdefault(finding.name, finding)
    return ", ".join(
        f"{translated(each.severity)}: {translated(each.title)}" for each in worst.values()
    )


def _in_a_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h` or `2.1 d`."""
    for size, unit in ((86400.0, "d"), (3600.0, "h")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def all_runs(glance: Glance, width: int | None) -> str:
    """The whole table as text, in colour on a terminal."""
    console = Console(width=width or 100, force_terminal=width is not None)
    with console.capture() as captured:
        console.print(glance.table())
    return captured.get().rstrip("\n")


@dataclass
class Screen:
    """A study's table on a terminal while it is conducted; elsewhere, lines on stderr."""

    glance: Glance
    quiet: bool = False
    _console: Console = field(default_factory=lambda: Console(stderr=True), init=False)
    _live: Live | None = field(default=None, init=False)
    _next: float = field(default=0.0, init=False)

    def __enter__(self) -> "Screen":
        self.glance.look()  # what was found before is not said again
        console = self._console
        if not self.quiet and console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(
                get_renderable=self._shown, console=console, refresh_per_second=2, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._next = 0.0
        self.on_look()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _shown(self) -> Group:
        rows = max(3, self._console.height - 4)
        return Group(self.glance.table(rows), Text(self.glance.summary()))

    def on_look(self) -> None:
        """See all runs anew, and say what was found; not too often where they are many."""
        started = time.monotonic()
        if started < self._next:
            return
        for task, finding in self.glance.look():
            self.say(f"{task.id}: {finding_line(finding)}")
        ended = time.monotonic()
        self._next = ended + (ended - started) / LOOKS_SHARE

    def on_answer(self, task: Task, answer: "Answer") -> None:
        """Say how a task ended; on a terminal the table does, but for what kept it from that."""
        state = translated(answer.state)
        if answer.state == "stopped" and answer.why is not None:
            self.say(f"{task.id}: {state}: {answer.why}")
        elif self._live is None:
            self.say(f"{task.id}: {state}")

    def say(self, line: str) -> None:
        if not self.quiet:
            text = styled(fill(line, columns(sys.stderr), rest="  "))
            self._console.print(text, soft_wrap=True)


def not_done(answers: Sequence["Answer"]) -> str:
    """`: ` and why tasks have not ended, each reason once; nothing where they were only halted."""
    reasons = dict.fromkeys(answer.why.rstrip(".") for answer in answers if answer.why)
    return f": {'; '.join(reasons)}" if reasons else ""
