"""What a command tells the torchrun that started it."""

from pathlib import Path

import pytest
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from counterfeit.cli.app import main


def test_torchrun_ends_its_account_of_a_failure_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "error.json"
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(file))
    with pytest.raises(SystemExit):
        main(["sample", str(tmp_path / "nowhere")])
    said = capsys.readouterr().err
    assert said.startswith("counterfeit: ")
    failure = ProcessFailure(local_rank=0, pid=1, exitcode=2, error_file=str(file))
    account = ChildFailedError("counterfeit", {0: failure}).format_msg()
    assert said.splitlines()[0] in account
