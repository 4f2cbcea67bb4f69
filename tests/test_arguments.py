"""What callers hand over: taken where it makes sense, refused in one line where not.

The sweep goes through the public functions: whatever an argument is, they do what they say or
refuse it in one line, and then leave no trace.
"""

import importlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import counterfeit
from counterfeit import arguments, data, recipe
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.run import Run
from counterfeit.training.fork import fork

SPEC = recipe.load("sgd").with_overrides(
    ["data.name=digits", "data.train_images=64", "generator.hidden=[4]", "training.epochs=1",
     "discriminator.hidden=[4]", "discriminator.dropout=0", "training.batch_size=32"]
)  # fmt: skip


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("it has no words")


ODD: list[Any] = [
    *(None, True, False, 0, 1, 7, -1, 10**30, 1.0, 1.5, float("nan"), float("inf"), 1j),
    *("", "7", "cpu", "cuda:9", "rollback", "rolback", "a/b", "\0", "\ud800", "x" * 5000),
    *(b"", b"cpu", [], [1], (), {}, {"a": 1}, set(), object(), print, int, Path("a")),
    *(np.int64(3), np.uint8(2), np.bool_(True), np.float32(1), np.arange(3), np.array(2)),
    *(np.ones((30, 30)), torch.tensor(2), torch.tensor(1.5), torch.ones(3)),
    *("cpu:0", torch.device("cpu"), torch.device("cpu:0"), torch.device("cuda")),
]
"""What people hand over by mistake, and what they may well hand over."""

LONG = {*recipe.names(), *PUBLISHED, "/", ".."}
"""Names of trainings, of downloads and of folders that may take hours: Hypothesis draws words that
stand in the package too."""

words = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=5).filter(
    lambda word: word not in LONG
)
anything = st.one_of(st.sampled_from(ODD), st.integers(), st.floats(), words, st.binary(max_size=3))


def sweep(*names: str) -> Callable[[Any], Any]:
    """Every odd value for every argument, and some random ones."""

    def decorated(test: Any) -> Any:
        test = settings(max_examples=10)(given(st.sampled_from(names), anything)(test))
        for name in names:
            for value in ODD:
                test = example(name, value)(test)
        return test

    return decorated


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return counterfeit.train(SPEC, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def done_or_refused(act: Callable[[], Any]) -> Any:
    """What it returns; None where it was refused, in one line."""
    try:
        return act()
    except CounterfeitError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    assert len(said) < 6000  # the user's own names are whole
    return None


@sweep("spec", "epochs", "seed", "device", "data_dir", "on_nan")
def test_train_trains_or_leaves_no_trace(name: str, value: Any) -> None:
    with tempfile.TemporaryDirectory() as out:
        given = {"spec": SPEC, "out": out} | {name: value}
        if name == "epochs" and isinstance(value, int) and value > 3:
            return  # which it may well be asked for
        run = done_or_refused(lambda: counterfeit.train(**given))
        if run is None:
            assert not files(Path(out))
        else:
            again = Run.open(run.path)
            assert again.environment["seed"] == given.get("seed", 0)
            assert len(again.sample(2)) == 2


@sweep("run", "epochs", "device", "on_nan", "on_row", "on_epoch")
def test_resume_goes_on_or_leaves_the_run_alone(parent: Run, name: str, value: Any) -> None:
    if isinstance(value, int) and value > 3:
        return  # epochs that it may well be asked for
    before = {path: path.read_bytes() for path in files(parent.path)}
    done_or_refused(lambda: counterfeit.resume(**({"run": parent.path} | {name: value})))
    if name != "epochs":
        assert before == {path: path.read_bytes() for path in files(parent.path)}
    assert len(Run.open(parent.path).sample(2)) == 2


@sweep("parent", "spec", "seed", "device", "data_dir")
def test_fork_forks_or_leaves_no_trace(parent: Run, name: str, value: Any) -> None:
    with tempfile.TemporaryDirectory() as out:
        given = {"parent": parent, "spec": parent.recipe, "out": out} | {name: value}
        child = done_or_refused(lambda: fork(**given))
        if child is None:
            assert not files(Path(out))
        else:
            assert len(Run.open(child.path).sample(2)) == 2


@sweep("out")
def test_a_run_is_made_where_a_path_says(name: str, value: Any) -> None:
    here = set(files(Path.cwd()))
    run = done_or_refused(lambda: counterfeit.train(SPEC, **{name: value}))
    assert (run is None) == (set(files(Path.cwd())) == here) or Path.cwd() not in run.path.parents


@sweep("count", "seed", "step")
def test_samples_are_as_asked_for(parent: Run, name: str, value: Any) -> None:
    if name == "count" and isinstance(value, int) and value > 1000:
        return
    images = done_or_refused(lambda: parent.sample(**({"count": 2} | {name: value})))
    if images is not None:
        assert len(images) == (int(value) if name == "count" else 2)


@sweep("snapshot", "checkpoint", "generator", "discriminator", "step_at", "load_data")
def test_what_a_run_holds_is_found_or_refused(parent: Run, name: str, value: Any) -> None:
    done_or_refused(lambda: getattr(parent, name)(value))


@sweep("name", "split", "data_dir", "image_size", "channels")
def test_data_are_loaded_or_refused(name: str, value: Any) -> None:
    if name == "image_size" and isinstance(value, int) and value > 30:
        return  # which takes a while
    loaded = done_or_refused(lambda: data.load(**({"name": "digits"} | {name: value})))
    if loaded is not None:
        assert len(loaded) == len(loaded.images) > 0


@sweep("open", "latest", "__call__")
def test_a_run_is_named_by_its_path(name: str, value: Any) -> None:
    done_or_refused(lambda: getattr(Run, name)(value))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"seed": None}, "seed must be a whole number of 64 bits, not None"),
        ({"seed": "7"}, "seed must be a whole number of 64 bits, not '7'"),
        ({"seed": True}, "seed must be a whole number"),
        ({"on_nan": "rolback"}, "on_nan must be 'stop' or 'rollback', not 'rolback'"),
        ({"data_dir": 5}, "data_dir must be a path, not 5"),
        ({"on_epoch": print}, "on_epoch must be a list of functions"),
        ({"device": None}, "no device None here; there is: cpu"),
    ],
)
def test_what_is_wrong_is_said(arguments: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        counterfeit.train(SPEC, out=tmp_path, **arguments)
    assert not files(tmp_path)


def test_what_makes_sense_is_taken(tmp_path: Path) -> None:
    run = counterfeit.train(
        SPEC,
        epochs=np.int64(2),
        seed=np.int64(7),
        device=torch.device("cpu:0"),
        out=str(tmp_path),
        data_dir=str(tmp_path / "data"),
        on_row=iter([len]),
    )
    assert (run.seed, run.path.name[-2:], run.data_dir) == (7, "s7", tmp_path / "data")
    assert Run.open(os.fspath(run.path)).log[-1]["epoch"] == 2
    assert torch.equal(run.sample(np.int32(3), seed=torch.tensor(7)), run.sample(3))


def test_long_and_odd_values_are_shown_on_one_line() -> None:
    assert arguments.shown(np.ones((30, 30))).startswith("array([[1., 1.")
    assert len(arguments.shown(np.ones((30, 30)))) < 100
    assert arguments.shown(Silent()) == "a Silent"
    assert arguments.shown(-(10**5000)) == "a number of over 4,300 digits"


PUBLIC = re.findall(
    r"^\.\. autofunction:: (\S+)$",
    (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_path_may_be_text(name: str) -> None:
    module, _, function = name.rpartition(".")
    hints = get_type_hints(getattr(importlib.import_module(module or "counterfeit"), function))
    hints.pop("return", None)
    for argument, hint in hints.items():
        assert Path not in (hint, *get_args(hint)) or str in get_args(hint), argument
