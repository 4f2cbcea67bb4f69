"""Pickles of numbers, text, containers and arrays of bytes, read without running them.

A pickle is a program for a machine with a stack. `read` plays that machine for the instructions
that containers and arrays are made of, in the protocols 2 to 4: as Python 2 wrote them in CIFAR's
batches, and Python 3 writes them. Nothing is imported or called: what a pickle names is a note on
the stack, and a name that arrays do not need is refused.

https://github.com/python/cpython/blob/main/Lib/pickletools.py describes the instructions.
"""

import pickletools
import warnings
from dataclasses import dataclass
from types import UnionType
from typing import Any

import numpy as np

NAMES = frozenset(
    {
        *("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"),
        *("numpy ndarray", "numpy dtype", "_codecs encode"),
    }
)
"""What arrays need: an empty one, its class, its type, and bytes in a pickle of Python 3 for 2."""

LITERALS = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
        *("BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    }
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class NotPlainData(ValueError):
    """A pickle is damaged, or asks for more than plain data; the message says which."""


class Mark:
    """Where the items of a container begin."""


@dataclass(frozen=True)
class Name:
    """What a pickle would import."""

    text: str


@dataclass(frozen=True)
class Empty:
    """An array or a type (`of`) whose content is still to come."""

    of: str


def read(content: bytes) -> Any:
    """The value of a pickle.

    Text of Python 2 comes as `str`, in Latin-1; an array as numpy's.

    Raises:
        NotPlainData: it is damaged, or names anything but arrays of unsigned bytes.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "invalid escape", DeprecationWarning)
            return _run(content)
    except NotPlainData:
        raise
    except Exception as error:  # pickletools and a spoiled stack fail with many types
        raise NotPlainData("it is damaged") from error


def _run(content: bytes) -> Any:
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    for instruction, argument, _ in pickletools.genops(content):
        match instruction.name:
            case name if name in LITERALS:
                stack.append(argument)
            case name if name in CONSTANTS:
                stack.append(CONSTANTS[name])
            case name if name in EMPTY:
                stack.append(EMPTY[name]())
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                stack.append(Mark)
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "APPEND":
                item = stack.pop()
                _a(list, stack[-1]).append(item)
            case "APPENDS":
                items = _to_mark(stack)
                _a(list, stack[-1]).extend(items)
            case "SETITEM":
                items = [stack.pop(-2), stack.pop()]
                _set(stack[-1], items)
            case "SETITEMS":
                items = _to_mark(stack)
                _set(stack[-1], items)
            case "TUPLE":
                stack.append(tuple(_to_mark(stack)))
            case name if name in TUPLES:
                items = [stack.pop() for _ in range(TUPLES[name])]
                stack.append(tuple(reversed(items)))
            case "GLOBAL":
                stack.append(_named(_a(str, argument)))
            case "STACK_GLOBAL":
                function, module = stack.pop(), stack.pop()
                stack.append(_named(f"{_a(str, module)} {_a(str, function)}"))
            case "REDUCE":
                arguments, function = _a(tuple, stack.pop()), _a(Name, stack.pop())
                stack.append(_noted(function, arguments))
            case "BUILD":
                state = _a(tuple, stack.pop())
                stack.append(_filled(_a(Empty, stack.pop()), state))
            case "STOP":
                (value,) = stack
                return value
            case name:
                raise NotPlainData(f"it is more than plain data ({name})")
    raise EOFError  # genops itself says so


def _a(kind: type | UnionType, value: Any) -> Any:
    """The value, which must be of that kind."""
    if not isinstance(value, kind):
        raise TypeError
    return value


def _to_mark(stack: list[Any]) -> list[Any]:
    items = []
    while (item := stack.pop()) is not Mark:
        items.append(item)
    return items[::-1]


def _set(table: object, items: list[Any]) -> None:
    for key, value in zip(items[::2], items[1::2], strict=True):
        _a(dict, table)[_a(str | bytes | int, key)] = value


def _named(name: str) -> Name:
    if name not in NAMES:
        raise NotPlainData(f"it asks for {name.replace(' ', '.')!r:.80}, which is no data")
    return Name(name)


def _noted(function: Name, arguments: tuple[Any, ...]) -> Any:
    """What would be the result of a call."""
    match function.text.split()[1], arguments:
        case "_reconstruct", _:
            return Empty("array")
        case "dtype", (str(of), *_):
            return Empty(of)
        case "encode", (str(text), "latin1"):
            return text.encode("latin-1")
    raise TypeError


def _filled(empty: Empty, state: tuple[Any, ...]) -> Any:
    """An array of its state; a type stays one, as its state is the order of bytes."""
    if empty.of != "array":
        return empty
    _, shape, kind, by_columns, content = state
    if kind not in (Empty("u1"), Empty("|u1")):
        raise NotPlainData("it has arrays that are not of bytes")
    pixels = content.encode("latin-1") if isinstance(content, str) else content
    return np.frombuffer(pixels, np.uint8).reshape(shape, order="F" if by_columns else "C")
