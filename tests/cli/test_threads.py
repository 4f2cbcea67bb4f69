"""A busy machine is noticed, and the user decides."""

import pytest
import torch
from command import TINY, call

from counterfeit import cores


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of four cores are at others' work, and there are four threads."""
    moments = iter([cores.Moment(0, 0, 0), cores.Moment(2, 6, 0)])
    monkeypatch.setattr(cores, "moment", lambda: next(moments))
    monkeypatch.setattr(cores, "allowed", lambda: {0, 1, 2, 3})
    monkeypatch.setattr(cores, "quota", lambda: None)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    for name in cores.SETTINGS:
        monkeypatch.delenv(name, raising=False)


LOUD = [option for option in TINY if option != "--quiet"]


def test_a_busy_machine_is_said_in_one_line(busy, capsys, tmp_path) -> None:
    status, _, err = call(capsys, "train", "sgd", *LOUD, f"--out={tmp_path}")
    assert status == 0
    (line,) = [line for line in err.splitlines() if line.startswith("counterfeit:")]
    assert "3.0 of 4 cores" in line
    assert "`OMP_NUM_THREADS=1 counterfeit" in line


@pytest.mark.parametrize("setting", cores.SETTINGS)
def test_not_to_a_user_who_has_decided(busy, capsys, tmp_path, monkeypatch, setting) -> None:
    monkeypatch.setenv(setting, "2")
    _, _, err = call(capsys, "train", "sgd", *LOUD, f"--out={tmp_path}")
    assert "cores" not in err


def test_a_bf16_run_is_told_what_keeps_its_bits(busy, capsys, tmp_path) -> None:
    command = ["train", "sgd", *LOUD, "--precision=bf16", f"--out={tmp_path}"]
    assert "`GOMP_SPINCOUNT=1000 counterfeit" in call(capsys, *command)[2]


def test_not_with_quiet(busy, capsys, tmp_path) -> None:
    assert call(capsys, "train", "sgd", *TINY, f"--out={tmp_path}")[2] == ""
