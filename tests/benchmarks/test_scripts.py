"""Each script of benchmarks/ runs, in its shortest form: what makes the numbers of docs/ must."""

import runpy
import sys
import tempfile
from pathlib import Path

import pytest

import zoo
from counterfeit import data, recipe
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.training import loop
from train_speed import process
from zoo_breakages import replaced

BENCHMARKS = Path(zoo.__file__).parent

SMALL = ["generator.hidden=[8]", "discriminator.hidden=[8]"]

SHORTEST = {
    "checksums.py": ["sgd", "--epochs=1", "--data=digits"],
    "diagnosis_cost.py": ["--epochs=1", "--data=digits"],
    "features.py": ["faults", "--data=digits", "--samples=40", "--updates=2"],
    "foreign_loops.py": ["perceptrons", "critic's sign", "--epochs=1", "--out={out}"],
    "large_set.py": ["--gigabytes=0.03", "--in={out}", f"--share={2**60}"],
    "metrics.py": ["--data={digits28}"],
    "monitor_cost.py": ["--pairs=1", "--turn=5", "--epochs=1", "--data={digits28}"],
    "paper.py": ["{runs}/paper-averaged", "--samples=200", "--images={out}"],
    "plain.py": ["--data={digits28}"],
    "precision.py": ["--epochs=1", "--seeds", "0", "1", "--data=digits", "--samples=100"],
    "records.py": ["digits-fast", "--seeds", "0", "--data={digits28}", "--samples=100",
                   "--threads=1", "--set=training.batch_size=32"],
    "recipes.py": ["{runs}/sgd", "{runs}/adam", "--images={out}"],
    "reproduction.py": ["{runs}/sgd", "{runs}/adam", "{runs}/batchnorm-smoothing",
                        "--images={out}/images"],
    "scaling.py": ["--repeats=1", "--epochs=2", "--data=digits", "--plot={out}/scaling.png"],
    "search.py": ["--trials=2", "--epochs=1", "--confirm=2", "--samples=100", "--samplers", "tpe"],
    "signals.py": ["--signals=1"],
    "soundness.py": ["sgd", "--repeats=1", "--data=digits"],
    "study_overhead.py": ["--runs=2", "--workers=1", "--empty=3"],
    "study_verdicts.py": ["--studies=40"],
    "threads.py": ["--repeats=1", "--neighbours=0", "--updates=3", "--data=digits",
                   "--settings", "one thread", "--at-once"],
    "train_speed.py": ["sgd", "--repeats=1", "--steps=3", "--data={digits28}"],
    "trials.py": ["points", "--trials", "ring", "--set=training.epochs=1", "--out={out}",
                  "--picture={out}/games.png"],
    "verdicts.py": ["{runs}/sgd", "--samples=40"],
    "waiting.py": ["sgd", "--repeats=1", "--data=digits", "--samples=100"],
    "zoo.py": ["measure", "--out={out}"],
}  # fmt: skip

ELSEWHERE = {
    "explorer_latency.py": "tests/exports/explorer/test_explorer.py",
    "crash.py": "tests/crash/test_crash.py",
    "fuzz.py": "tests/fuzz/test_fuzz.py",
    "fuzz_cases.py": "tests/fuzz/test_fuzz.py",  # the cases of fuzz.py
    "fuzz_bytes.py": "tests/fuzz/test_fuzz.py",
    "fuzz_published.py": "tests/fuzz/test_fuzz.py",
    "fuzz_own.py": "tests/fuzz/test_fuzz.py",
    "miniatures.py": "tests/data/test_catalogue.py",
    "zoo_breakages.py": "tests/benchmarks/test_scripts.py",  # all five by zoo.py
    "zoo_specimens.py": "tests/benchmarks/test_scripts.py",
    "zoo_sets.py": "tests/benchmarks/test_scripts.py",
    "zoo_conditions.py": "tests/benchmarks/test_scripts.py",
    "zoo_families.py": "tests/benchmarks/test_scripts.py",
    "convolution_floor.py": "tests/benchmarks/test_convolutions.py",
    "plain_convolutions.py": "tests/benchmarks/test_convolutions.py",
    "tricks.py": "tests/tricks/test_judge.py",
    "view_cost.py": "tests/view/test_cost.py",  # a process of its own, as it has a loop of events
}
"""What other tests run in a short form."""


@pytest.fixture(scope="session")
def places(digits28: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the digits of MNIST's size lie, and runs on them, with classifiers that know little."""
    data_dir = tmp_path_factory.mktemp("data")
    runs = tmp_path_factory.mktemp("runs")
    for name in (str(digits28), "digits"):
        classifier_for(data.load(name), data_dir / "classifiers", updates=2)
    for name in ("sgd", "adam", "batchnorm-smoothing", "paper-averaged"):
        spec = recipe.load(name).with_overrides(
            [*SMALL, f'data.name="{digits28}"', "training.epochs=1"]
            + ([] if "paper" in name else ["discriminator.dropout=0.5"])
            + (["data.train_images=1000"] if "paper" in name else [])
        )
        run = loop.train(spec, out=runs, device="cpu", data_dir=data_dir)
        run.path.rename(runs / name)
    return {"digits28": digits28, "data_dir": data_dir, "runs": runs}


@pytest.fixture
def start(places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that runs a script with these arguments, in this process."""
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(places["data_dir"]))

    def start(script: str, *arguments: str) -> None:
        filled = [argument.format(out=tmp_path, **places) for argument in arguments]
        monkeypatch.setattr(sys, "argv", [script, *filled])
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # some leave what one may look at
        try:
            runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
        except SystemExit as end:
            if end.code:
                pytest.fail(f"{script} ended with {end.code}")

    return start


def test_there_is_an_entry_for_each() -> None:
    scripts = {path.name for path in BENCHMARKS.glob("*.py")}
    assert scripts == SHORTEST.keys() | ELSEWHERE.keys()
    for script, test in ELSEWHERE.items():
        assert Path(script).stem in (BENCHMARKS.parent / test).read_text()


@pytest.mark.parametrize("script", SHORTEST)
def test_it_runs(script: str, start, capsys: pytest.CaptureFixture[str]) -> None:
    start(script, *SHORTEST[script])
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("contender", ["library", "command"])
def test_a_whole_process_trains(
    contender: str, places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """plain.py, the third one that `train_speed.py --whole` starts, is among the scripts above."""
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(places["data_dir"]))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert process(contender, "sgd", "digits", epochs=1) > 0


BREAKAGES = {
    specimen.breakage.__qualname__: specimen.name
    for specimen in [*zoo.TEST_SPECIMENS, *zoo.SPECIMENS]
}
"""A specimen for each way to break training."""


@pytest.mark.parametrize("name", BREAKAGES.values())
def test_each_breakage_of_the_zoo_breaks_something(name: str, start, tmp_path: Path) -> None:
    start("zoo.py", "train", "--quick", "--out={out}", name)
    start("zoo.py", "measure", "--out={out}", "--json={out}/json", "--markdown={out}/md", name)
    assert name in (tmp_path / "md").read_text()


def test_a_breakage_that_nobody_calls_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="was not called"), replaced(recipe.load, print):
        pass
