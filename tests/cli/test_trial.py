"""`counterfeit trial` as a command."""

from pathlib import Path
from typing import Any

import pytest
from command import call

SMALL = [
    "--set=training.epochs=1", "--set=training.batch_size=8", "--set=generator.hidden=[8]",
    "--set=discriminator.hidden=[8]",
]  # fmt: skip


def test_a_trial_ends_in_a_table_a_picture_and_its_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["trial", "ring", "ragan", "--seeds=2", *SMALL, f"--out={tmp_path}"]
    status, out, err = call(capsys, *asked)
    folder = Path(out.splitlines()[-1])
    assert status == 0
    assert folder.parent == tmp_path
    assert folder.name.startswith("ring-ragan-epochs-1-batch_size-8")
    assert "of 8" in out
    assert "seed 1: " in err
    assert {"recipe.toml", "trial.json", "trial.csv", "samples.png"} <= {
        each.name for each in folder.iterdir()
    }
    before = (folder / "trial.json").read_bytes()
    status, again, err = call(capsys, *asked)
    assert (status, again, err) == (0, out, "")
    assert (folder / "trial.json").read_bytes() == before


def test_what_to_do_next_is_more_seeds_and_then_to_look(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from counterfeit import cli

    asked = ["trial", "grid", "ragan", *SMALL, f"--out={tmp_path}"]
    cli.main([*asked, "--seeds=1"])
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("next: counterfeit trial grid ragan --set=training.epochs=1 ")
    assert said.endswith(f"--out {tmp_path} --seeds 5")
    cli.main([*asked, "--seeds=5"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("next: look at ")
    assert Path(last.removeprefix("next: look at ")).is_file()


def test_quiet_says_the_folder_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = ["trial", "ring", "ragan", "--seeds=1", *SMALL, f"--out={tmp_path}", "--quiet"]
    status, out, err = call(capsys, *asked)
    assert (status, len(out.splitlines()), err) == (0, 1, "")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (["trial", "square", "ragan"], "square"),
        (["trial", "ring", "rgan"], "no recipe is called 'rgan'"),
        (["trial", "ring", "ragan", "--seeds=0"], "--seeds 0: should be 1 or more."),
        (["trial", "ring", "ragan", "--set=latent.dmi=3"], "latent.dmi"),
    ],
)
def test_bad_input_ends_in_one_line(
    wrong: list[str], why: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, err = call(capsys, *wrong, f"--out={tmp_path / 'new'}")
    assert (status, out) == (2, "")
    assert why in err
    assert not (tmp_path / "new").exists()


def test_ctrl_c_keeps_the_seeds_that_ended_and_says_what_goes_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from counterfeit.trials.points import PointsTrial

    perform = PointsTrial.perform

    def stopped(self: PointsTrial, seed: int, *others: Any) -> Any:
        if seed == 1:
            raise KeyboardInterrupt
        return perform(self, seed, *others)

    monkeypatch.setattr(PointsTrial, "perform", stopped)
    asked = ["trial", "ring", "ragan", *SMALL, f"--out={tmp_path}"]
    status, out, err = call(capsys, *asked, "--seeds=3")
    assert (status, out) == (130, "")
    assert err.startswith("seed 0: ")
    assert f"--out {tmp_path} --seeds 3` goes on." in err
    monkeypatch.undo()
    status, _, err = call(capsys, *asked, "--seeds=3")
    assert status == 0
    assert [line[:6] for line in err.splitlines()] == ["seed 1", "seed 2"]
