"""A small study that has been trained, for what reads it."""

import pytest

from counterfeit.study.plan import Plan, Study
from counterfeit.study.task import Terms, perform


@pytest.fixture(scope="session")
def trained_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two recipes with three seeds on digits; the last run is to come."""
    small = {"generator.hidden": (16, 16), "discriminator.hidden": (16, 16)}
    plan = Plan.parse(
        {
            "variants": [
                {"recipe": name, "values": small, "label": name} for name in ("sgd", "adam")
            ],
            "data": ["digits"],
            "epochs": 3,
            "seeds": 3,
            "samples": 100,
        },
        "small",
    )
    study = Study.make(tmp_path_factory.mktemp("studies") / "small", plan)
    for task in study.tasks[:-1]:
        perform(task, Terms(samples=plan.samples))
    return study
