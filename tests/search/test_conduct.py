"""Searches on clusters: from rung to rung, failures, kills, and what is confirmed in the end."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from command import call
from distributed import Client, LocalCluster
from small_search import LR, small_search
from small_study import same_bits

from counterfeit import recipe
from counterfeit.errors import CounterfeitError
from counterfeit.files import locked
from counterfeit.run import Run
from counterfeit.search import conduct as conduct_module
from counterfeit.search.conduct import conduct
from counterfeit.search.folder import Search
from counterfeit.search.sampling import Sampling
from counterfeit.study import worker
from counterfeit.training import loop


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Of one worker, a thread of this process."""
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, client: Client) -> Search:
    """A search whose trials have ended, undisturbed."""
    search = small_search(tmp_path_factory.mktemp("searches") / "s")
    conduct(search, client)
    return search


def states(search: Search) -> list[str]:
    return [each.state for each in search.trials]


def test_trials_are_pruned_at_rungs_and_go_on_to_the_same_bits(
    done: Search, tmp_path: Path
) -> None:
    assert len(done.trials) == done.plan.trials
    assert set(states(done)) == {"finished", "pruned"}
    for trial in done.trials:
        outcome = trial.task.outcome
        assert outcome is not None
        reached = [rung for rung in done.plan.rung_epochs if rung <= outcome.epoch]
        assert list(trial.scores) == reached
        assert Run.open(trial.task.run).log[-1]["epoch"] == reached[-1]
        assert (reached[-1] == 9) == (trial.state == "finished")
    trial = done.ranked(done.trials)[0]
    straight = loop.train(trial.task.spec, seed=trial.task.seed, out=tmp_path / "runs")
    one, other = straight.checkpoint(), Run.open(trial.task.run).checkpoint()
    assert one.step == other.step
    assert all((one.tensors[name] == other.tensors[name]).all() for name in one.tensors)


def test_the_first_trial_is_the_recipe_and_the_best_one_is_a_recipe_for_train(
    done: Search, tmp_path: Path
) -> None:
    assert done.trials[0].values == done.unchanged
    best = done.trials[1]
    spec = recipe.load(done.write_best(best))
    assert done.space.of(spec) == best.values
    assert spec.source == done.base.source
    changes = done.changes(best)
    *_, found = spec.deviations[: -len(changes)]
    assert f"of {len(done.trials)} trials number 1 has the best FID" in found
    assert list(spec.deviations[-len(changes) :]) == changes
    assert loop.train(spec, epochs=1, out=tmp_path).recipe.name == "small-trial-1"


def test_a_search_that_ended_goes_on_with_more_trials_and_trains_none_twice(
    done: Search, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = same_bits(done)
    trained: list[str] = []
    train = loop.train
    monkeypatch.setattr(
        loop, "train", lambda *args, **named: (trained.append(named["name"]), train(*args, **named))
    )
    more = done.grown(done.plan.with_values({"trials": 6}))
    conduct(more, client)
    assert trained == ["trial-5"]
    after = same_bits(more)
    assert {name: after[name] for name in before} == before


def test_what_cannot_be_trained_has_failed_and_optuna_is_told(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers that are no longer finite, too little memory, and values that make no recipe."""
    space: dict[str, Any] = {
        LR: [2e-4, 1e30],
        "inputs.replay": [0.0, 0.5],
        "training.update": ["alternating", "simultaneous"],
    }
    search = small_search(tmp_path / "s", space, trials=8, sampler="random", rungs=1, epochs=1)
    train = loop.train

    def small_machine(spec: recipe.Recipe, **named: Any) -> Run:
        if spec.training.update == "simultaneous":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return train(spec, **named)

    monkeypatch.setattr(loop, "train", small_machine)
    conduct(search, client)
    whys = {}
    for trial in search.trials:
        values = trial.values or {LR: 0.0, "training.update": ""}
        bad = values[LR] != 2e-4 or values["training.update"] == "simultaneous"
        assert trial.state == ("failed" if bad else "finished")
        outcome = trial.task.outcome
        assert outcome is not None
        whys |= {outcome.why: trial.number}
    assert any(why and why.startswith("non-finite") for why in whys)
    assert "Out of memory." in whys
    assert any(why and "inputs.replay needs" in why for why in whys)
    told = [each.state.name for each in Sampling(search)._trials()]
    assert told == ["FAIL" if state == "failed" else "COMPLETE" for state in states(search)]


def test_a_search_in_which_all_fails_ends_and_says_why(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduct_module, "HOPELESS", 3)
    search = small_search(tmp_path / "s", {LR: [1e28, 1e29, 1e30]}, trials=9)
    for _ in range(2):
        with pytest.raises(CounterfeitError, match=r"3 trials failed and none .*: non-finite"):
            conduct(search, client)
    assert states(search) == ["failed"] * 3


def test_a_metric_that_is_not_measured_is_one_line(tmp_path: Path, client: Client) -> None:
    search = small_search(tmp_path / "s", metric="parzen")
    with pytest.raises(CounterfeitError, match=r"parzen was not measured .*measured are fid, .*"):
        conduct(search, client)


def test_what_keeps_a_trial_from_its_end_is_no_failure_and_begins_no_other(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = small_search(tmp_path / "s", trials=2)
    with monkeypatch.context() as patch:

        def full(*_: object, **__: object) -> None:
            raise CounterfeitError("the disk is full.")

        patch.setattr(loop, "train", full)
        assert "1 trials have not ended: the disk is full; " in refused(search, client)
    assert states(search) == ["waiting"]
    conduct(search, client)
    assert len(search.trials) == 2


def refused(search: Search, client: Client) -> str:
    """What kept the trials from their ends; nothing keeps the cluster's answers, as when a command
    ends."""
    try:
        conduct(search, client)
    except CounterfeitError as error:
        return str(error)
    finally:
        gc.collect()
    return ""


def test_one_command_conducts_a_search(tmp_path: Path, client: Client) -> None:
    search = small_search(tmp_path / "s")
    with (
        locked(search.folder / "search.lock", "busy"),
        pytest.raises(CounterfeitError, match="another command conducts"),
    ):
        conduct(search, client)


def test_trials_are_measured_on_validation_images_alone(done: Search) -> None:
    for trial in done.trials:
        names = [name for row in Run.open(trial.task.run).metrics for name in row["metrics"]]
        assert names
        assert not any("_test_" in name for name in names)


def test_killed_and_interrupted_it_goes_on_to_the_same_trials_and_bits(
    done: Search,
    tmp_path: Path,
    client: Client,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the same command; the last time to its end, where the best trial is confirmed."""
    search = small_search(tmp_path / "s", confirm=2)
    words = ["search", str(search.folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "counterfeit", *words, "--workers=1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (search.task(0, 1).outcome and search.task(0).state == "training"):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)  # until the first trial is amid its second rung
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    here = [*words, f"--scheduler={client.scheduler.address}"]
    train, halted = loop.train, worker._halted.copy()

    def ctrl_c(row: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while worker._halted == halted:
            time.sleep(0.02)

    def disturbed(*args: Any, **named: Any) -> Run:
        first = [ctrl_c] if named["name"] == "trial-2" else []
        return train(*args, **named | {"on_row": [*first, *named["on_row"]]})

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", disturbed)
        status, _, err = call(capsys, *here)
    assert status == 130, err
    assert err.splitlines()[-1].endswith(
        f"stopped and saved; `counterfeit search {search.folder}` goes on."
    )
    assert search.task(2).state == "stopped"
    assert not search.scores(search.task(2))  # saved, and not measured any more
    status, out, err = call(capsys, *here)
    assert status == 0, err
    assert out.splitlines()[-1] == str(search.folder)
    mine, undisturbed = search.trials, done.trials[: done.plan.trials]
    assert [(each.values, each.scores, each.state) for each in mine] == [
        (each.values, each.scores, each.state) for each in undisturbed
    ]
    bits = same_bits(search)
    assert bits == {name: each for name, each in same_bits(done).items() if name in bits}
    best = search.ranked(mine)[0]
    assert search.changes(best)
    confirmed = search.confirmed
    assert confirmed is not None
    assert confirmed.labels == ("small", f"small-trial-{best.number}")
    assert {task.seed for task in confirmed.tasks} == {1, 2}
    assert {task.state for task in confirmed.tasks} == {"finished"}
    assert "can't tell" in out.lower()
