"""Detectors on series whose answer is known."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.files import Row
from counterfeit.insight import detectors
from counterfeit.insight.detectors import DETECTORS, Record, Spell, examine, last_spell
from counterfeit.insight.diagnose import read
from counterfeit.insight.figures import FIGURES
from counterfeit.run import Run
from counterfeit.run.rows import Measurement

STEPS = 300
"""Updates in an epoch of these tests: enough for a generator to be judged after the first."""

HEALTHY_LOG = {
    "d_loss": 0.5, "g_loss": 1.5, "d_real_mean": 0.7, "d_fake_mean": 0.3, "d_real_q05": 0.2,
    "d_fake_q95": 0.6, "d_grad_norm": 1.0, "g_grad_norm": 2.0,
}  # fmt: skip
HEALTHY_SIGNS = {
    "spread": 0.8, "moved": 0.4, "extreme": 0.7, "real_extreme": 0.8, "repeated": 0.01,
    "data_repeated": 0.0, "g_dead": 0.1, "batchnorm_gap": 0.1, "copied": 1.0, "d_knows": 0.52,
    "d_generated": 0.3, "d_training": 0.7, "d_held_out": 0.69,
}  # fmt: skip


def record(
    epochs: int = 10,
    log: dict[str, Any] | None = None,
    signs: dict[str, Any] | None = None,
    spec: recipe.Recipe | None = None,
) -> Record:
    """A run that gets better all the time, but for the given values; a list has one an epoch."""

    def rows(healthy: dict[str, Any], other: dict[str, Any] | None) -> list[Row]:
        values = healthy | (other or {})
        return [
            {"step": STEPS * epoch, "epoch": float(epoch)}
            | {k: v[epoch - 1] if isinstance(v, list) else v for k, v in values.items()}
            for epoch in range(1, epochs + 1)
        ]

    nearer = {"distance": [1 / epoch for epoch in range(1, epochs + 1)]}
    first = {"step": 0, "epoch": 0, "distance": 1.6, "spread": 0.02, "data_repeated": 0.0}
    return Record(
        spec or recipe.load("batchnorm-smoothing"),
        rows(HEALTHY_LOG, log),
        [first, *rows(HEALTHY_SIGNS | nearer, signs)],
        kept_epochs=(1, 2, 5, 9, 10),
    )


def names(found: Record) -> set[str]:
    return {finding.name for finding in examine(found)}


BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "discriminator-overpowering": ({"d_real_q05": 0.99, "d_fake_q95": 0.01}, {}),
    "garbage-passes": ({"d_real_mean": 0.5, "d_fake_mean": 0.5}, {"distance": [1.1] * 10}),
    "mode-collapse": ({}, {"spread": 0.05}),
    "partial-mode-collapse": ({}, {"repeated": 0.25, "spread": 0.6}),
    "mode-hopping": ({}, {"moved": 1.1}),
    "no-progress": ({}, {"distance": [1.5] * 10}),
    "saturated-outputs": ({}, {"extreme": 0.99}),
    "best-long-ago": ({}, {"distance": [0.5, 0.3, 0.1, 0.1, 0.1, 0.5, 0.6, 0.7, 0.8, 0.8]}),
    "gradient-explosion": ({"g_grad_norm": 500.0}, {}),
    "dead-units": ({}, {"g_dead": 0.9}),
    "discriminator-overfitting": ({}, {"d_knows": 0.9, "d_held_out": 0.2}),
    "memorisation": ({}, {"copied": 0.1}),
    "batchnorm-gap": ({}, {"batchnorm_gap": 0.9}),
    "broken-data": ({}, {"data_repeated": 0.5}),
}


def test_a_healthy_run_has_no_findings() -> None:
    assert examine(record()) == []


def test_a_run_that_has_just_begun_has_no_findings() -> None:
    spec = recipe.load("sgd")
    assert examine(Record(spec, [])) == []
    assert examine(Record(spec, [{"step": 100, "epoch": 0.2, **HEALTHY_LOG}])) == []


@pytest.mark.parametrize("name", DETECTORS)
def test_each_failure_is_found_and_explained(name: str) -> None:
    log, signs = BROKEN[name]
    (finding,) = (f for f in examine(record(log=log, signs=signs)) if f.name == name)
    assert finding.severity in ("critical", "warning")
    assert 0 <= finding.first_step <= finding.last_step == 10 * STEPS
    assert finding.first_epoch <= finding.last_epoch == 10
    assert finding.evidence["figure"] in FIGURES
    assert len(finding.evidence) > 1
    assert finding.meaning.endswith(".")
    assert finding.advice
    assert finding.source


@pytest.mark.parametrize("name", DETECTORS)
def test_the_columns_that_a_detector_names_are_enough(name: str) -> None:
    """And without one that it needs it is silent: rows may come from another loop."""
    detector = DETECTORS[name]
    log, signs = BROKEN[name]
    broken = record(log=log, signs=signs)
    assert name in names(only(broken, {*detector.needs, *detector.one_of}))
    for missing in detector.needs or [detector.one_of]:
        absent = {missing} if isinstance(missing, str) else set(missing)
        assert name not in names(only(broken, broken.columns - absent))


def only(found: Record, columns: Iterable[str]) -> Record:
    """What is left of a record that has these columns alone."""
    kept = {"step", "epoch", "classes", *columns}
    log, vitals = (
        [{key: value for key, value in row.items() if key in kept} for row in rows]
        for rows in (found.log, found.vitals)
    )
    return replace(found, log=log, vitals=vitals)


def test_a_vitals_row_may_lack_any_of_its_numbers() -> None:
    complete = record(signs=BROKEN["best-long-ago"][1])
    assert names(complete) == {"best-long-ago"}
    for lacking in range(len(complete.vitals)):
        rows = [
            {"step": row["step"], "epoch": row["epoch"]} if at == lacking else row
            for at, row in enumerate(complete.vitals)
        ]
        assert names(replace(complete, vitals=rows)) == {"best-long-ago"}


def test_a_norm_that_nobody_logged_is_no_explosion() -> None:
    healthy = record()
    assert names(only(healthy, healthy.columns - {"d_grad_norm"})) == set()
    exploded = record(log={"g_grad_norm": 500.0})
    assert names(only(exploded, {"g_grad_norm"})) == {"gradient-explosion"}


@pytest.fixture(scope="module")
def real(small_run: Run) -> Record:
    return read(small_run)


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, "low", [], [1, "x", 10**12], {}, True, -1, 10**30, -2.5e38, 1e-300]
)


@settings(max_examples=50)
@given(st.data())
def test_a_run_is_diagnosed_as_far_as_its_rows_go(real: Record, some: st.DataObject) -> None:
    broken = [record(log=log, signs=signs) for log, signs in BROKEN.values()]
    whole = some.draw(st.sampled_from([real, *broken]))
    present = sorted({*whole.columns, "classes"} - {"step", "epoch"})
    dropped = some.draw(st.sets(st.sampled_from(present)))
    rows = [
        {key: value for key, value in row.items() if key not in dropped}
        for row in (*whole.log, *whole.vitals)
    ]
    for _ in range(some.draw(st.integers(0, 5))):
        row = some.draw(st.sampled_from(rows))
        if keys := sorted(row.keys() - {"step", "epoch"}):
            row[some.draw(st.sampled_from(keys))] = some.draw(ODD)
    part = replace(whole, log=rows[: len(whole.log)], vitals=rows[len(whole.log) :])
    for finding in examine(part):
        detector = DETECTORS[finding.name]
        assert part.columns.issuperset(detector.needs)
        assert not detector.one_of or part.columns & {*detector.one_of}
        assert not dropped & finding.evidence.keys()


def test_what_has_passed_is_milder() -> None:
    won = {"d_real_q05": [0.99] * 5 + [0.2] * 5, "d_fake_q95": [0.01] * 5 + [0.6] * 5}
    (finding,) = examine(record(log=won))
    assert (finding.severity, finding.last_epoch) == ("warning", 5.0)
    assert "has passed" in finding.meaning


def test_one_epoch_is_no_failure() -> None:
    won = {"d_real_q05": [0.2, 0.99] * 5, "d_fake_q95": [0.6, 0.01] * 5}
    assert examine(record(log=won)) == []


def test_the_minimax_loss_is_named_as_the_reason() -> None:
    spec = recipe.load("sgd").with_overrides(["loss.generator=minimax"])
    (finding,) = examine(record(log=BROKEN["discriminator-overpowering"][0], spec=spec))
    assert "log(1 - D(G(z)))" in finding.meaning
    assert "non-saturating" in finding.advice


def test_a_generator_that_has_not_moved_yet_has_not_collapsed() -> None:
    still = {"spread": 0.02, "moved": 0.001, "distance": [0.4] * 10}
    undecided = {"d_real_mean": 0.5, "d_fake_mean": 0.5, "d_real_q05": 0.5, "d_fake_q95": 0.5}
    assert names(record(log=undecided, signs=still)) == set()


def test_one_class_is_a_partial_collapse_only_when_it_stays() -> None:
    ones = {"classes": [[1] * 50 + [-1] * 50] * 10}
    assert names(record(signs=ones)) == set()
    assert names(record(signs=ones | {"distance": [0.3] * 10})) == {"partial-mode-collapse"}


def test_classes_that_change_are_hopping() -> None:
    classes = [[(epoch + latent) % 10 for latent in range(100)] for epoch in range(10)]
    assert names(record(signs={"classes": classes})) == {"mode-hopping"}


def test_nan_is_an_explosion() -> None:
    assert "gradient-explosion" in names(record(log={"d_grad_norm": [1.0] * 8 + [None] * 2}))


def test_the_best_kept_checkpoint_is_named() -> None:
    (finding,) = examine(record(signs=BROKEN["best-long-ago"][1]))
    assert (finding.first_epoch, finding.evidence["best_epoch"]) == (4.0, 4.0)
    assert "--epoch 5" in finding.advice  # epochs 3 and 4 are not kept


def fid_row(epoch: int, split: str, fid: float) -> Row:
    metrics = {f"fid_x-v1_{split}_10k": Measurement(fid, 0.1)}
    return {"step": STEPS * epoch, "epoch": epoch, "metrics": metrics}


def test_fid_decides_about_the_best_epoch_where_it_was_measured() -> None:
    metrics = [
        fid_row(epoch, "validation", fid)
        for epoch, fid in ((2, 20.0), (4, 9.0), (6, 12.0), (8, 30.0), (10, 40.0))
    ]
    run = record()
    found = examine(Record(run.recipe, run.log, run.vitals, metrics, run.kept_epochs))
    assert [finding.name for finding in found] == ["best-long-ago"]
    assert "fid_x-v1_validation_10k" in found[0].evidence


@pytest.mark.parametrize("on_test", [1, 3])
def test_a_later_measurement_by_another_protocol_hides_no_series(on_test: int) -> None:
    metrics = [
        fid_row(epoch, "validation", fid)
        for epoch, fid in ((2, 20.0), (4, 9.0), (6, 12.0), (8, 30.0), (10, 40.0))
    ]
    later = [fid_row(epoch, "test", 41.0) for epoch in (6, 8, 10)[-on_test:]]
    found = examine(replace(record(), metrics=[*metrics, *later]))
    assert [finding.name for finding in found] == ["best-long-ago"]
    assert "fid_x-v1_validation_10k" in found[0].evidence


def test_a_record_until_an_epoch_knows_nothing_later() -> None:
    log, signs = BROKEN["mode-collapse"]
    whole = record(log=log, signs=signs)
    assert names(whole.until(1)) == set()
    assert "mode-collapse" in names(whole.until(2))
    assert whole.until(4).kept_epochs == [1, 2]


@pytest.mark.parametrize(
    ("holds", "least", "spell"),
    [
        ([], 1, None),
        ([0, 0], 1, None),
        ([1, 1], 1, Spell(0, 1, lasts=True)),
        ([1, 1, 0], 2, Spell(0, 1, lasts=False)),
        ([1, 1, 0, 1], 2, Spell(0, 1, lasts=False)),
        ([0, 1, 0, 1, 1], 2, Spell(3, 4, lasts=True)),
        ([1, 0, 1], 2, None),
    ],
)
def test_last_spell(holds: list[int], least: int, spell: Spell | None) -> None:
    assert last_spell(np.array(holds, bool), least) == spell


def test_top_share_and_changed_share() -> None:
    assert math.isnan(detectors.top_share([1] * 19))
    assert detectors.top_share([1] * 15 + [2] * 5 + [-1] * 80) == 0.75
    assert math.isnan(detectors.changed_share([1] * 9, [2] * 9))
    assert detectors.changed_share([1] * 20, [1] * 10 + [2] * 5 + [-1] * 5) == pytest.approx(1 / 3)


def test_an_average_that_still_gets_nearer_has_not_collapsed() -> None:
    alike = {"spread": 0.05}
    averaged = recipe.load("paper-averaged")
    assert names(record(signs=alike, spec=averaged)) == set()
    assert "mode-collapse" in names(record(signs=alike))
    stuck = alike | {"distance": [0.4] * 10}
    assert "mode-collapse" in names(record(signs=stuck, spec=averaged))
