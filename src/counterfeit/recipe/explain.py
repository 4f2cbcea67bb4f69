"""What pydantic finds wrong with a table, in sentences for the table's author."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, cast

from pydantic import ValidationError

from counterfeit.arguments import shown

_MISSING = object()
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "Unicode text",
    "null": "left out",
    "object": "a section",
}
_LIMITS = {
    "exclusiveMinimum": "above {:,}",
    "minimum": "at least {:,}",
    "exclusiveMaximum": "below {:,}",
    "maximum": "at most {:,}",
    "maxLength": "at most {:,} characters",
}


def explain(
    error: ValidationError,
    table: Mapping[str, Any],
    schema: Mapping[str, Any],
    what: str = "the recipe",
) -> list[str]:
    """A sentence for each key that is wrong: what may stand there, and what does.

    Args:
        error: what pydantic said about `table`.
        schema: the JSON schema of what the table should be.
        what: what the table is, in words.
    """
    sentences: dict[str, str] = {}
    for problem in error.errors():
        path, section, node = _locate(problem["loc"], schema)
        key = ".".join(path).encode("unicode_escape").decode()
        if node is None:
            sentence = f"there is no key '{key}'.{nearest(path[-1], list(section['properties']))}"
        elif problem["type"] == "value_error":
            sentence = f"{key or what}: {problem['ctx']['error']}"
        else:
            given = reduce(lambda held, part: held.get(part, _MISSING), path, cast(Any, table))
            if "discriminator" in node and isinstance(given, dict):
                name = node["discriminator"]["propertyName"]
                key, given = f"{key}.{name}", given.get(name, _MISSING)
                allowed = _either(map(repr, node["discriminator"]["mapping"]))
            else:
                allowed = _allowed(node)
            was = "but is missing" if given is _MISSING else f"not {shown(given)}"
            sentence = f"{key}: should be {allowed}, {was}"
        sentences.setdefault(key, sentence)
    return list(sentences.values())


def _locate(
    location: tuple[int | str, ...], schema: Mapping[str, Any]
) -> tuple[list[str], Mapping[str, Any], Mapping[str, Any] | None]:
    """The keys of a pydantic error's location, and the schemas of the section that the last one
    stands in and of what it holds, which is None where there is no such key.

    Beside keys, locations hold the names of a union's members, and what is inside a value.
    """

    def resolved(reference: str) -> Mapping[str, Any]:
        return cast(Mapping[str, Any], schema["$defs"][reference.removeprefix("#/$defs/")])

    path: list[str] = []
    section = node = schema
    for part in location:
        if "discriminator" in node:
            node = resolved(node["discriminator"]["mapping"][part])
        elif "properties" in node:
            section = node
            path.append(str(part))
            if part not in section["properties"]:
                return path, section, None
            node = section["properties"][part]
            references = [each["$ref"] for each in node.get("anyOf", [node]) if "$ref" in each]
            node = resolved(references[0]) if references else node  # a section may be left out
        else:
            break
    return path, section, node


def _allowed(node: Mapping[str, Any]) -> str:
    """A field's JSON schema in words."""
    kind = node.get("type", "object")
    if "description" in node and kind != "object":
        words = str(node["description"])
    elif "anyOf" in node:
        words = _either(map(_allowed, node["anyOf"]))
    elif "const" in node:
        words = repr(node["const"])
    elif "enum" in node:
        words = _either(map(repr, node["enum"]))
    elif kind == "array":
        items = [node["items"]] if "items" in node else node["prefixItems"]
        each = list(dict.fromkeys(map(_allowed, items)))
        counts = [f"{node[end]:,}" for end in ("minItems", "maxItems") if end in node]
        number = f"{' to '.join(dict.fromkeys(counts))} values" if counts else "values"
        words = f"a list of {number}, {'each ' if len(each) == 1 else ''}{', then '.join(each)}"
    else:
        limits = [words.format(node[limit]) for limit, words in _LIMITS.items() if limit in node]
        words = _KINDS[kind] + (f" ({', '.join(limits)})" if limits else "")
    return words + (f", as in {node['examples'][0]}" if "examples" in node else "")


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def nearest(word: str, words: Sequence[str]) -> str:
    """A hint at the word that may have been meant, or at all of them."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else f" Known: {', '.join(words)}"
