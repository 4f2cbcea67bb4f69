"""What a tab may ask for, and what comes back: bounded, and JSON."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from counterfeit.data import points
from counterfeit.view.playground import visit
from counterfeit.view.playground.packing import LEVELS, packed
from counterfeit.view.playground.setup import recipe_for
from counterfeit.view.playground.visit import Visit
from counterfeit.view.playground.world import PLACES, World


def ask(tab: Visit, question: Any) -> Any:
    answer = asyncio.run(tab.answer(question))
    json.dumps(answer, allow_nan=False)
    return answer


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    monkeypatch.setattr(visit, "MOST_SECONDS", 600)  # a busy machine takes none of the steps away
    opened = Visit()
    yield opened
    opened.leave()


def test_a_tab_begins_and_goes_on(tab: Visit) -> None:
    assert ask(tab, {"choices": {"distribution": "two"}})["updates"] == 0
    assert ask(tab, {"steps": 3})["updates"] == 3
    assert ask(tab, {})["updates"] == 3
    assert ask(tab, {"choices": {"distribution": "ring"}})["updates"] == 0


@pytest.mark.parametrize("steps", [-5, 0, "7", None, 1.5, True])
def test_no_number_of_steps_is_none(tab: Visit, steps: object) -> None:
    ask(tab, {"choices": {}})
    assert ask(tab, {"steps": steps})["updates"] == 0


def test_a_tab_gets_no_more_at_once_than_it_may(
    tab: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit, "MOST_STEPS", 20)
    ask(tab, {"choices": {}})
    assert ask(tab, {"steps": 10**9})["updates"] == 20
    monkeypatch.setattr(visit, "MOST_SECONDS", 0)
    assert ask(tab, {"steps": 10})["updates"] == 20


def test_answers_are_held_back_to_the_pace(tab: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(tab, {"choices": {}})
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(visit, "MOST_PER_SECOND", 0.01)
    monkeypatch.setattr(visit.asyncio, "sleep", sleep)
    ask(tab, {"steps": 2})
    assert waited[-1] == pytest.approx(200, abs=60)


def test_a_second_question_is_dropped_while_one_is_answered(tab: Visit) -> None:
    async def both() -> list[Any]:
        return list(await asyncio.gather(tab.answer({"choices": {}}), tab.answer({"steps": 1})))

    first, second = asyncio.run(both())
    assert first["updates"] == 0
    assert second is None


def test_what_cannot_be_played_is_said_and_the_old_game_stays(tab: Visit) -> None:
    assert "load the page" in ask(tab, {"steps": 1})["error"]
    ask(tab, {"choices": {}})
    for nonsense in ({"loss": "custom"}, 7, {"distribution": "sketch"}):
        assert ask(tab, {"choices": nonsense})["error"]
    assert ask(tab, "nonsense")["updates"] == 0


def test_only_so_many_tabs_play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "MOST_WORLDS", len(visit._visits) + 1)
    one, other = Visit(), Visit()
    ask(one, {"choices": {}})
    assert "Too many" in ask(other, {"choices": {}})["error"]
    ask(one, {"choices": {}})
    one.leave()
    assert ask(other, {"choices": {}})["updates"] == 0
    other.leave()


def test_surfaces_are_bytes_between_the_ends_of_the_scale() -> None:
    ring = points.by_name("ring")
    world = World(ring, recipe_for(ring))
    seen, look = packed(world), world.look()
    said = torch.tensor(list(base64.b64decode(seen["said"]))).view(PLACES[2], PLACES[2])
    assert seen["range"] == [0, 1]
    assert torch.allclose(said / LEVELS, look.said.float(), atol=1 / LEVELS)
    assert look.optimal is not None
    best = torch.tensor(list(base64.b64decode(seen["optimal"]))).view(PLACES[2], PLACES[2])
    assert torch.equal(best == LEVELS + 1, look.optimal.isnan())


@pytest.mark.parametrize(
    ("loss", "low", "high"), [("least-squares", 0, 1), ("hinge", -1, 1), ("minimax", 0, 1)]
)
def test_the_scale_has_room_for_the_best_answers(loss: str, low: float, high: float) -> None:
    two = points.by_name("two")
    lowest, highest = packed(World(two, recipe_for(two, {"loss.name": loss})))["range"]
    assert lowest <= low + 0.01
    assert highest >= high - 0.01
    assert (lowest + highest) / 2 == pytest.approx((low + high) / 2)


def test_numbers_that_are_none_become_null() -> None:
    two = points.by_name("two")
    world = World(two, recipe_for(two))
    with torch.no_grad():
        world.game.G.output.bias.fill_(torch.nan)  # type: ignore[union-attr, operator]
    seen = packed(world)
    assert set(seen["p_g"]) == {None}
    json.dumps(seen, allow_nan=False)
