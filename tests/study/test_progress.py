"""How far a study is, as its files say."""

from dataclasses import replace

import pytest
from rich.text import Text
from small_study import SMALL, small_plan

from counterfeit.study.folder import Study
from counterfeit.study.outcome import Outcome
from counterfeit.study.progress import Glance, Screen, all_runs, duration, not_done
from counterfeit.study.worker import Answer, Terms, perform


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Of two recipes and two seeds, the first seed's runs have ended, one of them badly."""
    wild = {"label": "wild", "recipe": "sgd", "values": SMALL | {"generator.optimizer.lr": 1e30}}
    two = {"label": "two", "recipe": "adam", "values": SMALL}
    plan = small_plan(seeds=2, variants=[two, wild])
    study = Study.make(tmp_path_factory.mktemp("half") / "s", plan)
    for task in study.tasks[:2]:
        perform(task, Terms.of(study.plan))
    return study


def test_the_table_and_the_line_below_it_say_where_each_run_stands(half_done: Study) -> None:
    glance = Glance(half_done)
    glance.look()
    _, *rows = all_runs(glance, None).splitlines()
    states = {row.split()[0]: row.split()[1] for row in rows}
    assert states == {
        "two-digits-s0": "finished",
        "wild-digits-s0": "failed",
        "two-digits-s1": "waiting",
        "wild-digits-s1": "waiting",
    }
    assert "2/2" in rows[0]
    assert "critical: non finite" in rows[1]
    assert glance.summary() == "2 of 4 runs have ended, 1 of them failed"


def test_a_finding_is_new_once(half_done: Study) -> None:
    glance = Glance(half_done)
    assert [(task.id, finding.name) for task, finding in glance.look()][-1] == (
        "wild-digits-s0",
        "non-finite",
    )
    assert glance.look() == []


def test_time_left_goes_by_what_each_recipe_took(half_done: Study) -> None:
    glance = Glance(half_done)
    assert glance.seconds_left() is None
    glance.look()
    two, wild = (task.outcome for task in half_done.tasks[:2])
    assert isinstance(two, Outcome)
    assert isinstance(wild, Outcome)
    assert two.seconds is not None
    # What has diverged in its first epoch says nothing of how long an epoch takes.
    assert wild.epoch == 0
    assert glance.seconds_left() == pytest.approx(2 * two.seconds)
    tenth = two.seconds / 10
    short = Study(half_done.folder, half_done.plan.with_values({"seconds": tenth}))
    glance = Glance(short)
    glance.look()
    assert glance.seconds_left() == pytest.approx(2 * tenth)


def test_where_there_is_no_room_those_that_tell_most_are_shown(half_done: Study) -> None:
    glance = Glance(half_done)
    glance.look()
    assert glance.table(2).row_count == 2
    assert glance.table(9).row_count == 4


@pytest.mark.parametrize("letters", [5, 30, 42, 60, 120])
def test_numbers_have_room_on_80_columns_whatever_the_names_and_findings(
    half_done: Study, letters: int
) -> None:
    glance = Glance(half_done)
    glance.look()
    wild = glance.seen["wild-digits-s0"]
    task = replace(wild.task, id="-".join(["word"] * 40)[:letters])
    findings = [replace(wild.findings[0], name=f"finding-{n}") for n in range(9)]
    glance.seen = {task.id: replace(wild, task=task, fid=212.4, findings=tuple(findings))}
    lines = Text.from_ansi(all_runs(glance, 80)).plain.splitlines()
    assert max(map(len, lines)) <= 80
    assert {"failed", "0/2", "212.4"} <= set(lines[1].split())
    assert "".join(line.split("  ")[0].strip() for line in lines[1:]) == task.id


def test_without_a_terminal_findings_and_ends_are_lines(
    half_done: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    glance = Glance(half_done)
    task = half_done.tasks[1]
    with Screen(glance) as screen:
        screen.on_answer(task, Answer("failed"))
        screen.on_answer(task, Answer("stopped", "the disk is full."))
        glance.seen[task.id] = Glance(half_done).seen[task.id]  # as if it had not been looked at
        screen.on_look()
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["wild-digits-s0: failed", "wild-digits-s0: stopped: the disk is full."]
    assert said[2].startswith("wild-digits-s0: critical: non-finite")
    with Screen(glance, quiet=True) as screen:
        screen.on_answer(task, Answer("failed"))
    assert capsys.readouterr().err == ""


def test_on_a_terminal_the_table_stands_while_the_study_goes_on(
    half_done: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    with Screen(Glance(half_done)) as screen:
        screen.on_look()
        screen.on_answer(half_done.tasks[1], Answer("stopped", "the disk is full."))
        screen.on_answer(half_done.tasks[0], Answer("finished"))
    said = capsys.readouterr().err
    assert "two-digits-s1" in said
    assert "2 of 4 runs have ended" in said
    assert "wild-digits-s0: stopped: the disk is full." in said
    assert "two-digits-s0: finished" not in said


@pytest.mark.parametrize(
    ("seconds", "text"), [(40, "40 s"), (600, "10 min"), (12600, "3.5 h"), (180000, "2.1 d")]
)
def test_a_time_is_as_exact_as_one_needs(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_reason_is_given_once() -> None:
    answers = [Answer("stopped", "full."), Answer("stopped"), Answer("stopped", "full.")]
    assert not_done(answers) == ": full"
    assert not_done(answers[1:2]) == ""
