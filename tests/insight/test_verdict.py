import math
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from example_finding import finding
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.files import write_rows
from counterfeit.insight.columns import newest_metrics
from counterfeit.insight.evidence import Evidence
from counterfeit.insight.verdict import (
    HEALTHY_COVERAGE,
    HEALTHY_RECALL,
    POOR,
    judge,
    verdict,
)
from counterfeit.language import speaking
from counterfeit.measure.names import MetricName
from counterfeit.run import Run
from counterfeit.run.findings import SEVERITIES, Finding
from counterfeit.run.rows import Measurement, Measurements

LATE = Evidence(step=60_000, epoch=100, epochs=100)
"""Trained to the end, and nothing measured."""

COLLAPSE = finding("mode-collapse", last_epoch=100)
DEAD = finding("dead-units", severity="warning", first_epoch=9, last_epoch=100)
PASSED = finding("mode-collapse", severity="warning", last_epoch=7, lasts=False)
NOTE = finding("batchnorm-gap", severity="note", last_epoch=7, lasts=False)

CANNOT = "could be measured (`counterfeit evaluate` says why)"
NOT_MEASURED = "how good the images are was not measured (`counterfeit evaluate` does)"
NONE_SHOWS = "no failure shows in its losses and fixed latents"


def measured(
    found: int | None = 10,
    coverage: float | None = 0.8,
    recall: float | None = 0.6,
    *,
    of: int = 10,
    parzen: float | None = None,
) -> Measurements:
    """An evaluation; what is None could not be measured."""
    metrics = {"fid_x-v1_test_1k": 3.3, "coverage_x-v1_test_1k": coverage}
    metrics |= {"recall_x-v1_test_1k": recall, "classes_found_x-v1_1k": found}
    if found is not None:
        metrics |= {f"share_{c}_x-v1_1k": 1 / found if c < found else 0.0 for c in range(of)}
    if parzen is not None:
        metrics = {"parzen_test_1k": parzen}
    return {name: Measurement(v, 0.1) for name, v in metrics.items() if v is not None}


def known(metrics: Measurements, epoch: float = 100, **more: Any) -> Evidence:
    of_newest = more.pop("is_newest", True)
    step = round(600 * epoch)
    return Evidence(
        step, epoch, 100, metrics=metrics, measured_epoch=epoch, is_newest=of_newest, **more
    )


NINE = known(measured(9, 0.8))
ONE = known(measured(1, 0.0, 0.0), 3)
REAL = {"fid_x-v1_test_1k": Measurement(0.6, 0.1), "coverage_x-v1_test_1k": Measurement(0.95, 0.0)}

STATES: dict[str, tuple[list[Finding], Evidence, str, str]] = {
    "measured, good": (
        [NOTE],
        known(measured(), real=REAL),
        "healthy",
        "Healthy: all ten classes, classifier FID 3.3 against 0.6 for real images, coverage 0.80"
        " against 0.95, recall 0.60; nothing amiss was found in 100 epochs.",
    ),
    "good before the end": (
        [],
        known(measured(), 60),
        "healthy",
        "Healthy, after 60 of 100 epochs: all ten classes, classifier FID 3.3, coverage 0.80,"
        " recall 0.60; nothing amiss was found in 60 epochs.",
    ),
    "good after a failure": (
        [PASSED],
        known(measured()),
        "healthy",
        "Recovered: all ten classes, classifier FID 3.3, coverage 0.80, recall 0.60; earlier, mode"
        " collapse in epochs 1 to 7.",
    ),
    "measured early": (
        [],
        ONE,
        "open",
        "Too early to judge, after 3 of 100 epochs and 1,800 updates: so far 1 of 10 classes,"
        " classifier FID 3.3, coverage 0.00, recall 0.00.",
    ),
    "a short run that is complete": (
        [],
        replace(ONE, epochs=3),
        "open",
        "Not there yet, after 3 epochs and 1,800 updates: so far 1 of 10 classes, classifier FID"
        " 3.3, coverage 0.00, recall 0.00; healthy takes all ten classes, coverage of 0.5 and"
        " recall of 0.2.",
    ),
    "a short run that is complete, and not measured": (
        [],
        replace(LATE, step=1_800, epoch=3, epochs=3),
        "open",
        f"Not judged, after 3 epochs and 1,800 updates: {NOT_MEASURED}; {NONE_SHOWS}.",
    ),
    "a run too short for any detector": (
        [],
        replace(ONE, step=900, epochs=3),
        "open",
        "Too early to judge, after 3 epochs and 900 updates: so far 1 of 10 classes, classifier FID"
        " 3.3, coverage 0.00, recall 0.00.",
    ),
    "a short run that is complete, in trouble": (
        [DEAD],
        replace(ONE, epochs=3),
        "doubtful",
        "Take care: dead units since epoch 9; so far 1 of 10 classes, classifier FID 3.3, coverage"
        " 0.00, recall 0.00.",
    ),
    "poor, late, and nobody knows why": (
        [],
        known(measured(1, 0.0, 0.0)),
        "failing",
        "Failing: 1 of 10 classes, classifier FID 3.3, coverage 0.00, recall 0.00; no finding says"
        " why.",
    ),
    "neither good nor poor": (
        [],
        known(measured(8, 0.24, 0.11)),
        "open",
        "Not there yet: 8 of 10 classes (no 8, no 9), classifier FID 3.3, coverage 0.24, recall"
        " 0.11; healthy takes all ten classes, coverage of 0.5 and recall of 0.2.",
    ),
    "one class missing, half way": (
        [],
        known(measured(9), 50),
        "open",
        "Not there yet, after 50 of 100 epochs: 9 of 10 classes (no 9), classifier FID 3.3,"
        " coverage 0.80, recall 0.60; healthy takes all ten classes.",
    ),
    "failing and measured": (
        [COLLAPSE, DEAD],
        known(measured(1, 0.0, 0.0)),
        "failing",
        "Failing: mode collapse since epoch 1 and dead units since epoch 9; 1 of 10 classes,"
        " classifier FID 3.3, coverage 0.00, recall 0.00.",
    ),
    "failing early": (
        [finding("mode-collapse")],
        ONE,
        "failing",
        "Failing, after 3 of 100 epochs: mode collapse since epoch 1; so far 1 of 10 classes,"
        " classifier FID 3.3, coverage 0.00, recall 0.00.",
    ),
    "many findings": (
        [COLLAPSE, finding("c", first_epoch=3), finding("d"), finding("e")],
        LATE,
        "failing",
        f"Failing: mode collapse since epoch 1, c since epoch 3 and two more; {NOT_MEASURED}.",
    ),
    "a warning that lasts": (
        [DEAD],
        known(measured()),
        "doubtful",
        "Take care: dead units since epoch 9; all ten classes, classifier FID 3.3, coverage 0.80,"
        " recall 0.60.",
    ),
    "a warning, and poor": (
        [DEAD],
        known(measured(1, 0.0, 0.0)),
        "failing",
        "Failing: dead units since epoch 9; 1 of 10 classes, classifier FID 3.3, coverage 0.00,"
        " recall 0.00.",
    ),
    "not measured": ([], LATE, "open", f"Not judged: {NOT_MEASURED}; {NONE_SHOWS}."),
    "not measured, and once in trouble": (
        [PASSED],
        LATE,
        "open",
        f"Not judged: {NOT_MEASURED}; earlier, mode collapse in epochs 1 to 7.",
    ),
    "not measured, early": (
        [],
        replace(LATE, step=600, epoch=1),
        "open",
        f"Too early to judge, after 1 of 100 epochs and 600 updates: {NOT_MEASURED}.",
    ),
    "measured long ago": (
        [],
        replace(known(measured(), is_newest=False), measured_epoch=20),
        "open",
        "Not judged: all ten classes, classifier FID 3.3, coverage 0.80, recall 0.60 at epoch 20"
        f" and not measured since (`counterfeit evaluate` does); {NONE_SHOWS}.",
    ),
    "killed after its newest checkpoint": (
        [],
        replace(known(measured()), measured_epoch=99, epoch=99.5),
        "healthy",
        "Healthy, after 99.5 of 100 epochs: all ten classes, classifier FID 3.3, coverage 0.80,"
        " recall 0.60 at epoch 99, its newest checkpoint; nothing amiss was found in 99.5"
        " epochs.",
    ),
    "only the fixed latents, poor": (
        [],
        replace(LATE, latents_classes=[3, -1, 3], latents_epoch=100, data_classes=10),
        "failing",
        "Failing: 1 of 10 classes among the 3 fixed latents; coverage was not measured"
        " (`counterfeit evaluate` does); no finding says why.",
    ),
    "only the fixed latents, varied": (
        [],
        replace(LATE, latents_classes=range(10), latents_epoch=100, data_classes=10),
        "open",
        "Not judged: all ten classes among the 10 fixed latents; coverage was not measured"
        f" (`counterfeit evaluate` does); {NONE_SHOWS}.",
    ),
    "the fixed latents, early, in a run of an earlier version": (
        [],
        replace(LATE, step=900, epoch=2, latents_classes=[1, 2], latents_epoch=1),
        "open",
        "Too early to judge, after 2 of 100 epochs and 900 updates: so far 2 classes among the 2"
        " fixed latents at epoch 1; coverage was not measured (`counterfeit evaluate` does).",
    ),
    "no labels": (
        [],
        known(measured(parzen=150.4), real={"parzen_test_1k": Measurement(240.0, 2.0)}),
        "open",
        "Not judged: Parzen 150 against 240 for real images; neither classes nor coverage"
        f" {CANNOT}; {NONE_SHOWS}.",
    ),
    "no labels, but Inception's features": (
        [],
        known(
            {
                "fid_inception-v3-67_test_1k": Measurement(12.0, 1.0),
                "coverage_inception-v3-67_test_1k": Measurement(0.7, 0.1),
            }
        ),
        "healthy",
        "Healthy: Inception FID 12, coverage 0.70; classes could not be measured (`counterfeit"
        " evaluate` says why); nothing amiss was found in 100 epochs.",
    ),
    "no labels, but a RotNet's features": (
        [],
        known(
            {
                "fid_emoji-rotnet-v1-0123abcd_test_1k": Measurement(4.0, 0.1),
                "coverage_emoji-rotnet-v1-0123abcd_test_1k": Measurement(0.7, 0.1),
            }
        ),
        "healthy",
        "Healthy: RotNet FID 4, coverage 0.70; classes could not be measured (`counterfeit"
        " evaluate` says why); nothing amiss was found in 100 epochs.",
    ),
    "few images": (
        [],
        known(measured(2, None, None, of=2)),
        "open",
        "Not judged: all two classes, classifier FID 3.3; coverage could not be measured"
        f" (`counterfeit evaluate` says why); {NONE_SHOWS}.",
    ),
    "a critic": (
        [],
        known(measured(), has_answers=False),
        "healthy",
        "Healthy: all ten classes, classifier FID 3.3, coverage 0.80, recall 0.60; nothing amiss"
        " was found in 100 epochs; whether D overpowers G is unknown, as its answers are not in"
        " the log.",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_sentence(state: str) -> None:
    findings, evidence, standing, sentence = STATES[state]
    said = verdict(findings, evidence)
    assert said.sentence == sentence
    assert said.standing == standing


@pytest.mark.parametrize(
    ("last", "standing"), [(89.0, "healthy"), (95.0, "doubtful")], ids=["past", "recent"]
)
def test_what_ended_just_now_may_be_back_tomorrow(last: float, standing: str) -> None:
    ended = finding(severity="warning", last_epoch=last, lasts=False)
    assert verdict([ended], known(measured())).standing == standing


numbers = st.floats(0, 1) | st.sampled_from([POOR, HEALTHY_COVERAGE, HEALTHY_RECALL, math.nan])


@st.composite
def findings_and_evidence(draw: st.DrawFn) -> tuple[list[Finding], Evidence]:
    epochs = draw(st.integers(1, 1000))
    epoch = draw(st.floats(0.1, epochs))
    of = draw(st.integers(2, 12))
    metrics = measured(
        draw(st.none() | st.integers(0, of)), draw(st.none() | numbers), draw(numbers), of=of
    )
    some = st.builds(
        finding,
        st.sampled_from(["mode-collapse", "dead-units", "non-finite"]),
        severity=st.sampled_from(SEVERITIES),
        first_epoch=st.just(0.1),
        last_epoch=st.floats(0.1, epoch),
        lasts=st.booleans(),
    )
    found = draw(st.lists(some, max_size=4))
    return sorted(found, key=lambda each: SEVERITIES.index(each.severity)), Evidence(
        step=draw(st.integers(1, 100_000)),
        epoch=epoch,
        epochs=epochs,
        metrics=draw(st.sampled_from([metrics, {}])),
        measured_epoch=draw(st.floats(0, epoch)),
        is_newest=draw(st.booleans()),
        latents_classes=draw(st.none() | st.lists(st.integers(-1, of - 1), max_size=9)),
        latents_epoch=draw(st.floats(0, epoch)),
        data_classes=draw(st.none() | st.just(of)),
        has_answers=draw(st.booleans()),
    )


def value(metrics: Measurements, metric: str) -> float:
    """Of the metric of that name, NaN where there is none."""
    return next(
        (m.value for n, m in metrics.items() if MetricName.parse(n).metric == metric), math.nan
    )


@given(findings_and_evidence())
def test_no_verdict_contradicts_what_it_rests_on(case: tuple[list[Finding], Evidence]) -> None:
    findings, evidence = case
    said = verdict(findings, evidence)
    found, coverage, recall = (
        value(evidence.metrics, metric) for metric in ("classes_found", "coverage", "recall")
    )
    lasting = [each for each in findings if each.lasts and each.severity != "note"]
    classes = sum(MetricName.parse(name).of_class is not None for name in evidence.metrics)

    if said.standing == "healthy":
        assert evidence.is_newest
        assert not lasting
        assert coverage >= HEALTHY_COVERAGE
        assert not recall < HEALTHY_RECALL
        assert math.isnan(found) or found == classes
    assert ("nothing amiss" in said.sentence) <= (said.standing == "healthy")
    assert "well" not in said.sentence
    if any(each.severity == "critical" for each in lasting):
        assert said.standing == "failing"
    if lasting:
        assert lasting[0].span in said.sentence or "more" in said.sentence
        assert said.standing in ("failing", "doubtful")
    if said.standing == "open":
        assert said.sentence.startswith(("Too early to judge", "Not there yet", "Not judged"))
    if found == found:
        whole = f"{found:.0f} of {classes} classes" in said.sentence
        assert whole or (found == classes and "all " in said.sentence)
    if coverage == coverage:
        assert f"coverage {coverage:.2f}" in said.sentence
    else:
        assert "measured" in said.sentence
    assert said.sentence.endswith(".")
    assert "so far so far" not in said.sentence


@given(findings_and_evidence())
def test_a_korean_verdict_has_no_english(case: tuple[list[Finding], Evidence]) -> None:
    with speaking("ko"):
        said = verdict(*case)
    assert said.standing == verdict(*case).standing
    words = re.findall(r"(?<!\d)[A-Za-z]+", re.sub("`[^`]+`", "", said.sentence))
    assert set(words) <= {"D", "G", "FID", "Inception", "Parzen"}
    assert said.sentence.endswith(".")
    assert ".." not in said.sentence


def test_a_korean_verdict_says_all_of_it() -> None:
    with speaking("ko"):
        said = verdict([COLLAPSE, DEAD, DEAD], known(measured(8, 0.24), 50, real=REAL)).sentence
    assert said == (
        "실패(100 에포크 중 50 에포크): 모드 붕괴(1 에포크부터), 죽은 유닛(9 에포크부터) 외 1건."
        " 클래스 10개 중 8개(8 없음, 9 없음), 분류기 FID 3.3(진짜 이미지는 0.6),"
        " 커버리지 0.24(0.95), 재현율 0.60입니다."
    )


@pytest.fixture
def run(small_recipe: recipe.Recipe, tmp_path: Path) -> Run:
    run = Run.create(tmp_path, small_recipe, {"seed": 0, "image_shape": [1, 8, 8]})
    for epoch in (1, 2, 3):
        run.append_log({"step": 11 * epoch, "epoch": epoch, "d_real_q05": 0.5})
    return run


def measure(run: Run, epoch: int, metrics: Measurements) -> None:
    run.append_metrics({"step": 11 * epoch, "epoch": epoch, "metrics": metrics})


def test_a_later_measurement_by_another_protocol_hides_none_of_its_epoch(run: Run) -> None:
    measure(run, 3, measured())
    measure(run, 3, {"parzen_test_40": Measurement(1.0, 0.1)})
    assert judge(run, []).standing == "healthy"
    newest = newest_metrics(run.metrics)
    assert newest is not None
    assert list(newest["metrics"])[:2] == ["parzen_test_40", "fid_x-v1_test_1k"]


def test_classes_are_counted_once_by_however_many_protocols(run: Run) -> None:
    for count in ("1k", "2k"):
        metrics = {name.replace("1k", count): each for name, each in measured(1, 0.0).items()}
        measure(run, 3, metrics)
    assert "so far 1 of 10 classes" in judge(run, []).sentence


def test_real_images_count_under_the_same_protocol_only(run: Run) -> None:
    measure(run, 3, measured())
    run.add_real_scores({"coverage_x-v1_validation_1k": Measurement(0.9, 0.1)})
    assert "against" not in judge(run, []).sentence
    run.add_real_scores({"coverage_x-v1_test_300": Measurement(0.93, 0.1)})
    assert "against 0.93" in judge(run, []).sentence  # of fewer images, where there are no more


def test_a_run_says_what_its_rows_hold(run: Run) -> None:
    assert judge(run, []).sentence.startswith("Too early to judge, after 3 epochs and 33 updates:")
    run.append_vitals({"step": 22, "epoch": 2, "classes": [4, 4, -1], "data_classes": 10})
    assert "so far 1 of 10 classes among the 3 fixed latents at epoch 2" in judge(run, []).sentence
    measure(run, 2, measured())
    assert "at epoch 2 and not measured since" in judge(run, []).sentence
    assert judge(run, []).standing == "open"


def test_what_could_not_be_kept_counts(run: Run) -> None:
    row = {"step": 33, "epoch": 3, "metrics": measured()}
    assert "coverage 0.80 against 0.95" in judge(run, [], metrics=[row], real=REAL).sentence


def test_a_run_that_ended_before_its_first_row_has_failed(empty_run: Run) -> None:
    nan = finding("non-finite", last_step=9, last_epoch=0.8, first_epoch=0.8, lasts=False)
    said = judge(empty_run, [nan])
    assert said.standing == "failing"
    assert said.sentence == (
        f"Failing, after 0.8 of 3 epochs: non finite in epoch 0.8; {NOT_MEASURED}."
    )


def test_a_run_that_never_began(empty_run: Run) -> None:
    assert judge(empty_run, []).sentence == "Nothing to judge yet: this run has not trained."


def test_data_without_classes_have_a_number_of_different_images() -> None:
    few = replace(LATE, latents_support=4.6)
    assert "about 5 different images among the fixed latents" in verdict([], few).sentence
    early = replace(few, step=500, epoch=1)
    assert "so far about 5 different images" in verdict([], early).sentence
    for said in (replace(LATE, latents_support=60.0), replace(few, latents_classes=[1] * 100)):
        assert "different images" not in verdict([], said).sentence


@pytest.mark.parametrize(("accuracy", "opening"), [(0.95, "Healthy"), (0.6, "Not there yet")])
def test_classes_that_were_asked_for_must_be_seen(accuracy: float, opening: str) -> None:
    metrics = measured() | {"class_accuracy_x-v1_1k": Measurement(accuracy, 0.01)}
    sentence = verdict([], known(metrics)).sentence
    assert sentence.startswith(f"{opening}: ")
    assert f"class accuracy {accuracy:.3f}" in sentence
    assert ("healthy takes class accuracy of 0.9" in sentence) == (accuracy < 0.9)


def test_an_evaluation_without_classes_says_how_many_different_images_there_are() -> None:
    metrics = {"support_size_test_1k": Measurement(5.2, 0.1), "parzen_test_1k": Measurement(9, 1)}
    real = {"support_size_test_1k": Measurement(918.4, 80)}
    said = verdict([], known(metrics, real=real)).sentence
    assert "different images 5 against 918 for real images, Parzen 9" in said
    many = metrics | {"support_size_test_1k": Measurement(33_300, 9_000)}
    said = verdict([], known(many, real=real)).sentence
    assert "as many different images as real ones, Parzen 9" in said
    assert "33,300 against" not in said


@pytest.mark.parametrize("column", ["d_real_q05", "score_real_mean"])
def test_answers_are_known_in_whatever_form_they_were_logged(
    column: str, small_run: Run, tmp_path: Path
) -> None:
    """A critic's mean score is enough: no critic overpowers G."""
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    told = ("d_real", "d_fake", "score_")
    rows = [{k: v for k, v in row.items() if not k.startswith(told)} for row in run.log]
    write_rows(run.path / "log.jsonl", rows)
    assert "not in the log" in judge(run, []).sentence
    write_rows(run.path / "log.jsonl", [row | {column: 0.5} for row in rows])
    assert "not in the log" not in judge(run, []).sentence
