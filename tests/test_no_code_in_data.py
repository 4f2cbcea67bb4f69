"""Nothing that is read can run code: no pickle, no eval, no archive that chooses its own paths."""

import ast
import hashlib
import io
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import counterfeit
from counterfeit import cli, data, recipe
from counterfeit.data.idx import IDX_FILES
from counterfeit.measure import inception
from counterfeit.measure.inception import Inception
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from counterfeit.training import loop
from traps import Trap

PACKAGE = Path(counterfeit.__file__).parent

MODULES = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
FUNCTIONS = {"eval", "exec", "compile", "__import__"}
METHODS = {"extractall", "extract", "unpack_archive"}
NEEDED = {("torch", "load"): ("weights_only", True), ("np", "load"): ("allow_pickle", False)}


def runs_data(source: str) -> list[str]:
    """What in a program could run data as code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{name.name}" for name in node.names)]
        else:
            names = []
        found += [name for name in names if name.split(".")[0] in MODULES]
        found += [name for name in names if name in ("torch.load", "numpy.load")]
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name):
                found += [name] if name in FUNCTIONS else []
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (module, name) in NEEDED:
                keyword, value = NEEDED[module, name]
                given = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
                found += [] if given.get(keyword) is value else [f"{module}.{name}"]
            case ast.Attribute(attr=name) if name in METHODS:
                found.append(name)
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_module_runs_data(path: Path) -> None:
    assert runs_data(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import joblib.numpy_pickle as j",
        "from dill import loads",
        "from torch import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text); import yaml",
        "eval(text)",
        "tarfile.open(path).extractall(folder)",
        "archive.extract(name)",
        "shutil.unpack_archive(path)",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert runs_data(source)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "it-ran"


def test_the_trap_works(mark: Path) -> None:
    pickle.loads(pickle.dumps(Trap(mark)))  # noqa: S301
    assert mark.exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("trained")
    classifier_for(data.load("digits"), folder / "data" / "classifiers", updates=1)
    spec = recipe.load("sgd").with_overrides(
        ["data.name=digits", "generator.hidden=[8]", "discriminator.hidden=[8]",
         "discriminator.dropout=0.0", "training.epochs=1"]
    )  # fmt: skip
    return loop.train(spec, out=folder, data_dir=folder / "data")


def pickled(trap: Trap) -> bytes:
    return pickle.dumps(trap)


def torch_saved(trap: Trap) -> bytes:
    buffer = io.BytesIO()
    torch.save({"generator.output.weight": trap}, buffer)
    return buffer.getvalue()


def array_of_objects(trap: Trap) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, images=np.array([trap] * 100, dtype=object))
    return buffer.getvalue()


WRITERS = (pickled, torch_saved, array_of_objects)


def one_line(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that must fail says."""
    with pytest.raises(SystemExit) as end:
        cli.main(list(arguments))
    assert end.value.code in (1, 2)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("counterfeit: ")
    assert "unexpected" not in first
    assert all(line.startswith("  - ") for line in rest)
    return first


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("checkpoints/step-00000011.safetensors", "sample"),
        ("checkpoints/step-00000011.json", "sample"),
        ("recipe.toml", "sample"),
        ("environment.json", "sample"),
        ("metrics.jsonl", "report"),
    ],
)
def test_a_pickle_in_a_run_never_runs(
    trained: Run, tmp_path: Path, mark: Path, capsys, write, file: str, command: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained.path, run)
    content = write(Trap(mark))
    (run / file).write_bytes(content + b"\n" if file.endswith("jsonl") else content)
    if file.endswith(".safetensors"):
        sign(run / file)
    assert file.split("/")[-1].split(".")[0] in one_line(capsys, command, str(run))
    assert not mark.exists()


def sign(weights: Path) -> None:
    """Put their checksum into the index, as one would who wants them read."""
    index = weights.with_suffix(".json")
    right = {"sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}
    index.write_text(json.dumps(json.loads(index.read_text()) | right))


@pytest.mark.parametrize("write", WRITERS)
def test_training_sets_a_pickle_aside_unread(
    trained: Run, tmp_path: Path, mark: Path, caplog, write
) -> None:
    run = Path(shutil.copytree(trained.path, tmp_path / "run"))
    weights = run / "checkpoints" / "step-00000011.safetensors"
    weights.write_bytes(write(Trap(mark)))
    sign(weights)
    resumed = loop.resume(run)
    assert "step-00000011" in caplog.text
    assert (run / "checkpoints" / "damaged" / weights.name).exists()
    assert resumed.checkpoint().step == 11
    assert not mark.exists()


@pytest.mark.parametrize("write", WRITERS)
def test_a_pickle_in_a_snapshot_never_runs(trained: Run, tmp_path: Path, mark: Path, write) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained.path, run)
    (run / "snapshots" / "epoch-0001.npz").write_bytes(write(Trap(mark)))
    with pytest.raises(counterfeit.CounterfeitError, match=r"epoch-0001\.npz is damaged"):
        Run.open(run).snapshot(1)
    assert not mark.exists()


@pytest.mark.parametrize("write", WRITERS)
def test_a_pickle_as_a_kept_classifier_never_runs(
    trained: Run, tmp_path: Path, mark: Path, write
) -> None:
    assert trained.data_dir is not None
    (kept,) = (trained.data_dir / "classifiers").iterdir()
    (tmp_path / kept.name).write_bytes(write(Trap(mark)))
    with pytest.raises(counterfeit.CounterfeitError, match="is damaged; remove it"):
        classifier_for(data.load("digits"), tmp_path)
    assert not mark.exists()


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("file", [IDX_FILES[0], f"{IDX_FILES[0]}.gz", "picture.png"])
def test_a_pickle_as_data_never_runs(tmp_path: Path, mark: Path, capsys, write, file: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / file).write_bytes(write(Trap(mark)))
    assert file in one_line(capsys, "data", str(folder))
    assert not mark.exists()


@pytest.mark.parametrize("write", WRITERS)
def test_a_pickle_as_a_recipe_never_runs(tmp_path: Path, mark: Path, capsys, write) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(write(Trap(mark)))
    assert "is not TOML" in one_line(capsys, "train", str(path))
    assert not mark.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("write", WRITERS)
def test_a_pickle_as_inceptions_weights_never_runs(
    tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch, write
) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(write(Trap(mark)))
    with pytest.raises(counterfeit.CounterfeitError, match="is another file"):
        Inception.load(path)
    monkeypatch.setattr(inception, "SHA256_START", "")  # eight digits can be forged
    with pytest.raises(counterfeit.CounterfeitError, match="is another file"):
        Inception.load(path)
    assert not mark.exists()
