"""No one sees a traceback: an error is one line that says what to do, and an exit status."""

from pathlib import Path

import pytest
from command import call

from counterfeit import cli
from counterfeit.errors import CounterfeitError


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
        (
            ["sample", "{run}", "--out", "{tmp}/broken.toml/x.png"],
            1,
            "name another place with --out",
        ),
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
        (["train", "sgd", "--epoch", "3"], 2, "Did you mean --epochs?"),
        (["train", "sgd", "--lr=1"], 2, "--set generator.optimizer.lr=VALUE or --set discrim"),
        (["train", "sgd", "--ema-decay", ".9"], 2, "--set generator.ema_decay=VALUE"),
        (["train", "sgd", "--generator.hidden=1"], 2, "--set generator.hidden=VALUE"),
        (["sample", "{run}", "--lr", "1"], 2, "no option --lr. `counterfeit sample --help` shows"),
        (["sample", "{run}", "--size=3"], 2, "no option --size. `counterfeit sample --help`"),
        (["recipes", "sgd", "adam"], 2, "adam"),
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
