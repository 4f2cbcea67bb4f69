"""What people are told, in their language: English, or Korean by the catalogue `locale/ko.toml`.

English stands in the code, and is the catalogue's key. To add a text, write it as one literal, with
a plain `{name}` for each value, which the caller has formatted:

- `tr("{found} of {of} classes", found="1", of="10")` where it is said at once;
- `english("Losses")` where it is kept to be said later: a constant, or what a file holds. That is
  English in any language, and `translated(text)` says it. So a run's files are the same for all.

Templates and scripts of the page have a `tr` as well. Then give the text its Korean in
`locale/ko.toml`, with the same `{name}`s; under `[kept]` there if it is kept and has any. A text is
whole clauses, as another language has another order of words, and endings that hang on what stands
before them. tests/test_language.py names every text that lacks its Korean, and what the catalogue
has too much; titles and deviations of recipes count as texts.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Of the environment, the first that is set decides, as in GNU gettext."""

IN_SCRIPT = re.compile(r'\btr\("([^"\\]*)"')
PLACEHOLDER = re.compile(r"\{(\w+)\}")

_speaking: ContextVar[Language | None] = ContextVar("speaking", default=None)


def current() -> Language:
    """The language of the moment: that of `speaking`, else what the environment says."""
    return _speaking.get() or _of_environment()


def _of_environment() -> Language:
    asked = next(filter(None, map(os.environ.get, VARIABLES)), "")
    spoken = (locale.partition("_")[0].partition(".")[0] for locale in asked.split(":"))
    return next((each for each in spoken if each in LANGUAGES), "en")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Say all in that language within the block.

    >>> from counterfeit.insight.report import write_report
    >>> with speaking("ko"):
    ...     page = write_report([run])
    """
    before = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(before)


def use(language: Language | None) -> None:
    """Say all in that language from now on, in this process and those that it starts.

    None changes nothing.
    """
    if language is not None:
        os.environ["LANGUAGE"] = language


def tr(text: str, /, **values: str) -> str:
    """A text of the catalogue, said in the language of the moment."""
    return _catalogue(current()).get(text, text).format(**values)


def english(text: str, /, **values: str) -> str:
    """A text of the catalogue in English, to be kept and `translated` when it is said."""
    return text.format(**values)


def translated(text: str) -> str:
    """A text that `english` made, now or when a file was written, in the language of the moment.

    Values are translated as well where they are texts themselves. What is not in the catalogue,
    such as a name of the user's, stays as it is.
    """
    language = current()
    catalogue = _catalogue(language)
    for known in (text, text[:1].upper() + text[1:]):  # within another one it has no capital
        if known in catalogue:
            return catalogue[known]
    for pattern, translation in _patterns(language):
        if found := pattern.fullmatch(text):
            values = {name: translated(value) for name, value in found.groupdict().items()}
            return translation.format(**values)
    return text


def texts_in(script: str) -> dict[str, str]:
    """The texts that a page's script says by a `tr` of its own, in the language of the moment.

    Their values are not filled in.
    """
    catalogue = _catalogue(current())
    return {text: catalogue.get(text, text) for text in IN_SCRIPT.findall(script)}


def _read(language: Language) -> dict[str, Any]:
    path = Path(__file__).parent / "locale" / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _catalogue(language: Language) -> dict[str, str]:
    """The translations by their English texts; English itself needs none."""
    if language == "en":
        return {}
    texts = _read(language)
    kept: dict[str, str] = texts.pop("kept")
    return kept | texts


@cache
def _patterns(language: Language) -> list[tuple[re.Pattern[str], str]]:
    """What kept texts with values look like, and their translations; the most telling first."""
    if language == "en":
        return []
    kept: dict[str, str] = _read(language)["kept"]
    telling = sorted(kept, key=lambda text: -len(PLACEHOLDER.sub("", text)))
    return [(_pattern(text), kept[text]) for text in telling]


def _pattern(text: str) -> re.Pattern[str]:
    parts = PLACEHOLDER.split(text)  # literal, name, literal, …
    named = [re.escape(p) if n % 2 == 0 else f"(?P<{p}>.+?)" for n, p in enumerate(parts)]
    return re.compile("".join(named), re.DOTALL)
