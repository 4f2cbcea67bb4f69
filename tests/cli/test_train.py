"""`counterfeit train`."""

import tomllib
from pathlib import Path

from command import TINY, call

from counterfeit import recipe
from counterfeit.run import Run


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
    assert call(capsys, *again, "--quiet") == (0, out, "")
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
    assert "discriminator overpowering since epoch " in err
    (path,) = tmp_path.iterdir()
    status, out, _ = call(capsys, "diagnose", str(path))
    assert status == 0
    assert "CRITICAL  discriminator-overpowering" in out
    said = out.splitlines()[0].removeprefix(f"{path.name}: ")
    assert said.startswith("Failing, after ")
    assert f"and saved. {said} `counterfeit diagnose" in err


def test_rows_go_to_a_tracker_as_well(capsys, tmp_path: Path) -> None:
    given = [*TINY, f"--out={tmp_path}", "--log-to=tensorboard"]
    status, out, err = call(capsys, "train", "batchnorm-smoothing", *given)
    assert (status, err) == (0, "")
    (events,) = (Path(out.strip()) / "tensorboard").iterdir()
    assert events.stat().st_size > 1000
