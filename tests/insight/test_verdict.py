from pathlib import Path

import pytest
from example_finding import finding

from counterfeit import recipe
from counterfeit.insight.columns import newest_metrics
from counterfeit.insight.verdict import judge
from counterfeit.run import Run
from counterfeit.run.rows import Measurement


@pytest.fixture
def run(small_recipe: recipe.Recipe, tmp_path: Path) -> Run:
    run = Run.create(tmp_path, small_recipe, {"seed": 0, "image_shape": [1, 8, 8]})
    for epoch in (1, 2, 3):
        run.append_log({"step": 11 * epoch, "epoch": epoch})
    return run


def measure(run: Run, *, epoch: int = 3, found: int = 10, coverage: float = 0.8) -> None:
    metrics = {"fid_x-v1_test_1k": [3.3, 0.1], "coverage_x-v1_test_1k": [coverage, 0.01]}
    metrics["classes_found_x-v1_1k"] = [found, 0]
    metrics |= {f"share_{c}_x-v1_1k": [0.1, 0] for c in range(10)}
    run.append_metrics({"step": 11 * epoch, "epoch": epoch, "metrics": metrics})


def test_a_later_measurement_by_another_protocol_hides_none_of_its_epoch(run: Run) -> None:
    measure(run)
    run.append_metrics({"step": 33, "epoch": 3, "metrics": {"parzen_test_40": [1.0, 0.1]}})
    assert judge(run, []).standing == "healthy"
    newest = newest_metrics(run.metrics)
    assert newest is not None
    assert list(newest["metrics"])[:2] == ["parzen_test_40", "fid_x-v1_test_1k"]


def test_a_run_that_was_measured_and_is_varied_is_healthy(run: Run) -> None:
    measure(run)
    of_other_images = {"coverage_x-v1_validation_1k": Measurement(0.9, 0.1)}
    run.add_real_scores({"fid_x-v1_test_1k": Measurement(0.6, 0.1)} | of_other_images)
    verdict = judge(run, [finding(severity="note")])
    assert verdict.standing == "healthy"
    assert verdict.sentence == (
        "Healthy: nothing amiss was found in 3 epochs; all ten classes, classifier FID 3.3 against"
        " 0.6 for real images, coverage 0.80."  # another protocol's ceiling is none
    )


@pytest.mark.parametrize("poor", [{"found": 9}, {"coverage": 0.3}])
def test_no_finding_is_not_yet_health(run: Run, poor: dict[str, float]) -> None:
    measure(run, **poor)
    assert judge(run, []).standing == "open"
    assert judge(run, []).sentence.startswith("Not there yet:")


def test_what_was_not_measured_is_said(run: Run) -> None:
    assert judge(run, []).standing == "open"
    assert "was not measured (counterfeit evaluate does)" in judge(run, []).sentence
    measure(run, epoch=2)
    assert judge(run, []).standing == "open"
    assert "measured at epoch 2 and not since" in judge(run, []).sentence


def test_findings_that_last_come_first(run: Run) -> None:
    measure(run)
    verdict = judge(run, [finding("a_b"), finding("c", first_epoch=3), finding("d"), finding("e")])
    assert verdict.standing == "failing"
    assert "Failing: a b since epoch 1, c since epoch 3 and two more; all ten" in verdict.sentence
    assert judge(run, [finding(severity="warning")]).standing == "doubtful"


def test_a_finding_that_passed_is_a_doubt(run: Run) -> None:
    measure(run)
    verdict = judge(run, [finding(last_epoch=2, lasts=False)])
    assert verdict.standing == "doubtful"
    assert "earlier, mode collapse in epochs 1 to 2" in verdict.sentence


def test_a_run_that_goes_on_and_one_that_never_began(
    small_recipe: recipe.Recipe, empty_run: Run
) -> None:
    assert judge(empty_run, []).sentence == "Nothing to judge yet: this run has not trained."
    empty_run.append_log({"step": 5, "epoch": 0.5})
    assert judge(empty_run, []).sentence.startswith("Not judged, after 0.5 of 3 epochs:")
