"""The example of docs/own.md runs as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest

import counterfeit
from counterfeit.run import Run

PAGE = Path(__file__).parents[2] / "docs" / "own.md"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example, loss, forked = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["images"].shape == (5000, 1, 8, 8)
    assert names["run"].recipe.loss.label == "(d_loss, g_loss)"
    assert len(list(Path("runs").iterdir())) == 2
    exec(forked, names)
    assert names["run"].log[-1]["epoch"] == 5
    assert len(list(Path("runs").iterdir())) == 3
    exec(loss, names)
    run = counterfeit.train(
        names["spec"], loss=names["MyLoss"], epochs=1, out=tmp_path, progress=False
    )
    assert isinstance(run, Run)
    assert "d_real_mean" in run.log[-1]
