"""A browser's tab in the playground: its world, and how much of the machine it may use."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import torch

from counterfeit.errors import CounterfeitError
from counterfeit.language import tr
from counterfeit.view.playground.packing import packed
from counterfeit.view.playground.setup import chosen
from counterfeit.view.playground.world import World

MOST_WORLDS = 16
"""In all tabs together."""

MOST_STEPS = 200
"""At once."""

MOST_SECONDS = 0.25
"""Of computing at once, after which the tab is shown how far it came."""

MOST_PER_SECOND = 500
"""Updates of one tab."""

SLICE = 5
"""Updates between two looks at the clock."""

_visits: set["Visit"] = set()
"""Those that have a world."""

_thread = ThreadPoolExecutor(1, "playground", initializer=torch.set_num_threads, initargs=(1,))
"""That computes for all tabs, one after another: the page stays quick, and so does the machine."""


class Visit:
    """What a tab has chosen and how far it has played."""

    def __init__(self) -> None:
        self.world: World | None = None
        self.is_busy = False

    async def answer(self, asked: Any) -> dict[str, Any] | None:
        """What the page shows next.

        Args:
            asked: by a browser, and so anything: `{"choices": …}` begins a new world,
                `{"steps": n}` goes on with it.

        Returns:
            None where the last question is not answered yet; `{"error": …}` where it cannot be.
        """
        if self.is_busy:
            return None
        self.is_busy = True
        try:
            began, before = time.monotonic(), self.world.updates if self.world else 0
            loop, context = asyncio.get_running_loop(), copy_context()
            shown = await loop.run_in_executor(_thread, context.run, self._answer, asked)
            made = max(0, (self.world.updates if self.world else 0) - before)
            await asyncio.sleep(made / MOST_PER_SECOND - (time.monotonic() - began))
            return shown
        except CounterfeitError as error:
            return {"error": str(error)}
        finally:
            self.is_busy = False

    def leave(self) -> None:
        """The tab was closed."""
        self.world = None
        _visits.discard(self)

    def _answer(self, asked: Any) -> dict[str, Any]:
        asked = asked if isinstance(asked, dict) else {}
        if "choices" in asked:
            self._begin(asked["choices"])
        if self.world is None:
            raise CounterfeitError(tr("The game is over here: load the page again."))
        steps = asked.get("steps", 0)
        self._step(self.world, steps if type(steps) is int else 0)
        return packed(self.world)

    def _begin(self, values: object) -> None:
        if self not in _visits and len(_visits) >= MOST_WORLDS:
            raise CounterfeitError(
                tr("Too many tabs play at once; close one, and load this page again.")
            )
        choices = chosen(values)
        self.world = World(choices.mixture, choices.recipe, choices.seed)
        _visits.add(self)

    def _step(self, world: World, steps: int) -> None:
        steps, end = min(steps, MOST_STEPS), time.monotonic() + MOST_SECONDS
        while steps > 0 and time.monotonic() < end:
            world.step(min(SLICE, steps))
            steps -= SLICE
