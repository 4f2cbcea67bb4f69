"""What to try next, and what to leave behind: Optuna, asked and told.

Only the command that conducts a search opens Optuna's file, and holds the search's lock meanwhile:
so no two processes ever write it, whatever file system it lies on. It may be killed at any time:
what Optuna was told stays, and what a trial has come to since stands in the trial's own files.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import URL

from counterfeit.search.folder import Search
from counterfeit.search.plan import REDUCTION
from counterfeit.search.space import Choices, Range, written
from counterfeit.seeds import stream_seed
from counterfeit.study.outcome import Ending

SAMPLERS: Mapping[str, type[BaseSampler]] = {
    "tpe": TPESampler,
    "gp": GPSampler,
    "random": RandomSampler,
}

STATES: Mapping[Ending, TrialState] = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""What Optuna calls the ends of a trial."""


class Sampling:
    """Optuna's study of a search, which is made where it is not there yet.

    What a trial tries is a function of the search's seed, the trial's number, and what Optuna was
    told before: so a search by one worker is the same search again, also when it was killed.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # what matters is said by us
        url = URL.create("sqlite", database=str(search.folder / "optuna.sqlite"))
        self._study = optuna.create_study(
            storage=RDBStorage(url.render_as_string()),
            study_name="search",
            load_if_exists=True,
            direction="minimize" if search.plan.lower_is_better else "maximize",
            pruner=_pruner(search),
        )
        if not self._study.trials and search.space.holds(search.unchanged):
            self._study.enqueue_trial(
                {
                    key: _told(search.space.entries[key], value)
                    for key, value in search.unchanged.items()
                }
            )

    @property
    def asked(self) -> int:
        """Trials that have been begun."""
        return sum(each.state != TrialState.WAITING for each in self._trials())

    def ask(self) -> "Asked":
        """The next trial."""
        with self._seeded(self.asked):
            return Asked(self._search, self._study.ask())

    def unfinished(self) -> Iterator["Asked"]:
        """Trials that were begun, and that Optuna was not told the end of."""
        for each in self._trials(TrialState.RUNNING):
            with self._seeded(each.number):
                yield Asked(self._search, optuna.Trial(self._study, each._trial_id))

    def _trials(self, *states: TrialState) -> list[optuna.trial.FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states or None)

    @contextmanager
    def _seeded(self, number: int) -> Iterator[None]:
        """Let Optuna draw as it does for the trial of that number."""
        seed = stream_seed(self._search.plan.seed, "search", number) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is experimental, and of uneven steps
            self._study.sampler = SAMPLERS[self._search.plan.sampler](seed=seed)  # type: ignore[call-arg]
            yield


class Asked:
    """A trial that Optuna asks for."""

    def __init__(self, search: Search, trial: optuna.Trial) -> None:
        self._trial = trial
        self._study = trial.study
        self.number = trial.number
        self.values = {
            key: suggested(trial, key, entry) for key, entry in search.space.entries.items()
        }

    @property
    def reached(self) -> int:
        """Epochs after which Optuna was told its last score; 0 where it was told none."""
        trials = self._study.get_trials(deepcopy=False)
        return max(trials[self.number].intermediate_values, default=0)

    def is_left_behind(self, epochs: int, score: float) -> bool:
        """Tell the score after so many epochs; whether the trial is to end there."""
        self._trial.report(score, epochs)
        return self._trial.should_prune()

    def end(self, state: Ending, score: float | None) -> None:
        """Tell how it ended, and the score of a finished one."""
        value = score if state == "finished" else None
        self._study.tell(self.number, value, STATES[state])


def _pruner(search: Search) -> BasePruner:
    """Asynchronous successive halving (Li et al. 2020, 1810.05934): nobody waits at a rung."""
    rungs = search.plan.rung_epochs
    if len(rungs) == 1:
        return NopPruner()
    return SuccessiveHalvingPruner(min_resource=rungs[0], reduction_factor=REDUCTION)


def suggested(trial: optuna.Trial, key: str, entry: Range | Choices) -> Any:
    """What a trial tries under a key."""
    if not isinstance(entry, Range):
        told = [_told(entry, choice) for choice in entry]
        return entry[told.index(trial.suggest_categorical(key, told))]
    if entry.whole:
        return trial.suggest_int(
            key, int(entry.low), int(entry.high), step=int(entry.step or 1), log=entry.log
        )
    return trial.suggest_float(key, entry.low, entry.high, step=entry.step, log=entry.log)


def _told(entry: Range | Choices, value: Any) -> Any:
    """A value as Optuna is told it: choices as text, as some are lists."""
    return value if isinstance(entry, Range) else written(value)
