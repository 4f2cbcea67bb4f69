"""The reproduction: three stages, one report, nothing trained twice."""

import re
from pathlib import Path

import numpy as np
import pytest

from counterfeit import recipe, reproduce
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.verdict import judge
from counterfeit.language import speaking
from counterfeit.reproduce import article, stages
from counterfeit.run import Run

MEASURED: list[Path] = []


@pytest.fixture(scope="module")
def reproduction(digits28: Path, tmp_path_factory: pytest.TempPathFactory):
    """A folder with the stages trained for two epochs, and a function that asks for it again."""
    folder = tmp_path_factory.mktemp("reproduction")
    load = recipe.load

    def small(name: str) -> recipe.Recipe:
        return load(name).with_overrides(
            [
                f'data.name="{digits28}"',
                "generator.hidden=[32]",
                "discriminator.hidden=[32]",
                "discriminator.dropout=0.5",
            ]
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "load", small)
        patch.setattr(article, "SAMPLES", 500)
        patch.setattr(stages, "measure_newest", lambda run, progress: MEASURED.append(run.path))
        again = lambda: reproduce.reproduce_article(folder, epochs=2, quiet=True)  # noqa: E731
        again()
        yield folder, again


def runs_in(folder: Path) -> dict[str, Run]:
    runs = [Run(path) for path in folder.iterdir() if path.is_dir()]
    return {run.recipe.name: run for run in runs}


def test_it_trains_the_stages_into_one_report(reproduction) -> None:
    folder, _ = reproduction
    assert set(runs_in(folder)) == set(reproduce.STAGES)
    page = (folder / "report.html").read_text()
    for words in ("Stage 1: both losses", "Stage 2: D no longer wins", "no Helvetica scenario"):
        assert words in page


def test_its_statements_are_korean_where_the_user_is(reproduction) -> None:
    folder, _ = reproduction
    runs = [runs_in(folder)[name] for name in reproduce.STAGES]
    with speaking("ko"):
        said = article.statements(runs)
    for statement in said:
        for text in (statement.text, statement.source, statement.seen):
            assert re.search("[가-힣]", text)
            assert not re.search("[a-z]{2,} [a-z]{2,} [a-z]{2,}", text)


def test_the_terminal_says_how_each_stage_stands(
    reproduction, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = reproduction
    reproduce.reproduce_article(folder, epochs=2)
    said = capsys.readouterr().err
    for number, name in enumerate(reproduce.STAGES, start=1):
        run = runs_in(folder)[name]
        assert f"stage {number}: {judge(run, diagnose(run)).sentence}\n" in said


def test_it_measures_each_stage_that_it_shows(reproduction) -> None:
    folder, _ = reproduction
    assert set(MEASURED) == {run.path for run in runs_in(folder).values()}


def test_asked_again_it_trains_nothing(reproduction) -> None:
    folder, again = reproduction
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    assert before
    again()
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}


def test_each_statement_has_a_verdict_and_a_number(reproduction) -> None:
    folder, _ = reproduction
    runs = runs_in(folder)
    statements = article.statements([runs[stage] for stage in reproduce.STAGES])
    assert len(statements) == 9
    for statement in statements:
        assert statement.agreement in ("agrees", "differs", "open")
        assert any(character.isdigit() for character in statement.seen), statement.text
        assert ("Open, as the" in statement.seen) == (statement.agreement == "open")


def told(log: list[tuple[float, float]], tmp_path: Path, name: str) -> Run:
    """A run whose log has one row an epoch, with these losses of D and G."""
    facts = {
        "seed": 0,
        "image_shape": [1, 28, 28],
        "device_name": None,
        "processor": "",
        "threads": 1,
    }
    run = Run.create(tmp_path, recipe.load(name), facts)
    for epoch, (d, g) in enumerate(log, start=1):
        losses = {"d_loss": d, "g_loss": g, "d_loss_last": d, "g_loss_last": g}
        run.append_log({"step": epoch, "epoch": epoch, **losses})
    return run


CLOSE, LOST, LOST_MORE = (0.6, 0.8), (0.01, 9.0), (0.001, 20.0)


@pytest.mark.parametrize(
    ("log", "agreement"),
    [
        ([CLOSE] * 50 + [LOST] * 10 + [LOST_MORE] * 40, "agrees"),
        ([CLOSE] * 2 + [LOST] * 10 + [LOST_MORE] * 88, "differs"),  # far too early
        ([CLOSE] * 50 + [LOST_MORE] * 25 + [LOST] * 25, "differs"),  # G recovers
        ([CLOSE] * 100, "differs"),
        ([CLOSE] * 10, "open"),
    ],
)
def test_stage_1s_agreement(tmp_path, log: list[tuple[float, float]], agreement: str) -> None:
    assert article._discriminator_wins(told(log, tmp_path, "sgd")).agreement == agreement


@pytest.mark.parametrize(
    ("log", "agreement"), [([CLOSE] * 10, "agrees"), ([CLOSE] * 3 + [LOST], "differs")]
)
def test_stage_2s_agreement(tmp_path, log: list[tuple[float, float]], agreement: str) -> None:
    assert article._discriminator_does_not_win(told(log, tmp_path, "adam")).agreement == agreement


@pytest.mark.parametrize(
    ("log", "agreement"),
    [
        ([(0.19, 4.9)] + [(0.5, 1.5)] * 98 + [(0.62, 1.1)], "agrees"),
        ([(0.19, 4.9)] + [(0.5, 1.5)] * 98 + [(0.62, 3.0)], "differs"),
        ([(0.19, 4.9)] + [(0.5, 1.5)] * 98 + [(0.2, 1.0)], "differs"),
        ([(0.7, 0.6)] + [(0.5, 1.5)] * 98 + [(0.62, 1.1)], "differs"),
        ([(0.19, 4.9)] + [(0.5, 1.5)] * 9, "open"),
    ],
)
def test_stage_3s_agreement(tmp_path, log: list[tuple[float, float]], agreement: str) -> None:
    run = told(log, tmp_path, "batchnorm-smoothing")
    assert article._losses_settle(run).agreement == agreement


@pytest.mark.parametrize(
    ("agrees", "epochs", "agreement"),
    [(True, 10, "agrees"), (False, 10, "open"), (False, 100, "differs")],
)
def test_a_short_run_cannot_differ_yet(tmp_path, agrees: bool, epochs: int, agreement: str) -> None:
    run = told([CLOSE] * epochs, tmp_path, "batchnorm-smoothing")
    assert article._agreement(agrees, run) == agreement


@pytest.mark.parametrize(
    ("d_losses", "won"), [([0.5, 0.3, 0.2], None), ([0.5, 0.09, 0.2], 2), ([0.01], 1)]
)
def test_d_has_won_when_its_mean_loss_is_below_a_tenth(d_losses: list[float], won) -> None:
    mean = np.array([[epoch, d, 1.0] for epoch, d in enumerate(d_losses, start=1)])
    assert article.first_won_epoch(mean) == won
