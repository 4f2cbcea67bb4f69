"""What a command tells the torchrun that started it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from counterfeit.cli.app import main


def test_torchrun_ends_its_account_of_a_failure_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "error.json"
    monkeypatch.setattr(os, "getsid", lambda of: os.getpid())  # as torchrun's own children
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(file))
    with pytest.raises(SystemExit):
        main(["sample", str(tmp_path / "nowhere")])
    said = capsys.readouterr().err
    assert said.startswith("counterfeit: ")
    failure = ProcessFailure(local_rank=0, pid=1, exitcode=2, error_file=str(file))
    account = ChildFailedError("counterfeit", {0: failure}).format_msg()
    assert said.splitlines()[0] in account


def test_a_command_that_a_script_of_torchruns_starts_waits_for_no_other(tmp_path: Path) -> None:
    file = tmp_path / "error.json"
    told = {
        "TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_ERROR_FILE": str(file), "RANK": "0",
        "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1",
    }  # fmt: skip
    script = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    command = [sys.executable, "-m", "counterfeit", "sample", str(tmp_path / "nowhere")]
    ended = subprocess.run(
        [sys.executable, "-c", script, *command],
        env=os.environ | told, start_new_session=True, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("counterfeit: ")
    assert not file.exists()
