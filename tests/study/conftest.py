"""A small study that has been trained, for what reads it; and a classifier of digits that is barely
trained, for this process and those that tests start."""

import os
from collections.abc import Iterator

import pytest
from small_study import small_plan

from counterfeit import data
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.study.folder import Study
from counterfeit.study.worker import Terms, perform


@pytest.fixture(scope="session", autouse=True)
def quick_classifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("data")
    classifier_for(data.load("digits"), folder / "classifiers", updates=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "COUNTERFEIT_DATA_DIR", str(folder))
        yield


@pytest.fixture(scope="session")
def trained_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two recipes with three seeds on digits; the last run is to come."""
    plan = small_plan(epochs=3, seeds=3, evaluate_every=1)
    study = Study.make(tmp_path_factory.mktemp("studies") / "small", plan)
    for task in study.tasks[:-1]:
        perform(task, Terms.of(study.plan))
    return study
