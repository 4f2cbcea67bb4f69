"""What `counterfeit view` says where it cannot serve."""

import sys
from pathlib import Path

import pytest
from command import call


@pytest.mark.parametrize("missing", ["nicegui", "uvicorn"])
def test_what_the_page_needs_is_one_line(
    missing: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "counterfeit.view.server", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    assert call(capsys, "view", "--playground", "--no-open") == (
        2,
        "",
        f"counterfeit: this needs {missing}: `pip install nicegui` brings it.\n",
    )


def test_a_place_without_runs_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, "view", str(tmp_path / "runs"), "--no-open")
    assert (status, out) == (2, "")
    assert err == (
        f"counterfeit: {tmp_path / 'runs'} is no folder; name a run, a study, or a folder that has"
        " some.\n"
    )
