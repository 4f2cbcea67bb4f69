"""What is said of a study changes with its runs."""

from pathlib import Path

from counterfeit.study.folder import Study
from counterfeit.study.outcome import Outcome
from counterfeit.study.plan import Plan
from counterfeit.view.studies import Progress


def test_progress_and_verdict_follow_what_has_ended(tmp_path: Path) -> None:
    study = Study.make(tmp_path / "two", Plan(recipes=("sgd", "adam"), data=("digits", "mnist")))
    progress = Progress(study, share=1e9)
    progress.look()
    of = len(study.tasks)
    assert progress.said.startswith(f"0 of {of} runs have ended. digits: Nothing to compare yet")
    for task in study.tasks:
        if task.data == "mnist":
            task.end(Outcome("failed", "diverged"))
    progress.look()
    assert f"{of // 2} of {of} runs have ended" in progress.said
    assert "mnist: Nothing to compare: all runs failed." in progress.said
    assert "digits: Nothing to compare yet: no run was measured." in progress.said


def test_it_is_looked_at_within_its_share_of_the_time(tmp_path: Path) -> None:
    study = Study.make(tmp_path / "two", Plan(recipes=("sgd", "adam"), data=("digits",)))
    progress = Progress(study, share=1e-9)
    progress.look()
    study.tasks[0].end(Outcome("failed", "diverged"))
    before = progress.said
    progress.look()
    assert progress.said == before
