"""Rows: what is written is what `run.rows` defines, each column of it."""

import pytest

from counterfeit import recipe
from counterfeit.insight.diagnose import Watch
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import (
    ForeignColumns,
    HeadColumns,
    LeftOut,
    LogRow,
    Measurement,
    MetricsRow,
    PenaltyColumns,
    ScoreColumns,
    VitalsRow,
)
from counterfeit.training import loop
from counterfeit.training.soundness import NonFinite


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An examined run with BatchNorm in G and maxout in D."""
    spec = recipe.load("batchnorm-smoothing").with_overrides(
        ["data.name=digits", "generator.hidden=[16]", "discriminator.hidden=[16]",
         "discriminator.activation=maxout", "discriminator.dropout=0.5",
         "training.batch_size=64", "training.epochs=1"]
    )  # fmt: skip
    out = tmp_path_factory.mktemp("runs")
    return loop.train(spec, out=out, on_epoch=[Watch(stop_on_critical=False)])


def test_a_row_of_the_log_has_every_column_and_no_other(trained: Run) -> None:
    (row,) = trained.log
    others = {
        key for of in (ScoreColumns, PenaltyColumns, HeadColumns) for key in of.__annotations__
    }
    others |= {"augmented"}  # of critics, penalties and adaptive augmentation
    assert row.keys() == LogRow.__annotations__.keys() - others


def test_vital_signs_have_the_columns_that_apply(trained: Run) -> None:
    columns = VitalsRow.__annotations__.keys()
    seen = {key for row in trained.vitals for key in row}
    assert seen <= columns
    others = {"classes", "data_classes", "d_dead"}  # no classifier of digits, no rectifier in D
    of_critics = {"score_training", "score_held_out", "score_generated"}
    of_classes = {"asked", "class_agreement", "class_spread", "least_class_spread"}
    foreign = ForeignColumns.__annotations__.keys()
    assert columns - seen <= others | of_critics | of_classes | foreign


def test_an_evaluation_comes_back_as_it_was(copy: Run) -> None:
    row: MetricsRow = {
        "step": 22,
        "epoch": 1.0,
        "metrics": {"fid": Measurement(3.5, 0.25), "p": Measurement(0.5, None)},
        "left_out": [LeftOut(("kid", "copies"), "no images")],
    }
    copy.append_metrics(row)
    assert copy.metrics == [row]
    assert row.keys() == MetricsRow.__annotations__.keys()


def test_rows_of_other_versions_say_less(copy: Run) -> None:
    copy.append_metrics({"step": 22, "epoch": 1.0, "metrics": {}})
    words = [3, ["fid", "why"], [["fid"], "so"]]
    copy.append_metrics({"step": 22, "epoch": 1.0, "metrics": {}, "left_out": words})  # type: ignore
    assert "left_out" not in copy.metrics[0]
    assert copy.metrics[1]["left_out"] == [LeftOut(("fid",), "so")]


def test_what_training_and_diagnosis_say_are_findings(copy: Run) -> None:
    copy.append_finding(NonFinite(["generator.hidden.0.weight"], 3, 4, 2).row)
    for row in copy.findings:
        assert Finding.from_row(row).as_row(row["step"], row["epoch"]) == row
