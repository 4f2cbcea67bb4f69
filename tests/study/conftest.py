"""A small study that has been trained, for what reads it."""

from pathlib import Path

import pytest
from small_study import small_plan

from counterfeit.study.folder import Study
from counterfeit.study.worker import Terms, perform
from own_data import quick_classifier, with_classifier, with_data_in

__all__ = ["quick_classifier", "with_classifier"]


@pytest.fixture(scope="session")
def trained_study(with_classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two recipes with three seeds on digits; the last run is to come."""
    plan = small_plan(epochs=3, seeds=3, evaluate_every=1)
    study = Study.make(tmp_path_factory.mktemp("studies") / "small", plan)
    with with_data_in(with_classifier):
        for task in study.tasks[:-1]:
            perform(task, Terms.of(study.plan))
    return study
