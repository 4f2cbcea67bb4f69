"""What each trick is worth, as text for a terminal and as Markdown."""

import math
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len

from counterfeit.errors import UsageError
from counterfeit.language import english, tr, translated
from counterfeit.terminal import fill, pad
from counterfeit.tricks.catalogue import Base, Change, Trick, catalogue
from counterfeit.tricks.record import Effect, Interval, Judged, kept

WORTHS = {
    "better": english("better"),
    "worse": english("worse"),
    "unsure": english("can't tell"),
    "": english("not measured"),
}
"""What is said of a trick, what helps first."""

COLUMNS = (
    english("FID"),
    english("coverage"),
    english("failed"),
    english("time"),
)
WIDTHS = (17, 20, 6, 4)
"""Of the columns: with a title of 25 letters, a line has 80."""

INDENT = " " * 4


def bases_of(recipe: str | None) -> Sequence[Base]:
    """The bases that tricks are judged on, or that one.

    Raises:
        UsageError: it is none.
    """
    bases = catalogue().bases
    if recipe is None:
        return bases
    if found := [each for each in bases if each.recipe == recipe]:
        return found
    known = " and ".join(each.recipe for each in bases)
    raise UsageError(f"tricks are judged on {known}, not on {recipe}.")


def terminal_text(bases: Sequence[Base], width: int | None) -> str:
    """For each base a table with what helps first, each trick with its switch; then what is none.

    Args:
        width: of the terminal; None for one line a sentence.
    """
    blocks = ["\n".join(_block(base, kept(base.study), width)) for base in bases]
    rest = [
        fill(
            f"{translated(each.title)} ({each.source}): {translated(each.instead)}",
            width,
            rest=INDENT,
        )
        for each in catalogue().no_switch
    ]
    return "\n\n".join([*blocks, "\n".join([tr("No switch:"), *rest])])


def markdown(base: Base, judged: Judged | None) -> str:
    """A table of the tricks of one base, below what its numbers are."""
    heads = ["trick", "worth", *COLUMNS, "switch"]
    rows = [
        [
            f"{trick.title} ({trick.source})",
            WORTHS[_worth(effect)],
            *(cells(effect) if effect else [""] * len(COLUMNS)),
            _switch(change).replace(change.options, f"`{change.options}`"),
        ]
        for trick, change, effect in _rows(base, judged)
    ]
    lines = [f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows]]
    made = [] if judged is None else [f"Made with torch {judged.torch} on {judged.processor}."]
    return "\n\n".join([*head(base, judged), *made, "\n".join(lines)])


def _block(base: Base, judged: Judged | None, width: int | None) -> Iterator[str]:
    yield from (fill(each, width) for each in head(base, judged))
    titles = max(cell_len(translated(each.title)) for each in catalogue().tricks)

    def line(title: str, row: Sequence[str]) -> str:
        return "  ".join([pad(title, titles), *map(pad, row, WIDTHS)]).rstrip()

    if judged is not None:
        yield f"\n{line('', list(map(translated, COLUMNS)))}"
    rows = _rows(base, judged)
    for worth, said in WORTHS.items():
        own = [each for each in rows if _worth(each[2]) == worth]
        if own:
            yield f"\n{translated(said)}:"
        for trick, change, effect in own:
            yield line(translated(trick.title), cells(effect) if effect else [])
            yield fill(f"{_switch(change)} ({trick.source})", width, first=INDENT, rest=INDENT)


def _rows(base: Base, judged: Judged | None) -> list[tuple[Trick, Change, Effect | None]]:
    """Every trick of a base and its effect, what helps first."""
    effects = {} if judged is None else judged.effects
    rows = [(trick, change, effects.get(trick.label)) for trick, change in catalogue().of(base)]
    order = list(WORTHS)
    return sorted(
        rows, key=lambda row: (order.index(_worth(row[2])), row[2].fid[0] if row[2] else 0.0)
    )


def _worth(effect: Effect | None) -> str:
    return "" if effect is None else effect.worth


def head(base: Base, judged: Judged | None) -> list[str]:
    """What was trained, and how the numbers are to be read."""
    if judged is None:
        return [tr("{recipe}: its tricks are not measured yet.", recipe=base.recipe)]
    return [
        tr(
            "{recipe}, {epochs} epochs, {seeds} seeds: FID {fid}, coverage {coverage}"
            " ({protocol}).",
            recipe=base.recipe,
            epochs=str(judged.epochs),
            seeds=str(judged.seeds),
            fid=f"{judged.fid[0]:.3g}",
            coverage=f"{judged.coverage[0]:.3f}",
            protocol=", ".join(map(translated, judged.protocol)),
        ),
        tr(
            "With a trick, FID is so many times as large, coverage so much higher, and training"
            " takes so many times as long; the changed recipe's failed runs are counted. Intervals"
            " and claims are corrected for all tricks of its list."
        ),
    ]


def cells(effect: Effect) -> list[str]:
    """What stands in `COLUMNS`."""
    return [
        _interval(effect.fid, _ratio),
        _interval(effect.coverage, _difference),
        f"{effect.failed}" if effect.failed else "–",
        _ratio(effect.seconds[0]),
    ]


def _interval(known: Interval, said: Callable[[float], str]) -> str:
    """`0.61 [0.48, 0.77]`; the number alone where seeds are too few."""
    value, low, high = map(said, known)
    return f"{value} [{low}, {high}]" if math.isfinite(known[1]) else value


def _difference(value: float) -> str:
    """Of shares: `-.031`."""
    if not math.isfinite(value):
        return "–"
    return f"{round(value, 3) + 0.0:+.3f}".replace("0.", ".", 1)


def _ratio(value: float) -> str:
    """Four letters at most, however far apart the ends of an interval are."""
    if not math.isfinite(value):
        return "–"
    if value < 0.005:
        return "<.01"
    if value >= 999.5:
        return ">999"
    return f"{value:.2f}" if value < 9.995 else f"{value:.3g}"


def _switch(change: Change) -> str:
    if change.takes_away:
        return tr("is in it, and gone with {options}", options=change.options)
    return change.options
