"""Progress on a terminal's stderr or in a notebook's cell; elsewhere only what must be said."""

import copy
import io
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from counterfeit.language import tr, translated
from counterfeit.terminal import columns, fill, styled

if TYPE_CHECKING:  # training has it; other work need not wait for torch
    from counterfeit.run.rows import LogRow


BAR_WIDTH = 10
BESIDE = BAR_WIDTH + len("  1:23:45 left ")
"""Columns that the bar and the time take."""

EVERY_SECONDS = 0.2
"""Between two changes of a notebook's cell."""

NOTEBOOK_WIDTH = 100
"""In columns."""


class Bar:
    """A progress bar with a text that changes, shown while its `with` block runs."""

    def __init__(self, total: float, title: str = "", *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            BarColumn(bar_width=BAR_WIDTH),
            TextColumn("{task.description}{task.fields[state]}"),
            TimeRemainingColumn(compact=True),
            TextColumn(tr("left")),
            console=console,
            disable=quiet or not console.is_terminal or console.is_dumb_terminal,
            transient=True,  # what stays is said
        )
        self._cell = Cell() if console.is_jupyter and not quiet else None
        self._quiet = quiet
        self._title = title
        self._state = tr("starting")
        self._task = self._progress.add_task(title, total=total, state=self._state)

    @classmethod
    @contextmanager
    def several(
        cls, total: float, titles: Sequence[str], *, quiet: bool = False
    ) -> Iterator[list["Bar"]]:
        """Bars below each other, one for each title."""
        with cls(total, titles[0], quiet=quiet) as first:
            yield [first, *(first._below(total, title) for title in titles[1:])]

    def _below(self, total: float, title: str) -> "Bar":
        other = copy.copy(self)
        other._title = title
        other._task = self._progress.add_task(title, total=total, state=tr("starting"))
        return other

    def show(self, completed: float, state: str) -> None:
        self._state = state
        self._update(completed=completed, state=state)

    def _update(self, **fields: Any) -> None:
        self._progress.update(self._task, **fields)
        if self._cell is not None:
            self._cell.show(self._progress)

    def say(self, line: str) -> None:
        """A line above the bar that stays; without a terminal, a line on stderr."""
        if not self._quiet:
            lines = styled(fill(line, columns(sys.stderr), rest="  "))
            self._progress.console.print(lines, soft_wrap=True)

    def on_stage(self, stage: str, done: float) -> None:
        """For work that reports a stage's name and the share of the whole that is done."""
        self.show(done, translated(stage))

    def on_preparing(self, stage: str) -> None:
        """For training, before its first row: hand it over as `on_stage`."""
        self.show(0, translated(stage))

    def on_row(self, row: "LogRow") -> None:
        """For training, whose total is epochs: hand it over as `on_row`."""
        epoch = tr("epoch {epoch}", epoch=f"{row['epoch']:.1f}")
        parts = [epoch, f"D {row['d_loss']:.3f}  G {row['g_loss']:.3f}"]
        if "d_real_mean" in row and "d_fake_mean" in row:
            parts.append(f"D(x) {row['d_real_mean']:.2f}  D(G(z)) {row['d_fake_mean']:.2f}")
        if "score_real_mean" in row and "score_fake_mean" in row:
            parts.append(f"f(x) {row['score_real_mean']:.3g}  f(G(z)) {row['score_fake_mean']:.3g}")
        parts.append(tr("{count} images/s", count=f"{row['images_per_second']:,.0f}"))
        room = self._progress.console.width - BESIDE - cell_len(self._title)
        while len(parts) > 1 and cell_len("  ".join(parts)) > room:
            parts.pop()
        self.show(row["epoch"], "  ".join(parts))

    def on_measuring(self, stage: str, done: float) -> None:
        """For an evaluation between two epochs: the bar stands still, and says for what."""
        self._update(state=tr("measuring: {stage}", stage=translated(stage)))

    def on_measured(self, line: str) -> None:
        """What an evaluation says; the bar shows again what it showed before."""
        self.say(line)
        self._update(state=self._state)

    def __enter__(self) -> "Bar":
        if not self._progress.disable:
            self._progress.start()
        if self._cell is not None:
            self._cell.begin(self._progress)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._progress.disable:  # else rich before 15 prints an empty line
            self._progress.stop()
        if self._cell is not None:
            self._cell.end()


class Cell:
    """Bars in the output of a notebook's cell, in one place; rich does so with ipywidgets alone."""

    _html: Any  # IPython's, which says no types
    _place: Any

    def begin(self, bars: Progress) -> None:
        from IPython.display import HTML, display

        self._shown = -math.inf
        self._html = HTML
        self._place = display(HTML(_html(bars)), display_id=True)

    def show(self, bars: Progress) -> None:
        """As they are now; not more often than the eye sees."""
        now = time.monotonic()
        if now - self._shown >= EVERY_SECONDS:
            self._shown = now
            self._place.update(self._html(_html(bars)))

    def end(self) -> None:
        """What stays is said."""
        self._place.update(self._html(""))


def _html(bars: Progress) -> str:
    """As on a terminal."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=NOTEBOOK_WIDTH,
        force_jupyter=False,
        color_system=None,
    )
    console.print(bars.get_renderable())
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
