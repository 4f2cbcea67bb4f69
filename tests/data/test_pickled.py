"""Pickles that are read without running them, beside what Python's own reader makes of them."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit.data.pickled import NotPlainData, read
from miniatures import cifar_python, python2
from traps import Trap

TEXT = st.text() | st.binary()
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.integers() | TEXT, inner)
    ),
)


@given(PLAIN, st.sampled_from([3, 4]))
def test_plain_data_of_python_3_are_read_as_python_reads_them(value: Any, protocol: int) -> None:
    assert read(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "batches.meta"])
def test_a_batch_of_python_2_is_read_as_python_reads_it(name: str) -> None:
    content = cifar_python().files[name]
    ours, theirs = read(content), pickle.loads(content, encoding="latin-1")  # noqa: S301
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert np.array_equal(ours[key], value), key


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_bytes_keeps_its_order(protocol: int, order: Any) -> None:
    array = np.asarray(np.arange(12, dtype=np.uint8).reshape(3, 4), order=order)
    found = read(pickle.dumps({"a": array, "again": [1, array.shape]}, protocol))
    assert np.array_equal(found["a"], array)
    assert found["again"] == [1, (3, 4)]


def test_a_value_that_occurs_twice_is_one_value() -> None:
    inner = [1]
    found = read(pickle.dumps([inner, inner]))
    assert found == [[1], [1]]
    assert found[0] is found[1]


@pytest.mark.parametrize("protocol", range(6))
def test_what_asks_for_more_than_data_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "it-ran"
    trap = pickle.dumps({"labels": [1], "data": Trap(mark)}, protocol)
    with pytest.raises(NotPlainData, match=r"asks for '.+', which is no data|is more than plain"):
        read(trap)
    assert not mark.exists()
    pickle.loads(trap)  # noqa: S301
    assert mark.exists(), "the trap would have worked"


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(a=1),
        np.arange(3, dtype=np.int64),
        np.array([{}], dtype=object),
        np.float64(3),
        {(1, 2): 3},
        {1, 2},
        1j,
        len,
        Path,
    ],
)
def test_other_data_are_refused(value: Any) -> None:
    with pytest.raises(NotPlainData):
        read(pickle.dumps(value, 4))


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b".", b"(", b"\x80", b"N", b"NN.", b"e.", b"0.", b"](.", b"h\x05.", b"R.", b"b."),
        *(b"\x80\x04]\x94(h\x00e.", b"cposix\nsystem\n.", b"cos\nsystem\n(S'true'\ntR."),
        *(b"cnumpy\ndtype\n)R.", b"cnumpy\nndarray\n)R.", b"}(]Ku.", b"cnumpy\ndtype\nNb."),
        *(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", b"T\xff\xff\xff\x7fx.", b"I" + b"9" * 5000),
    ],
)
def test_an_odd_pickle_ends_in_one_error(content: bytes) -> None:
    if content == b"\x80\x04]\x94(h\x00e.":  # a list in itself, which is data
        found = read(content)
        assert found[0] is found
        return
    with pytest.raises(NotPlainData):
        read(content)


@settings(max_examples=300)
@given(st.integers(0, 5000), st.binary(max_size=9), st.integers(0, 40))
def test_any_mutation_is_read_or_refused(position: int, inserted: bytes, removed: int) -> None:
    content = python2({"labels": [1, 2], "data": np.zeros((2, 40), np.uint8), "text": "x" * 300})
    position %= len(content)
    try:
        read(content[:position] + inserted + content[position + removed :])
    except NotPlainData:
        return
