"""A search's trials from start to end: asked for, trained from rung to rung, told of."""

import math
from collections.abc import Callable
from pathlib import Path

from distributed import Client

from counterfeit.errors import CounterfeitError, UsageError, command
from counterfeit.files import locked
from counterfeit.measure.names import MetricName
from counterfeit.search.folder import Search
from counterfeit.search.sampling import Asked, Sampling
from counterfeit.study.conduct import Desk
from counterfeit.study.folder import Task
from counterfeit.study.outcome import Ending, Outcome
from counterfeit.study.progress import not_done
from counterfeit.study.verdict import SCALES
from counterfeit.study.worker import Answer, Terms

HOPELESS = 10
"""So many failed trials, and none that was measured, end a search."""


def conduct(
    search: Search,
    client: Client,
    *,
    device: str = "auto",
    data_dir: Path | None = None,
    on_look: Callable[[], None] = lambda: None,
    on_end: Callable[[Task, Answer], None] = lambda task, answer: None,
    on_lack: Callable[[str], None] = lambda why: None,
) -> None:
    """Bring as many trials to their ends as the search plans, as many at once as there are workers.

    Trials that were begun before go first, from where they stand.

    Args:
        on_look: called every half second.
        on_end: called when a trial has ended, or was kept from it.
        on_lack: called with the reason when no worker does anything, each time.

    Raises:
        CounterfeitError: the data cannot be had, something kept a trial from its end, all trials
            fail, another command conducts the search, or the scheduler is gone.
        Interrupted: SIGINT or SIGTERM came; all is saved.
    """
    terms = Terms(samples=search.plan.samples, stop_on="critical")
    desk = Desk(client, search.folder, terms, device, data_dir)
    busy = f"another command conducts {search.folder}; `counterfeit search status` shows it."
    with locked(search.folder / "search.lock", busy):
        conductor = _Conductor(search, desk, on_end)

        def look() -> None:
            conductor.fill()  # workers may have joined
            on_look()

        with desk.open(look, on_lack, goes_on=goes_on(search)):
            desk.prepare([search.base.data])
            conductor.begin()
            for task, answer in desk.answers():
                conductor.take(task, answer)
                conductor.fill()
        conductor.require_well()


def goes_on(search: Search) -> str:
    """The command that goes on with a search, as a message quotes it."""
    return command("counterfeit", "search", search.folder)


class _Conductor:
    """Between Optuna, which asks for trials, and the desk, which has them trained."""

    def __init__(self, search: Search, desk: Desk, on_end: Callable[[Task, Answer], None]) -> None:
        self._search = search
        self._desk = desk
        self._on_end = on_end
        self._sampling = Sampling(search)
        self._open: dict[str, Asked] | None = None
        """Trials that have not ended, by their task's id; None before the first is begun."""
        self._failures: list[str] = []
        self._stopped: list[Answer] = []
        self._measured = False

    def begin(self) -> None:
        """Go on with what was begun before; and `fill`."""
        self._open = {}
        for trial in self._search.trials:
            self._measured |= bool(trial.scores)
            if trial.state == "failed" and (outcome := trial.task.outcome):
                self._failures.append(outcome.why or "")
        for asked in self._sampling.unfinished():
            self._go_on(asked)
        self.fill()

    def fill(self) -> None:
        """Begin trials, as many as there are idle workers."""
        while (
            self._open is not None
            and len(self._open) < self._desk.workers
            and self._sampling.asked < self._search.plan.trials
            and not (self._desk.is_closing or self._stopped or self._is_hopeless)
        ):
            self._go_on(self._sampling.ask())

    def take(self, task: Task, answer: Answer) -> None:
        """Do what follows from a worker's answer."""
        assert self._open is not None
        asked = self._open[task.id]
        if answer.state == "failed" or answer.died:
            self._end(asked, "failed", answer.why)
        elif answer.state == "stopped":
            self._stopped.append(answer)
            self._on_end(task, answer)
        else:
            assert task.until is not None
            self._judge(asked, task, task.until)

    def require_well(self) -> None:
        """
        Raises:
            CounterfeitError: trials were kept from their ends, or all fail.
        """
        if self._stopped:
            raise CounterfeitError(
                f"{len(self._stopped)} trials have not ended{not_done(self._stopped)};"
                f" {goes_on(self._search)} goes on."
            )
        if self._is_hopeless:
            raise CounterfeitError(
                f"{len(self._failures)} trials failed and none was measured, the first:"
                f" {self._failures[0].rstrip('.')}. Search another space, or around another recipe,"
                " by another --name."
            )

    @property
    def _is_hopeless(self) -> bool:
        return len(self._failures) >= HOPELESS and not self._measured

    def _go_on(self, asked: Asked) -> None:
        """Hand a trial out from where it stands."""
        assert self._open is not None
        task = self._search.task(asked.number)
        self._open[task.id] = asked
        if (ended := task.outcome) is not None:  # killed before Optuna was told
            self._tell(asked, ended.state)
            return
        try:
            self._search.begin(asked.number, asked.values)
        except UsageError as error:
            self._end(asked, "failed", str(error))
            return
        self._hand_out(asked)

    def _hand_out(self, asked: Asked) -> None:
        """Have a trial trained to its next rung; at the last one already, look at it again."""
        rungs = self._search.plan.rung_epochs
        until = next((each for each in rungs if each > asked.reached), rungs[-1])
        self._desk.hand_out([self._search.task(asked.number, until)])

    def _judge(self, asked: Asked, task: Task, epochs: int) -> None:
        """Decide whether a trial that has reached a rung goes on."""
        score = self._search.scores(task).get(epochs)
        if score is None:
            raise CounterfeitError(self._not_measured(task))
        if not math.isfinite(score):
            self._end(asked, "failed", f"{self._search.plan.metric} is no number.")
            return
        self._measured = True
        is_left_behind = asked.is_left_behind(epochs, score)
        if epochs == self._search.plan.epochs:
            self._end(asked, "finished")
        elif is_left_behind:
            self._end(asked, "pruned")
        else:
            self._hand_out(asked)

    def _end(self, asked: Asked, state: Ending, why: str | None = None) -> None:
        """Keep how a trial ended, first in its own file."""
        rungs = [
            outcome
            for epochs in self._search.plan.rung_epochs
            if (outcome := self._search.task(asked.number, epochs).outcome)
        ]
        last = rungs[-1] if rungs else Outcome(state)
        seconds = sum(each.seconds or 0.0 for each in rungs)
        task = self._search.task(asked.number)
        task.end(Outcome(state, why, last.epoch, last.step, seconds=seconds))
        if state == "failed":
            self._failures.append(why or "")
        self._tell(asked, state)
        self._on_end(task, Answer(state, why))

    def _tell(self, asked: Asked, state: Ending) -> None:
        assert self._open is not None
        task = self._search.task(asked.number)
        del self._open[task.id]
        asked.end(state, self._search.scores(task).get(self._search.plan.epochs))

    def _not_measured(self, task: Task) -> str:
        """What is wrong where the metric is missing."""
        names = {
            MetricName.parse(name).metric
            for metrics in self._search.measured(task).values()
            for name in metrics
        }
        known = [each for each in SCALES if each in names]
        there = f"; measured are {', '.join(known)}" if known else ""
        return (
            f"{self._search.plan.metric} was not measured on the validation images of"
            f" {self._search.plan.data}{there}: search by another --metric, by another --name."
        )
