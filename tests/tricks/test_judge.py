"""From studies of tricks to what each is worth; benchmarks/tricks.py does it as a script."""

import json
import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from outcomes import results_of
from scipy import stats

from counterfeit.errors import CounterfeitError
from counterfeit.study.folder import Study
from counterfeit.study.statistics import Estimate
from counterfeit.study.worker import Terms, perform
from counterfeit.tricks.catalogue import catalogue, plan_of
from counterfeit.tricks.judge import NOTHING, effects, judged
from counterfeit.tricks.record import Judged, keep, kept
from counterfeit.tricks.words import markdown
from own_data import with_data_in
from tricks import main

STAGE_3 = catalogue().bases[0]
OWN = STAGE_3.recipe

GOOD = [41.0, 39.0, 44.0, 40.0, 42.5]
BAD = [401.0, 395.0, 420.0, 399.0, 390.0]
SAME = [43.0, 38.5, 41.0, 42.0, 40.5]


def test_an_effect_is_of_having_the_trick() -> None:
    results = results_of({OWN: GOOD, "no-batchnorm-g": BAD, "tanh": SAME, "hinge": BAD})
    found = effects(STAGE_3, results)
    assert set(found) == {"batchnorm-g", "tanh", "hinge"}
    assert {label: each.worth for label, each in found.items()} == {
        "batchnorm-g": "better",
        "tanh": "unsure",
        "hinge": "worse",
    }
    ratios = np.log(GOOD) - np.log(BAD)
    assert found["batchnorm-g"].fid[0] == pytest.approx(math.exp(ratios.mean()))
    assert found["hinge"].fid[0] == pytest.approx(math.exp(-ratios.mean()))
    assert found["tanh"].fid[1] < 1 < found["tanh"].fid[2]
    assert found["tanh"].seconds[0] == pytest.approx(1.0)
    assert found["tanh"].coverage == NOTHING


def test_each_list_is_corrected_for_its_own_comparisons() -> None:
    """Two of ganhacks' list and one of the later ones: p is twice the test's own, and as it is."""
    found = effects(STAGE_3, results_of({OWN: GOOD, "tanh": SAME, "replay": SAME, "hinge": SAME}))
    alone = stats.ttest_1samp(np.log(SAME) - np.log(GOOD), 0).pvalue
    assert found["hinge"].p == pytest.approx(alone)
    assert found["tanh"].p == pytest.approx(min(1.0, 2 * alone))


def test_failures_are_those_of_the_changed_recipe_and_count_as_the_worst() -> None:
    failing = results_of({OWN: GOOD, "sgd-d": [401.0, "failed", 420.0, "failed", 390.0]})
    found = effects(STAGE_3, failing)["sgd-d"]
    assert (found.failed, found.seeds) == (2, 5)
    assert found.fid[0] == pytest.approx(
        math.exp(np.mean(np.log([401.0, 420.0, 420.0, 420.0, 390.0]) - np.log(GOOD)))
    )


def test_time_is_compared_seed_by_seed() -> None:
    results = results_of({OWN: GOOD, "r1": SAME, "no-dropout-d": SAME})
    slower = {"r1": 2.0, "no-dropout-d": 0.5, OWN: 1.0}
    timed = [
        replace(each, seconds=60.0 * slower[each.label] * (1 + each.task.seed)) for each in results
    ]
    found = effects(STAGE_3, timed)
    assert found["r1"].seconds == pytest.approx(Estimate(2.0, 2.0, 2.0))
    assert found["dropout-d"].seconds == pytest.approx(Estimate(2.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def study(with_classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three variants of the real study's, an epoch of digits each."""
    plan = plan_of(STAGE_3)
    chosen = {OWN, "tanh", "no-batchnorm-g"}
    small = plan.model_copy(
        update={
            "variants": tuple(each for each in plan.variants if each.label in chosen),
            "data": ("digits",),
            "epochs": 1,
            "samples": 100,
            "seeds": 2,
        }
    )
    made = Study.make(tmp_path_factory.mktemp("studies") / STAGE_3.study, small)
    with with_data_in(with_classifier):
        for task in made.tasks:
            perform(task, Terms.of(made.plan))
    return made


def test_from_a_study_to_the_table(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    out = tmp_path / "judged.json"
    out.write_text('{"tricks-dcgan": {"kept": true}}')
    monkeypatch.setattr("sys.argv", ["tricks.py", str(study.folder), f"--out={out}"])
    main()
    assert json.loads(out.read_text())["tricks-dcgan"] == {"kept": True}
    result = kept(STAGE_3.study, out)
    assert result is not None
    assert (result.epochs, result.seeds, set(result.effects)) == (1, 2, {"tanh", "batchnorm-g"})
    assert result.metric.startswith("fid_digits-")
    assert result.effects["tanh"].seconds[0] > 0
    assert math.isfinite(result.effects["tanh"].coverage[0])
    assert capsys.readouterr().out.strip() == markdown(STAGE_3, result)


def test_what_is_kept_is_read_again(study: Study, tmp_path: Path) -> None:
    result = judged(STAGE_3, study)
    assert result is not None
    keep("x", result, tmp_path / "judged.json")
    again = kept("x", tmp_path / "judged.json")
    assert again is not None
    assert again.effects["tanh"].fid[0] == pytest.approx(result.effects["tanh"].fid[0], rel=1e-3)
    assert math.isnan(again.effects["tanh"].fid[1])
    keep("x", again, tmp_path / "judged.json")
    assert repr(kept("x", tmp_path / "judged.json")) == repr(again)
    assert kept("y", tmp_path / "judged.json") is None


@given(st.floats(0.006, 900.0))
@example(1.3749)
def test_what_is_shown_is_what_is_kept(times: float) -> None:
    """However the digits fall: the table of a study just judged is the one that is read later."""
    part = effects(STAGE_3, results_of({OWN: GOOD, "tanh": SAME}))["tanh"]
    result = Judged(
        epochs=1,
        metric="fid",
        protocol=[],
        fid=(times, times, times),
        coverage=(0.5, 0.5, 0.5),
        seeds=5,
        torch="2",
        processor="a",
        effects={"tanh": replace(part, seconds=(times, times, times))},
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "judged.json"
        shown = markdown(STAGE_3, keep("x", result, path))
        assert shown == markdown(STAGE_3, kept("x", path))


def test_a_study_of_other_values_is_refused(study: Study) -> None:
    other = replace(STAGE_3, values={"generator.hidden": [8]})
    with pytest.raises(CounterfeitError, match="with other values than"):
        judged(other, study)


def test_a_study_that_has_measured_nothing_comes_to_nothing(study: Study, tmp_path: Path) -> None:
    assert judged(STAGE_3, Study.make(tmp_path / "new", study.plan)) is None
