"""Optuna at a search's side: what it asks for, is told, and finds again."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState
from small_search import LR, SPACE, small_plan, small_search

from counterfeit.errors import UsageError
from counterfeit.search.folder import Search
from counterfeit.search.plan import REDUCTION, rungs_in
from counterfeit.search.sampling import Asked, Sampling
from counterfeit.search.space import Space


def told(search: Search, sampling: Sampling, count: int) -> list[dict[str, Any]]:
    """What so many trials by one worker try, scored by a formula."""
    tried = []
    for _ in range(count):
        asked = sampling.ask()
        tried.append(asked.values)
        score = abs(asked.values[LR] - 1e-3) + asked.values["training.batch_size"]
        left_behind = asked.is_left_behind(search.plan.rung_epochs[0], score)
        asked.end("pruned" if left_behind else "finished", score)
    return tried


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random"])
def test_by_one_worker_the_same_search_tries_the_same_also_when_it_was_killed(
    sampler: str, tmp_path: Path
) -> None:
    one, other = (small_search(tmp_path / name, sampler=sampler) for name in ("one", "other"))
    whole = told(one, Sampling(one), 14)
    first = told(other, Sampling(other), 12)
    opened = Search.open(other.folder)
    half = Sampling(opened)
    begun = half.ask()  # and killed before it was told
    (found,) = Sampling(opened).unfinished()
    assert (found.number, found.values) == (begun.number, begun.values)
    found.end("failed", None)
    assert [*first, found.values] == whole[:13]
    assert len({str(each) for each in whole}) > 10


def test_a_trial_that_was_half_asked_for_is_asked_for_again(tmp_path: Path) -> None:
    search = small_search(tmp_path / "s")
    sampling = Sampling(search)
    sampling.ask()
    search.space = Space({"discriminator.dropout": search.space.entries["discriminator.dropout"]})
    half = sampling.ask()
    _, found = Sampling(Search.open(search.folder)).unfinished()
    assert found.values.keys() == SPACE.keys()
    assert found.values | half.values == found.values


def test_the_recipe_as_it_is_comes_first_where_the_space_holds_it(tmp_path: Path) -> None:
    search = small_search(tmp_path / "s")
    assert Sampling(search).ask().values == search.unchanged
    elsewhere = small_search(tmp_path / "t", SPACE | {LR: {"low": 0.1, "high": 0.2}})
    assert Sampling(elsewhere).ask().values[LR] >= 0.1


def test_the_best_third_of_those_at_a_rung_goes_on(tmp_path: Path) -> None:
    search = small_search(tmp_path / "s", trials=9)
    sampling = Sampling(search)
    asked: list[Asked] = [sampling.ask() for _ in range(9)]
    worse_and_worse = [each.is_left_behind(1, float(n)) for n, each in enumerate(asked)]
    assert worse_and_worse == [False, *[True] * 4, *[True] * 4]
    other = small_search(tmp_path / "t", trials=9, metric="coverage")
    asked = [Sampling(other).ask() for _ in range(3)]
    assert [each.is_left_behind(1, n / 10) for n, each in enumerate(asked)] == [False] * 3


def test_each_end_is_told(tmp_path: Path) -> None:
    search = small_search(tmp_path / "s")
    sampling = Sampling(search)
    for state in ("finished", "pruned", "failed"):
        asked = sampling.ask()
        asked.is_left_behind(1, 3.0)
        assert asked.reached == 1
        asked.end(state, 2.0 if state == "finished" else None)
    states = [each.state for each in sampling._trials()]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]


@pytest.mark.parametrize("name", ["a b", "50%41", "x?y=z", "#1", "é가"])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    search = small_search(tmp_path / name)
    Sampling(search).ask()
    assert (search.folder / "optuna.sqlite").is_file()
    assert {each.name for each in tmp_path.iterdir()} == {name}


@given(st.integers(1, 100_000), st.integers(1, 20))
def test_rungs_are_where_optuna_looks(epochs: int, rungs: int) -> None:
    if rungs > rungs_in(epochs):
        with pytest.raises(UsageError, match=f"of {epochs} epochs at most {rungs_in(epochs)}"):
            small_plan(epochs=epochs, rungs=rungs)
        return
    found = small_plan(epochs=epochs, rungs=rungs).rung_epochs
    assert (len(found), found[-1]) == (rungs, epochs)
    for number, reached in enumerate(found[:-1]):
        assert found[0] * REDUCTION**number <= reached < found[0] * REDUCTION ** (number + 1)
