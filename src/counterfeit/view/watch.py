"""All runs of the folders that are looked at, as they are now: what pages ask, in one place."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from counterfeit.view.places import Group, is_inside
from counterfeit.view.seen import Seen
from counterfeit.view.studies import Progress

PERIOD = 1.0
"""Seconds from one look to the next, while a page is open."""

SHARE = 0.02
"""The most of a core that is spent on verdicts anew, which take longer than looking."""

FIRST_SECONDS = 0.2
"""So long one look reads runs that are new to it, and as long again are they judged; the others
have their turn at the next one, so that a page is there at once."""

HELD_SECONDS = 60.0
"""So long rows are kept of a run that no page asks for any more."""


@dataclass
class Shelf:
    """A group and its runs."""

    group: Group
    runs: list[Seen] = field(default_factory=list)
    """The newest first."""
    progress: Progress | None = None
    """Of a study."""


class Watch:
    """What `pages` look at. One thread at a time looks; what was seen is read without waiting."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.shelves = [
            Shelf(group, progress=Progress(group.study, SHARE) if group.study else None)
            for group in groups
        ]
        self._by_id: dict[str, Seen] = {}
        self._lock = threading.Lock()
        self._next_look = self._next_verdict = 0.0

    def find(self, id: str) -> Seen | None:
        """The run of that id; None where there is none, or no longer."""
        return self._by_id.get(id)

    def look(self) -> None:
        """See what is new, if that is a while ago; judge what most wants it."""
        with self._lock:
            now = time.monotonic()
            if now < self._next_look:
                return
            for shelf in self.shelves:
                self._look_at(shelf, now)
            self._judge(now)
            self._next_look = time.monotonic() + PERIOD

    @contextmanager
    def reading(self, chosen: Sequence[Seen]) -> Iterator[None]:
        """Have the rows of runs in memory, and their verdicts; nothing changes within the block."""
        with self._lock:
            for seen in chosen:
                seen.wanted = time.monotonic()
                self._have(seen)
                if seen.verdict is None and not seen.error:
                    seen.judge()
            yield

    def _look_at(self, shelf: Shelf, now: float) -> None:
        there = shelf.group.runs()
        for seen in shelf.runs:
            if seen.id not in there:
                del self._by_id[seen.id]
        runs = [seen for seen in shelf.runs if seen.id in there]
        for id, path in sorted(there.items(), reverse=True):  # probably the newest first
            if id not in self._by_id:
                self._by_id[id] = Seen(id, path)
                runs.append(self._by_id[id])
        for seen in runs:
            is_new = not seen.version
            if is_new and time.monotonic() > now + FIRST_SECONDS:
                continue
            if is_new or not seen.run.is_still:
                seen.look()
            if seen.is_judged and seen.state != "training" and now > seen.wanted + HELD_SECONDS:
                seen.run.forget()
        # A list of its own: pages may be reading the one before.
        shelf.runs = sorted(runs, key=lambda each: (each.created, each.run.path.name), reverse=True)
        if shelf.progress is not None:
            shelf.progress.look()

    def _judge(self, now: float) -> None:
        """Runs that have no verdict yet, the newest first; else, within `SHARE`, the one whose is
        no longer news, before others if a page shows it."""
        waiting = [each for each in self._by_id.values() if each.version and not each.is_judged]
        first = [each for each in waiting if each.verdict is None]
        for seen in sorted(first, key=lambda each: each.created, reverse=True):
            if time.monotonic() < now + 2 * FIRST_SECONDS:
                self._have(seen)
                seen.judge()
        if waiting and not first and now >= self._next_verdict:
            chosen = max(waiting, key=lambda each: each.wanted)
            started = time.monotonic()
            self._have(chosen)
            chosen.judge()
            ended = time.monotonic()
            self._next_verdict = ended + (ended - started) / SHARE

    def _have(self, seen: Seen) -> None:
        if not seen.is_open:
            seen.look()


def readable(seen: Seen, folder: str) -> bool:
    """Whether nothing in a folder of the run leads out of it."""
    return is_inside(seen.run.path / folder, seen.run.path)
