"""A run whose loss makes D a critic: nothing takes its scores for probabilities."""

import html
import io
from pathlib import Path

import pytest
from PIL import Image

from counterfeit import recipe
from counterfeit.insight import charts, verdict
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.report import write_report
from counterfeit.insight.vitals import vitals
from counterfeit.progress import Bar
from counterfeit.run import Run
from counterfeit.training import loop


@pytest.fixture(scope="module")
def critic(small_recipe: recipe.Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    spec = small_recipe.with_values({"loss.name": "wasserstein", "penalties.gradient.every": 2})
    return loop.train(spec, epochs=2, device="cpu", out=tmp_path_factory.mktemp("critic"))


def test_its_rows_hold_scores_and_no_probabilities(critic: Run) -> None:
    for row in critic.log:
        assert row["score_gap"] == pytest.approx(-row["d_loss"], rel=1e-5)
        assert row["penalty_gradient"] > 0
        assert not [key for key in row if key.startswith(("d_real", "d_fake"))]
    for row in vitals(critic)[1:]:
        assert row["score_training"] != row["score_generated"]
        assert not {"d_training", "d_held_out", "d_generated"} & row.keys()


@pytest.mark.parametrize("name", ["scores", "penalties", "losses"])
def test_its_charts_are_drawn(critic: Run, name: str) -> None:
    with Image.open(io.BytesIO(charts.write(critic, name).read_bytes())) as picture:
        assert picture.width > 100


def test_its_page_speaks_of_scores(critic: Run, tmp_path: Path) -> None:
    text = html.unescape(write_report([critic], tmp_path / "page.html").read_text())
    assert "The critic's scores" in text
    assert "The loss is wasserstein" in text
    assert "What is added to D's loss" in text
    assert "What D answers" not in text
    assert "log 2" not in text


def test_nobody_asks_who_overpowers_whom(critic: Run) -> None:
    findings = diagnose(critic)
    assert not {each.name for each in findings} & {"discriminator-overpowering", "garbage-passes"}
    assert "unknown" not in verdict.judge(critic, findings).sentence


def test_the_bar_shows_scores(critic: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(Bar, "show", lambda self, completed, state: shown.append(state))
    bar = Bar(2)
    bar._progress.console.width = 200
    bar.on_row(critic.log[-1])
    assert "f(x) " in shown[0]
    assert "D(x)" not in shown[0]
