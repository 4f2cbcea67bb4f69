"""The command line: what it prints, how it exits, and that no one sees a traceback."""

import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from counterfeit import cli, data, recipe
from counterfeit.errors import CounterfeitError
from counterfeit.measure import runs
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run

TINY = [
    "--data=digits", "--epochs=1", "--batch-size=64", "--set=generator.hidden=[8, 8]",
    "--set=discriminator.hidden=[8, 8]", "--quiet",
]  # fmt: skip


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command run in this process."""
    status = 0
    try:
        cli.main(list(arguments))
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(scope="module")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    cli.main(["train", "batchnorm-smoothing", *TINY, f"--out={out}"])
    (path,) = out.iterdir()
    return path


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from counterfeit import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'matplotlib', 'pydantic', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in COMMANDS:
        assert command in done.stdout


COMMANDS = ["data", "diagnose", "evaluate", "recipes", "report", "reproduce", "sample", "train"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_each_of_its_options(capsys, command: str) -> None:
    status, out, _ = call(capsys, command, "--help")
    assert status == 0
    text = " ".join(out.replace("│", " ").split())
    function = getattr(cli, command)
    described = re.findall(r"^        (\w+): (.*)$", function.__doc__, flags=re.M)
    parameters = inspect.signature(function).parameters
    assert {name for name, _ in described} == set(parameters)
    for _, words in described:
        assert " ".join(words.split()[:3]) in text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_a_recipe_prints_whatever_the_terminal(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "counterfeit", "recipes", "sgd"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
    assert recipe.parse(tomllib.loads(done.stdout.decode()), "stdout") == recipe.load("sgd")


def test_a_reader_that_stops_early_is_no_error() -> None:
    command = f"{sys.executable} -m counterfeit recipes sgd | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_recipes_lists_and_prints(capsys) -> None:
    status, out, _ = call(capsys, "recipes")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == recipe.names()
    status, out, _ = call(capsys, "recipes", "paper")
    assert recipe.parse(tomllib.loads(out), "stdout") == recipe.load("paper")


def test_dry_run_prints_what_would_be_trained(capsys, tmp_path) -> None:
    asked = ("--epochs=3", "--precision=bf16", "--dry-run")
    status, out, _ = call(capsys, "train", "sgd", *asked, f"--out={tmp_path}")
    assert status == 0
    training = recipe.parse(tomllib.loads(out), "stdout").training
    assert (training.epochs, training.precision) == (3, "bf16")
    assert not list(tmp_path.iterdir())


def test_train_ends_with_the_runs_path(capsys, tmp_path) -> None:
    status, out, err = call(capsys, "train", "sgd", *TINY, "--seed=3", f"--out={tmp_path}")
    assert (status, err) == (0, "")
    run = Run.open(out.strip())
    assert run.seed == 3
    assert run.recipe.data.name == "digits"
    assert run.recipe.generator.hidden == (8, 8)

    status, again, _ = call(capsys, "train", "--resume", str(run.path), "--epochs=2")
    assert (status, again) == (0, out)
    assert Run.open(run.path).log[-1]["epoch"] == 2


def test_a_resumed_run_keeps_its_values_and_a_fork_changes_them(capsys, tmp_path) -> None:
    status, out, _ = call(capsys, "train", "sgd", *TINY, f"--out={tmp_path}")
    path = out.strip()
    again = ["train", "--resume=latest", f"--out={tmp_path}"]
    assert call(capsys, *again) == (0, out, "")
    assert call(capsys, *again, "sgd", *TINY) == (0, out, "")  # the same values once more

    changed = ["--set=generator.optimizer.lr=0.02", "--batch-size=32", "--seed=4"]
    status, out, err = call(capsys, *again, *changed)
    assert (status, out) == (2, "")
    assert path in err
    assert "--fork" in err
    for change in (
        "generator.optimizer.lr: 0.01 -> 0.02",
        "training.batch_size: 64 -> 32",
        "seed: 0 -> 4",
    ):
        assert change in err

    status, out, _ = call(capsys, *again, *changed, "--fork", "--epochs=2")
    assert status == 0
    fork = Run.open(out.strip())
    assert fork.path != Path(path)
    assert fork.environment["parent"]["run"] == path
    assert (fork.seed, fork.recipe.training.batch_size) == (4, 32)
    assert [row["epoch"] for row in fork.log] == [1, 2]
    assert Run.open(path).log[-1]["epoch"] == 1


def test_sample_writes_arrays_and_grids(capsys, run_path: Path, tmp_path) -> None:
    target = tmp_path / "x.npz"
    status, out, _ = call(capsys, "sample", str(run_path), "-n", "1234", "--out", str(target))
    assert (status, out.strip()) == (0, str(target))
    with np.load(target, allow_pickle=False) as archive:
        assert archive["images"].shape == (1234, 1, 8, 8)
        assert archive["images"].dtype == np.uint8
    status, out, _ = call(capsys, "sample", str(run_path))
    assert status == 0
    assert Path(out.strip()).read_bytes().startswith(b"\x89PNG")


def test_evaluate_prints_samples_beside_real_images(
    capsys, run_path: Path, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barely_trained(images: data.ImageData, folder: Path, *, progress: object) -> Classifier:
        return classifier_for(images, tmp_path, updates=20)

    monkeypatch.setattr(runs, "classifier_for", barely_trained)
    status, out, _ = call(capsys, "evaluate", str(run_path), "--samples", "200", "--quiet")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["metric", run_path.name, "real", "images"]
    fid = next(line for line in lines if line.startswith("fid_digits-v"))
    assert fid.count("±") == 2
    assert lines[-2].startswith("share of each class: 0 ")
    assert lines[-1] == str(run_path / "metrics.jsonl")
    assert len(Run.open(run_path).metrics) == 1


def test_diagnose_says_that_all_is_well(capsys, run_path: Path) -> None:
    status, out, err = call(capsys, "diagnose", str(run_path))
    assert (status, err) == (0, "")
    assert "all is well" in out


def test_stop_on_critical_ends_the_run_and_diagnose_explains_it(capsys, tmp_path) -> None:
    lost = [
        "--data=digits", "--epochs=8", "--batch-size=32", "--quiet",
        "--set=generator.optimizer.lr=1e-7", "--set=discriminator.optimizer.lr=0.01",
        "--set=discriminator.activation=leaky-relu", "--set=discriminator.hidden=[16]",
        "--set=discriminator.dropout=0", "--set=loss.real_labels=[1.0, 1.0]",
    ]  # fmt: skip
    arguments = ["train", "batchnorm-smoothing", *lost, f"--out={tmp_path}"]
    status, out, err = call(capsys, *arguments, "--stop-on=critical")
    assert (status, out) == (3, "")
    assert len(err.splitlines()) == 1
    assert "discriminator-overpowering" in err
    (path,) = tmp_path.iterdir()
    status, out, _ = call(capsys, "diagnose", str(path))
    assert status == 0
    assert "CRITICAL  discriminator-overpowering" in out


def test_report_is_one_file(capsys, run_path: Path, tmp_path) -> None:
    page = tmp_path / "page.html"
    status, out, _ = call(capsys, "report", str(run_path), f"--out={page}")
    assert (status, out.strip()) == (0, str(page))
    assert "<html" in page.read_text()


def test_data_describes_and_previews(capsys, tmp_path) -> None:
    picture = tmp_path / "preview.png"
    status, out, _ = call(capsys, "data", "digits", f"--preview={picture}")
    assert status == 0
    assert "1,437" in out
    assert out.splitlines()[-1] == str(picture)
    assert picture.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["train", "batchnorm-smothing"], 2, "Did you mean 'batchnorm-smoothing'"),
        (["train", "sgd", "--set", "discriminator.droput=1"], 2, "Did you mean 'dropout'"),
        (["train", "sgd", "--epochs", "-1"], 2, "training.epochs"),
        (["train", "sgd", "--epochs", "many"], 2, "many"),
        (["train", "sgd", "--seed", "x"], 2, "seed"),
        (["train", "sgd", "--device", "tpu"], 2, "tpu"),
        (["train"], 2, "name a recipe"),
        (["train", "{tmp}/broken.toml"], 2, "is not TOML"),
        (["train", "--resume", "{tmp}/absent"], 2, "does not exist"),
        (["train", "sgd", "--data=digits", "--out", "{tmp}/broken.toml/runs"], 1, "--out"),
        (["train", "sgd", "--data", "{tmp}/absent"], 2, "absent"),
        (["sample", "{tmp}/absent"], 2, "does not exist"),
        (["sample", "{tmp}"], 2, "is not a run directory"),
        (["sample", "{run}", "-n", "0"], 2, "from 1 to"),
        (["sample", "{run}", "--out", "{tmp}/x.jpeg2"], 2, ".npz"),
        (["sample", "{run}", "--out", "{tmp}/broken.toml/x.png"], 1, "cannot make the folder"),
        (["sample", "{run}", "--epoch", "7"], 2, "keeps no checkpoint of epoch 7"),
        (["train", "sgd", "--set", "adam=1"], 2, "no key 'adam'"),
        (["train", "--resume", "{run}", "--seed", "4"], 2, "keeps what it was started with"),
        (["train", "--resume", "latest", "--out", "{tmp}"], 2, "there is no run in"),
        (["train", "sgd", "--fork"], 2, "--resume"),
        (["train", "--resume", "{run}", "--precision=bf16"], 2, "precision: float32 -> bf16"),
        (["evaluate", "{tmp}"], 2, "is not a run directory"),
        (["diagnose", "{tmp}"], 2, "is not a run directory"),
        (["train", "sgd", "--stop-on", "warning"], 2, "stop-on"),
        (["report", "{tmp}/absent"], 2, "does not exist"),
        (["recipes", "unknown"], 2, "no recipe"),
        (["trian", "sgd"], 2, "train"),
        (["train", "sgd", "--epoch", "3"], 2, "--epoch"),
    ],
)
def test_an_error_is_one_line(
    capsys, tmp_path, run_path: Path, arguments: list[str], status: int, words: str
) -> None:
    (tmp_path / "broken.toml").write_text("= not toml")
    filled = [argument.format(tmp=tmp_path, run=run_path) for argument in arguments]
    seen, out, err = call(capsys, *filled)
    assert (seen, out) == (status, "")
    assert err.startswith("counterfeit: ")
    assert len(err.splitlines()) == 1
    assert words in err


def test_debug_shows_where(capsys) -> None:
    with pytest.raises(Exception, match="no recipe"):
        cli.main(["train", "unknown", "--debug"])


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_idx_file_is_named(capsys, tmp_path, damage: str) -> None:
    """A folder of the user's own IDX files, one of them cut short or with a byte of its header
    changed."""
    for split, count in (("train", 300), ("t10k", 100)):
        images = np.zeros((count, 8, 8), dtype=np.uint8)
        header = np.array([0x803, count, 8, 8], dtype=">u4").tobytes()
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = np.array([0x801, count], dtype=">u4").tobytes()
        labels = np.zeros(count, dtype=np.uint8)
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    path = tmp_path / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-1] if damage == "cut" else content[:7] + b"\xff" + content[8:])
    status, out, err = call(capsys, "train", "sgd", f"--data={tmp_path}", f"--out={tmp_path}/runs")
    assert status in (1, 2)
    assert out == ""
    assert path.name in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at x.cpp] DefaultCPUAllocator: can't allocate memory: you"),
        RuntimeError("CUDA out of memory. Tried to allocate 20 GB"),
    ],
)
def test_no_memory_is_said_plainly(error: Exception, capsys) -> None:
    assert cli.report_error(error) == 1
    assert capsys.readouterr().err.startswith("counterfeit: out of memory; lower the batch size")


def test_what_a_message_quotes_cannot_add_lines_or_move_the_cursor(capsys) -> None:
    error = CounterfeitError("cannot read a\nb\x1b[2J쥐; replace it." + "x" * 5000)
    error.add_note("on disk:\nnone")
    cli.report_error(error)
    first, note = capsys.readouterr().err.splitlines()
    assert first.startswith(r"counterfeit: cannot read a\nb\x1b[2J쥐; replace it.x")
    assert len(first) < 1000
    assert note == r"  - on disk:\nnone"
