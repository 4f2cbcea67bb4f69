from dataclasses import replace

import pytest
from example_record import BROKEN, STEPS, names, record

from counterfeit import recipe
from counterfeit.files import Row
from counterfeit.insight.detectors import Record, examine
from counterfeit.run.rows import Measurement


def test_the_best_kept_checkpoint_is_named() -> None:
    (finding,) = examine(record(signs=BROKEN["best-long-ago"][1]))
    assert (finding.first_epoch, finding.evidence["best_epoch"]) == (4.0, 4.0)
    assert "--epoch 5" in finding.advice  # epochs 3 and 4 are not kept


@pytest.mark.parametrize("kept", [(), (1, 2), (10,)])
def test_no_checkpoint_is_advised_that_is_not_kept_or_not_better(kept: tuple[int, ...]) -> None:
    gone = replace(record(signs=BROKEN["best-long-ago"][1]), kept_epochs=kept)
    advice = {1: "--epoch 2", 10: "Train fewer epochs"}.get(next(iter(kept), 10))
    worse = {"distance": [1.5, 1.2, 0.1, 0.1, 0.1, 0.5, 0.6, 0.7, 0.8, 0.8]}
    (finding,) = examine(gone)
    assert advice in finding.advice
    (finding,) = examine(replace(record(signs=worse), kept_epochs=kept))
    assert "counterfeit sample" not in finding.advice


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


def test_of_two_protocols_that_which_goes_on_decides() -> None:
    before = [
        fid_row(epoch, "validation", fid)
        for epoch, fid in ((2, 20.0), (4, 9.0), (6, 12.0), (8, 30.0), (10, 40.0))
    ]
    since = [
        {
            "step": STEPS * epoch,
            "epoch": epoch,
            "metrics": {"fid_x-v1_validation_2k": Measurement(9.0, 0.1)},
        }
        for epoch in (12, 14, 16)
    ]
    assert names(replace(record(), metrics=before)) == {"best-long-ago"}
    assert names(replace(record(), metrics=[*before, *since])) == set()


def test_a_vitals_row_may_lack_any_of_its_numbers() -> None:
    complete = record(signs=BROKEN["best-long-ago"][1])
    assert names(complete) == {"best-long-ago"}
    for lacking in range(len(complete.vitals)):
        rows = [
            {"step": row["step"], "epoch": row["epoch"]} if at == lacking else row
            for at, row in enumerate(complete.vitals)
        ]
        assert names(replace(complete, vitals=rows)) == {"best-long-ago"}


ODD = {"unlike": 0.9}
SHORT = recipe.load("batchnorm-smoothing").with_values({"training.epochs": 10})


def test_odd_images_are_said_when_they_stay_or_training_ends() -> None:
    assert names(record(signs=ODD)) == set()  # it gets nearer to the data every epoch
    assert names(record(signs=ODD | {"distance": [0.3] * 10})) == {"unlike-real-images"}
    assert names(record(signs=ODD, spec=SHORT)) == {"unlike-real-images"}


def test_odd_images_are_said_where_they_are_neither_near_nor_as_far_as_ever() -> None:
    halfway = record(signs=ODD | {"distance": [0.9] * 10}, spec=SHORT)  # of 1.6 before training
    assert names(halfway) == {"unlike-real-images"}
    assert names(replace(halfway, vitals=halfway.vitals[1:])) == set()  # of who knows how much


def test_odd_images_are_no_news_where_real_ones_are_odd_or_all_is_far() -> None:
    assert names(record(signs=ODD | {"real_unlike": 0.7}, spec=SHORT)) == set()
    far = {"distance": [1.5] * 10}
    assert names(record(signs=ODD | far, spec=SHORT)) == {"no-progress"}


@pytest.mark.parametrize("of_real", [0.0, 0.5, 0.8])
def test_pixels_are_at_an_end_of_those_that_real_images_have_within_the_range(
    of_real: float,
) -> None:
    within = 1 - of_real
    few = {"real_extreme": of_real, "extreme": of_real + 0.2 * within}
    assert names(record(signs=few)) == set()
    assert names(record(signs=few | {"extreme": of_real + 0.3 * within})) == {"saturated-outputs"}


def test_young_generators_may_be_saturated() -> None:
    early = record(signs={"extreme": [0.99] * 3 + [0.7] * 7})
    assert names(early) == {"saturated-outputs"}
    young = [row | {"step": row["step"] // 4} for row in early.vitals]  # over after 225 updates
    assert names(replace(early, vitals=young)) == set()
