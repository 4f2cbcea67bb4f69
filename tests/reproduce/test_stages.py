"""Stages that are trained at once: the same bits, stopped and saved together, failing in a line."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfeit import cores, recipe
from counterfeit.errors import CounterfeitError, Interrupted, UsageError
from counterfeit.reproduce import stages
from counterfeit.reproduce.stages import Stage, Team, find, plan, train_together
from counterfeit.run import Run


@pytest.fixture
def small(tiny: recipe.Recipe) -> Callable[..., recipe.Recipe]:
    return lambda name, epochs=2: tiny.with_values({"training.epochs": epochs}).model_copy(
        update={"name": name}
    )


def of(folder: Path, *specs: recipe.Recipe) -> list[Stage]:
    """The stages that `folder` has or lacks."""
    return [Stage(spec, 3, "cpu", folder, None, find(folder, spec, 3)) for spec in specs]


def nothing(row: object) -> None:
    pass


def bits(run: Run) -> bytes:
    return max((run.path / "checkpoints").glob("*.safetensors")).read_bytes()


def test_the_number_of_workers_changes_no_bit(small, tmp_path: Path) -> None:
    specs = small("one"), small("two")
    one, two = train_together(of(tmp_path / "a", *specs), [nothing] * 2, workers=2, threads=1)
    told: list[object] = []
    (alone,) = train_together(
        of(tmp_path / "b", specs[1]),
        [lambda row: told.append("row")],
        on_stage=[told.append],
        workers=1,
        threads=2,
    )
    assert told[:4] == ["reading the data", "building the networks", "training", "row"]
    assert [run.recipe.name for run in (one, two, alone)] == ["one", "two", "two"]
    assert [run.environment["threads"] for run in (one, two, alone)] == [1, 1, 2]
    assert bits(two) == bits(alone)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_all_and_the_same_call_goes_on(small, tmp_path: Path, signum) -> None:
    specs = small("one", 100_000), small("two", 100_000)
    heard: set[str] = set()
    lock = threading.Lock()  # each stage is heard in a thread of its own

    def hear(name: str) -> Callable[[object], None]:
        def on_row(row: object) -> None:
            with lock:
                if name not in heard:
                    heard.add(name)
                    if len(heard) == len(specs):  # once: a second SIGINT saves nothing
                        os.kill(os.getpid(), signum)

        return on_row

    handler = signal.getsignal(signal.SIGINT)  # ignored in the background of some shells
    with pytest.raises(Interrupted) as stopped:
        train_together(of(tmp_path, *specs), [hear("one"), hear("two")], workers=2, threads=1)
    assert stopped.value.exit_status == 128 + signum
    assert signal.getsignal(signal.SIGINT) is handler
    for spec in specs:
        run = find(tmp_path, spec, 3)
        assert run is not None
        assert run.checkpoint().step >= run.log[-1]["step"]


def test_a_stopped_stage_goes_on_to_the_same_bits(small, tmp_path: Path) -> None:
    from counterfeit.training import loop

    whole = loop.train(small("one"), seed=3, device="cpu", out=tmp_path / "whole")
    part = loop.train(small("one"), epochs=1, seed=3, device="cpu", out=tmp_path / "part")
    part.change_recipe(small("one"))
    (run,) = train_together(of(tmp_path / "part", small("one")), [nothing], workers=1, threads=1)
    assert run.path == part.path
    assert bits(run) == bits(whole)


def test_a_stage_that_fails_says_why_and_stops_the_others(small, tmp_path: Path) -> None:
    bad = small("bad").with_values({"data.train_images": 10**6})
    with pytest.raises(UsageError, match="train_images is 1,000,000"):
        train_together(
            of(tmp_path, small("long", 100_000), bad), [nothing] * 2, workers=2, threads=1
        )
    assert find(tmp_path, bad, 3) is None


def test_a_process_that_dies_is_said_in_one_line(small, tmp_path: Path) -> None:
    team = Team({})

    def kill(row: object) -> None:
        for process in team.processes:
            process.kill()

    (stage,) = of(tmp_path, small("one", 100_000))
    with pytest.raises(
        CounterfeitError, match="trained one ended with status -9; the same"
    ) as said:
        team.train(stage, kill)
    assert "\n" not in str(said.value)
    assert not team.processes


@pytest.mark.parametrize(
    ("device", "count", "given", "planned"),
    [
        ("cpu", 1, None, (1, None)),
        ("cpu", 2, None, (3, 1)),
        ("cpu", 4, None, (3, 1)),
        ("cpu", 16, None, (3, 5)),
        ("cpu", 2, "1", (3, 1)),
        ("cpu", 2, "2", (1, 2)),
        ("cpu", 8, "4", (2, 4)),
        ("cpu", 8, "64", (1, 64)),
        ("cpu", 2, "many", (3, 1)),
        ("cuda", 16, None, (1, None)),
    ],
)
def test_the_plan(monkeypatch, device: str, count: int, given: str | None, planned) -> None:
    monkeypatch.setattr(cores, "count", lambda: count)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert plan(device) == planned
    assert len(stages.STAGES) == 3
