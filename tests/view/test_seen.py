"""States of runs, and that a followed run says what the run itself says."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from counterfeit.files import write_rows
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.report.curves import SUBJECTS, overlaid
from counterfeit.insight.verdict import judge
from counterfeit.monitor import Monitor
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.view import follow
from counterfeit.view.seen import Seen


def seen(run: Run) -> Seen:
    found = Seen("run", run.path)
    found.look()
    found.judge()
    return found


def test_what_is_said_of_a_run_is_what_the_report_says(run: Run) -> None:
    found = seen(run)
    assert found.findings == diagnose(run, looking=False)
    assert found.verdict == judge(run, found.findings)
    for subject in SUBJECTS:
        assert overlaid(subject, [found.run], ["a"], [[]]) == overlaid(subject, [run], ["a"], [[]])
    assert (found.epoch, found.epochs) == (3, 3)


def test_states(run: Run) -> None:
    assert seen(run).state == "finished"
    with run.locked():
        assert seen(run).state == "training"
    run.change_recipe(run.recipe.with_values({"training.epochs": 9}))
    assert seen(run).state == "interrupted"
    lost = {"meaning": "", "advice": "", "source": "", "evidence": {}}
    broken = Finding("non-finite", "critical", 5, 5, 1, 1, **lost)
    run.append_finding(broken.as_row(5, 1))
    assert seen(run).state == "failed"
    lost["evidence"] = {"rolled_back_to": 3}
    write_rows(
        run.path / "findings.jsonl",
        [Finding("non-finite", "critical", 5, 5, 1, 1, **lost).as_row(5, 1)],
    )
    assert seen(run).state == "interrupted"


def test_a_look_tells_whether_there_is_news_and_a_verdict_is_of_whole_epochs(run: Run) -> None:
    found = seen(run)
    assert not found.look()
    assert found.run.is_still
    assert found.is_judged
    last = run.log[-1]
    run.append_log(last | {"step": last["step"] + 1, "epoch": 3.1})
    assert not found.run.is_still
    assert found.look()
    assert found.is_judged
    run.append_log(last | {"step": last["step"] + 9, "epoch": 4})
    run.append_vitals(run.vitals[-1] | {"step": last["step"] + 9, "epoch": 4})
    found.look()
    assert not found.is_judged


def test_damage_is_said_and_passes(run: Run) -> None:
    found = seen(run)
    content = (run.path / "recipe.toml").read_bytes()
    (run.path / "recipe.toml").write_text("no recipe")
    assert found.look()
    assert "recipe.toml" in found.error
    (run.path / "recipe.toml").write_bytes(content)
    assert found.look()
    assert found.error == ""


def test_a_vanished_run_is_no_crash(run: Run) -> None:
    found = seen(run)
    shutil.rmtree(run.path)
    found.look()
    found.judge()
    assert found.error


def test_a_log_that_is_thinned_has_the_findings_that_were_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(follow, "MOST", 20)
    steps = np.arange(1, 101)
    rows = [run.log[0] | {"step": int(step), "epoch": float(step) / 10} for step in steps]
    write_rows(run.path / "log.jsonl", rows)
    said = Finding("mode-collapse", "critical", 5, 9, 1.0, 2.0, {}, "m", "a", "s", lasts=True)
    write_rows(run.path / "findings.jsonl", [said.as_row(9, 2)])
    found = seen(run)
    assert found.findings == [said]
    assert found.verdict is not None
    assert found.verdict.sentence.startswith("Failing")


def test_a_loop_that_is_not_ours_is_a_run_like_any_other(tmp_path: Path) -> None:
    G = nn.Sequential(nn.Linear(4, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    D = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Sigmoid())
    latents = torch.randn(20, 4)
    with Monitor(
        G, D, data="digits", latents=latents, d_outputs="probabilities", out=tmp_path, quiet=True
    ) as monitor:
        for _ in range(3):
            for _ in range(4):
                loss = D(G(torch.randn(8, 4))).mean()
                monitor.update(
                    d_loss=loss, g_loss=loss, d_real=D(torch.rand(8, 1, 8, 8)), d_fake=D(G(latents))
                )
            monitor.epoch()
        found = seen(monitor.run)
        assert found.state == "training"
    found.look()
    found.judge()
    assert (found.state, found.epoch, found.error) == ("finished", 3, "")
    assert found.verdict is not None
    drawn = overlaid("losses", [found.run], ["a"], [[]])
    assert drawn[0].lines[0].x[-1] == 3
