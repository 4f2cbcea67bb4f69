"""Training from Python shows what the command shows, and keeps silent when asked to."""

import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import counterfeit
from counterfeit.errors import Stopped, UsageError
from counterfeit.insight.diagnose import Watch
from counterfeit.recipe import Recipe
from counterfeit.run.findings import Finding

CRITICAL = Finding(
    name="gradient-explosion",
    severity="critical",
    first_step=1,
    last_step=2,
    first_epoch=1,
    last_epoch=1,
    evidence={},
    meaning="It is on fire.",
    advice="Put it out.",
    source="the smoke",
    lasts=True,
)


@pytest.fixture
def burning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfeit.insight.diagnose.examined", lambda run: [CRITICAL])


@pytest.mark.usefixtures("burning")
def test_findings_are_said_once_and_kept(
    tiny: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = counterfeit.train(tiny, out=tmp_path)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("It is on fire.") == 1
    assert [row["name"] for row in run.findings] == ["gradient-explosion"]
    counterfeit.resume(run, epochs=3)
    assert "fire" not in capsys.readouterr().err


@pytest.mark.usefixtures("burning")
def test_no_progress_is_silence_and_findings_are_kept(
    tiny: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = counterfeit.train(tiny, out=tmp_path, progress=False)
    assert capsys.readouterr() == ("", "")
    assert len(run.findings) == 1
    assert len(run.vitals) == 3


@pytest.mark.usefixtures("burning")
def test_a_critical_finding_may_end_it(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="saved"):
        counterfeit.train(tiny, out=tmp_path, stop_on="critical", progress=False)


def test_whoever_diagnoses_himself_is_left_to_it(tiny: Recipe, tmp_path: Path) -> None:
    heard: list[Finding] = []
    watch = Watch(heard.append, stop_on_critical=False)
    run = counterfeit.train(tiny, out=tmp_path, on_epoch=[watch], progress=False)
    assert [row["epoch"] for row in run.vitals] == [0, 1, 2]


def test_the_users_functions_are_called_too(tiny: Recipe, tmp_path: Path) -> None:
    called: list[str] = []
    counterfeit.train(
        tiny,
        out=tmp_path,
        on_stage=[lambda stage: called.append("stage")],
        on_row=[lambda row: called.append("row")],
        on_epoch=[lambda run, epoch, generator: called.append(f"epoch {epoch}")],
    )
    assert called == ["stage"] * 3 + ["row", "epoch 1", "row", "epoch 2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"evaluate_every": 0},
        {"evaluate_every": "often"},
        {"stop_on": "warning"},
        {"on_row": 3},
        {"on_epoch": [3]},
    ],
)
def test_impossible_arguments_write_nothing(
    tiny: Recipe, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        counterfeit.train(tiny, out=tmp_path / "runs", **wrong)
    assert not (tmp_path / "runs").exists()


class Display:
    """Of a notebook: a place that is written to again and again, and what is shown below."""

    def __init__(self) -> None:
        self.places: list[list[str]] = []
        self.shown: list[object] = []

    def __call__(self, *what: Any, display_id: bool = False, **more: Any) -> Any:
        if not display_id:
            self.shown.extend(what)
            return None
        texts = [what[0]]
        self.places.append(texts)
        handle = ModuleType("handle")
        handle.update = texts.append  # type: ignore[attr-defined]
        return handle


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Display:
    display = Display()
    module = ModuleType("IPython.display")
    module.display, module.HTML = display, str  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setattr("rich.console.get_ipython", lambda: shell, raising=False)
    monkeypatch.setattr("counterfeit.progress.EVERY_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    return display


def test_in_a_notebook_the_bar_stays_in_one_place(
    tiny: Recipe, tmp_path: Path, notebook: Display
) -> None:
    counterfeit.train(tiny, out=tmp_path)
    (texts,) = notebook.places
    assert len(texts) >= 6
    assert "starting" in texts[0]
    assert any("epoch 2.0" in text and "images/s" in text for text in texts)
    assert texts[-1] == ""
    assert all("<pre>" in text for text in texts[:-1])


def test_in_a_notebook_too_it_can_be_silent(
    tiny: Recipe, tmp_path: Path, notebook: Display
) -> None:
    counterfeit.train(tiny, out=tmp_path, progress=False)
    assert (notebook.places, notebook.shown) == ([], [])
