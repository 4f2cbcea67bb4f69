"""Diagnosis of whole runs, in training and after."""

import pytest
import torch

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, Stopped
from counterfeit.insight.accounts import finding_line, findings_text
from counterfeit.insight.diagnose import Finding, Watch, diagnose
from counterfeit.run import Run
from counterfeit.training import loop

LOST = [
    "generator.optimizer.lr=1e-7", "discriminator.optimizer.lr=0.01", "loss.name=minimax",
    "loss.real_labels=[1.0, 1.0]", "training.epochs=8", "training.batch_size=32",
]  # fmt: skip
"""D wins at once."""


@pytest.fixture(scope="module")
def lost_recipe(small_recipe: recipe.Recipe) -> recipe.Recipe:
    return small_recipe.with_overrides(LOST)


def test_nothing_is_found_in_a_short_healthy_run(small_run: Run) -> None:
    assert diagnose(small_run) == []
    assert findings_text(small_run, []).startswith(f"{small_run.path.name}: Healthy: ")


def test_nothing_can_be_said_of_an_empty_run(empty_run: Run) -> None:
    assert diagnose(empty_run) == []
    assert findings_text(empty_run, []).endswith("Nothing to judge yet: this run has not trained.")


def test_a_broken_run_says_so_while_it_trains(lost_recipe: recipe.Recipe, tmp_path) -> None:
    said: list[Finding] = []
    run = loop.train(
        lost_recipe, out=tmp_path, on_epoch=[Watch(said.append, stop_on_critical=False)]
    )
    assert "discriminator-overpowering" in [finding.name for finding in said]
    assert [Finding.from_row(row) for row in run.findings] == said
    assert len({finding.name for finding in said}) == len(said)
    assert [row["epoch"] for row in run.vitals] == list(range(9))
    assert "d_knows" in run.vitals[-1]

    after = diagnose(run)
    assert after[0].name == "discriminator-overpowering"
    assert after[0].severity == "critical"
    text = findings_text(run, after)
    assert "log(1 - D(G(z)))" in " ".join(text.split())
    assert after[0].source.split(";")[0] in " ".join(text.split())
    assert "\n" not in finding_line(after[0])


def test_a_finding_spans_the_same_epochs_while_it_is_said_and_afterwards(
    lost_recipe: recipe.Recipe, tmp_path
) -> None:
    said: list[Finding] = []
    run = loop.train(
        lost_recipe, out=tmp_path, on_epoch=[Watch(said.append, stop_on_critical=False)]
    )
    after = {finding.name: finding for finding in diagnose(run)}
    lasting = [finding for finding in said if after[finding.name].lasts]
    assert any(finding.first_epoch < finding.last_epoch for finding in lasting)
    for finding in lasting:
        assert f"{finding.name} {after[finding.name].span}. " in finding_line(finding)


def test_stopping_saves_and_resuming_says_nothing_twice(
    lost_recipe: recipe.Recipe, tmp_path
) -> None:
    with pytest.raises(Stopped, match="--resume") as stopped:
        loop.train(lost_recipe, out=tmp_path, on_epoch=[Watch(stop_on_critical=True)])
    assert stopped.value.exit_status == 3
    (path,) = tmp_path.iterdir()
    run = Run.open(path)
    assert run.checkpoint().step == run.log[-1]["step"] == run.findings[-1]["step"]
    assert run.checkpoint().epoch < 8

    loop.resume(path, on_epoch=[Watch(stop_on_critical=True)])
    names = [row["name"] for row in run.findings]
    assert run.checkpoint().epoch == 8
    assert len(set(names)) == len(names)


def test_a_run_killed_before_it_was_examined_ends_as_if_it_had_not_been(
    lost_recipe: recipe.Recipe, tmp_path
) -> None:
    whole = loop.train(
        lost_recipe, out=tmp_path / "whole", on_epoch=[Watch(stop_on_critical=False)]
    )

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    for name, callbacks in {
        "before": lambda: [kill, Watch(stop_on_critical=False)],
        "within": lambda: [Watch(kill, stop_on_critical=False)],
        "after": lambda: [Watch(stop_on_critical=False), kill],
    }.items():
        with pytest.raises(KeyboardInterrupt):
            loop.train(lost_recipe, out=tmp_path / name, on_epoch=callbacks())
        (path,) = (tmp_path / name).iterdir()
        run = loop.resume(path, on_epoch=[Watch(stop_on_critical=False)])
        assert run.vitals == whole.vitals, name
        assert run.findings == whole.findings, name


def test_findings_are_forgotten_with_the_steps_they_speak_of(small_run: Run, tmp_path) -> None:
    run = Run.create(tmp_path, small_run.recipe, small_run.environment)
    for step in (10, 20):
        run.append_finding({"step": step, "epoch": step / 10, "name": f"at-{step}"})
        run.append_vitals({"step": step, "epoch": step / 10})
    run.rewind(10, 1)
    assert [row["name"] for row in run.findings] == ["at-10"]
    assert [row["step"] for row in run.vitals] == [10]


def test_what_training_itself_said_is_handed_on(small_run: Run, tmp_path) -> None:
    run = Run.create(tmp_path, small_run.recipe, small_run.environment)
    run.append_finding(
        {"step": 7, "epoch": 0.5, "name": "non-finite", "severity": "critical", "meaning": "NaN."}
    )
    (finding,) = diagnose(run)
    assert (finding.name, finding.severity, finding.first_step) == ("non-finite", "critical", 7)


def test_odd_values_are_no_reason_to_fail(small_run: Run, tmp_path) -> None:
    run = Run.create(tmp_path, small_run.recipe, small_run.environment)
    for epoch in (1, 2, 3):
        run.append_log({"step": 300 * epoch, "epoch": epoch, "d_loss": "low", "g_loss": None})
        run.append_vitals({"step": 300 * epoch, "epoch": epoch, "spread": [], "classes": "seven"})
    assert diagnose(run) == []
    run.append_finding({"step": 1, "epoch": 1, "name": "odd", "severity": {}})
    watch = Watch(lambda finding: None, stop_on_critical=False)
    watch(run, 3, torch.nn.Identity())  # epoch 3 has been gauged
    run.append_finding({"step": 1, "epoch": 1})
    with pytest.raises(CounterfeitError, match="no name"):
        diagnose(run)


def test_a_run_whose_data_are_gone_is_still_diagnosed(
    lost_recipe: recipe.Recipe, tmp_path, monkeypatch
) -> None:
    run = loop.train(lost_recipe, out=tmp_path)
    run.change_recipe(run.recipe.with_values({"data.name": str(tmp_path / "gone")}))
    assert diagnose(run)[0].name == "discriminator-overpowering"
