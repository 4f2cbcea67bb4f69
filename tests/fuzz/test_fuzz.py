"""A few hundred cases of benchmarks/fuzz.py; the campaign itself runs thousands."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import data, recipe
from counterfeit.errors import UsageError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_no_case_fails(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "fuzz.py"), "--cases=300", "--seed=11"]
    done = subprocess.run(
        [*command, f"--failures={tmp_path}", f"--append={tmp_path / 'rows'}"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads((tmp_path / "rows").read_text())
    assert row["succeeded"] + row["refused"] == row["cases"] == 300
    assert min(row["succeeded"], row["refused"]) > 30, "cases of one sort prove little"


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fuzz

    return fuzz


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (0, "", "succeeded"),
        (0, "UserWarning: what now?\n", "failed"),
        (1, "counterfeit: the file is damaged.\n", "refused"),
        (2, "counterfeit: there is no such key.\n", "refused"),
        (1, "counterfeit: cannot get mnist:\n  - a source: why.\n", "refused"),
        (1, "counterfeit: the file is damaged.\nand more\n", "failed"),
        (1, "counterfeit: unexpected KeyError: 3 (--debug shows where).\n", "failed"),
        (1, "Traceback (most recent call last):\n", "failed"),
        (1, "", "failed"),
        (3, "counterfeit: the file is damaged.\n", "failed"),
        ("hang", "", "failed"),
    ],
)
def test_the_judge_is_strict(fuzz, status: object, said: str, outcome: str) -> None:
    assert fuzz.judged(status, said)[0] == outcome


def test_a_case_is_a_function_of_seed_and_number(fuzz, tmp_path: Path) -> None:
    import fuzz_cases

    told = [fuzz_cases.overrides(None, Random(f"3/{n}"), tmp_path)[1] for n in range(20)]
    assert told == [fuzz_cases.overrides(None, Random(f"3/{n}"), tmp_path)[1] for n in range(20)]
    assert len(set(told)) > 15


def test_spoiled_bytes_are_a_function_of_chance(fuzz) -> None:
    from fuzz_bytes import spoiled

    content = bytes(range(200))
    made = [spoiled(content, Random(n)) for n in range(30)]
    assert made == [spoiled(content, Random(n)) for n in range(30)]
    assert len(set(made)) > 20


def test_what_is_spoiled_under_its_packing_is_packed_again(fuzz, tmp_path: Path) -> None:
    import fuzz_published

    for number, make in enumerate(fuzz_published.FOLDERS.values()):
        folder = make().write(tmp_path / str(number))
        whole = data.load(folder)
        for path in folder.iterdir():
            again = fuzz_published.within(path, path.read_bytes(), bytes, Random(number))
            path.write_bytes(again)
        assert torch.equal(data.load(folder).images, whole.images)


def test_files_of_ones_own_are_a_function_of_chance(fuzz, tmp_path: Path) -> None:
    import fuzz_own

    for make in (fuzz_own.archive, fuzz_own.array_file):
        told = []
        for attempt in range(2):
            (folder := tmp_path / f"{make.__name__}{attempt}").mkdir()
            made = [make(None, Random(n), folder)[1] for n in range(8)]
            told.append([each.replace(str(folder), "") for each in made])
        assert told[0] == told[1]
        assert len(set(told[0])) > 5


@given(st.text(), st.text())
def test_any_override_is_whole_or_refused(key: str, value: str) -> None:
    spec = recipe.load("sgd")
    for override in (f"{key}={value}", f"generator.optimizer.lr={value}", f"data.name={value}"):
        try:
            changed = spec.with_overrides([override])
        except UsageError:
            continue
        assert recipe.parse(recipe.read_toml(changed.to_toml(), "itself"), "itself") == changed
