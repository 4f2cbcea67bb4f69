"""What the browser's charts are made of."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_finding import finding
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.files import write_rows
from counterfeit.insight.charts import TIMELINES
from counterfeit.insight.report import write_report
from counterfeit.insight.report.curves import POINTS, SUBJECTS, Chart, overlaid, thinned
from counterfeit.run import Run
from counterfeit.run.rows import HeadColumns, Measurement
from counterfeit.training import loop

NONE: list[Any] = [[], [], []]


@given(st.integers(1, 3000), st.integers(1, 7), st.integers(0, 2**31))
def test_a_thinned_line_keeps_its_extremes_and_its_order(rows: int, each: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    epochs, values = np.arange(1, rows + 1) / each, rng.standard_normal(rows)
    values[rng.random(rows) < 0.1] = np.nan
    kept = thinned(epochs, values, most=60)
    assert len(kept) <= 60
    assert np.all(np.diff(kept) > 0)
    if rows <= 60:
        assert len(kept) == rows
    if np.isfinite(values).any():
        assert {np.nanargmin(values), np.nanargmax(values)} <= set(kept)


def test_a_thinned_line_keeps_every_epochs_end_where_they_are_few() -> None:
    epochs = np.arange(1, 1001) / 10
    kept = thinned(epochs, np.sin(epochs))
    assert len(kept) <= POINTS
    assert set(range(1, 101)) <= set(epochs[kept])


def named(charts: list[Chart]) -> dict[str, list[str]]:
    return {chart.title: [line.name for line in chart.lines] for chart in charts}


def test_a_run_alone_has_related_lines_in_one_chart(small_run: Run) -> None:
    mean, last = overlaid("losses", [small_run], ["a"], NONE)
    assert [line.name for line in mean.lines] == ["D", "G"]
    assert mean.lines[0].y == [float(f"{row['d_loss']:.4g}") for row in small_run.log]
    assert mean.lines[0].x == pytest.approx([row["epoch"] for row in small_run.log])
    assert last.lines[1].y[-1] == float(f"{small_run.log[-1]['g_loss_last']:.4g}")
    assert len({line.colour for line in mean.lines}) == 2
    assert named(overlaid("metrics", [small_run], ["a"], NONE)) == {
        "FID, lower is better": ["FID"],
        "Precision to coverage": ["precision", "recall", "density", "coverage"],
    }


def test_runs_are_overlaid_a_quantity_a_chart_in_their_own_colours(small_run: Run) -> None:
    for subject in SUBJECTS.keys() - {"scores", "penalties", "heads"}:
        charts = overlaid(subject, [small_run, small_run], ["a", "b"], NONE)
        assert len(charts) >= 2
        for chart in charts:
            assert [line.name for line in chart.lines] == ["a", "b"]
            assert [line.colour for line in chart.lines] == ["run-1", "run-2"]
            assert len(chart.levels) <= 1  # that of both, once
    answers = overlaid("outputs", [small_run, small_run], ["a", "b"], NONE)
    assert [chart.title for chart in answers] == ["D(x)", "D(G(z))"]
    (line, _) = answers[0].lines
    assert line.low is not None
    assert line.low[0] == float(f"{small_run.log[0]['d_real_q25']:.4g}")


def test_a_critics_scores_are_drawn_and_its_gap(small_run: Run, tmp_path: Path) -> None:
    critic = Run(shutil.copytree(small_run.path, tmp_path / "critic"))
    keys = [f"score_{of}_q{q}" for of in ("real", "fake") for q in (25, 50, 75)]
    rows = [
        {"step": row["step"], "epoch": row["epoch"], "score_gap": 7.0} | dict.fromkeys(keys, 3.0)
        for row in small_run.log
    ]
    write_rows(critic.path / "log.jsonl", rows)
    assert named(overlaid("scores", [critic], ["a"], NONE)) == {
        "Higher is more like the data": ["f(x)", "f(G(z))"],
        "Mean f(x) − f(G(z))": ["gap"],
    }
    assert overlaid("outputs", [critic], ["a"], NONE) == []


def test_a_lazy_penalty_is_one_line(small_run: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(small_run.path, tmp_path / "penalised"))
    first, second, third = ({"step": n, "epoch": n} for n in (1, 2, 3))
    rows = [first | {"penalty_r1": 0.5}, second, third | {"penalty_r1": 0.25}]
    write_rows(run.path / "log.jsonl", rows)
    ((line,),) = (chart.lines for chart in overlaid("penalties", [run], ["a"], NONE))
    assert (line.name, line.x, line.y) == ("r1", [1, 3], [0.5, 0.25])


def test_every_timeline_is_drawn_by_the_browser_too() -> None:
    assert set(SUBJECTS) == set(TIMELINES)


def test_what_a_run_has_not_is_left_out(small_run: Run, empty_run: Run, tmp_path: Path) -> None:
    bare = Run(shutil.copytree(small_run.path, tmp_path / "bare"))
    rows = [{key: row[key] for key in ("step", "epoch", "g_loss")} for row in small_run.log]
    write_rows(bare.path / "log.jsonl", rows)
    for subject in ("outputs", "gradients"):
        assert overlaid(subject, [bare], ["a"], NONE) == []
    assert [len(chart.lines) for chart in overlaid("losses", [bare], ["a"], NONE)] == [1]
    for subject in SUBJECTS:
        assert overlaid(subject, [empty_run], ["a"], NONE) == []


def test_what_is_not_finite_is_a_gap_in_json(small_run: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    rows = [dict(row) for row in small_run.log]
    rows[1]["d_loss"] = None
    rows[1]["g_grad_norm"] = 0.0
    write_rows(run.path / "log.jsonl", rows)
    for subject, at in (("losses", 0), ("gradients", 1)):
        chart = overlaid(subject, [run], ["a"], NONE)[0]
        assert chart.lines[at].y[1] is None
        json.dumps(chart.as_json(), allow_nan=False)


def test_only_what_was_measured_alike_shares_a_chart(small_run: Run, tmp_path: Path) -> None:
    other = Run(shutil.copytree(small_run.path, tmp_path / "other"))
    (other.path / "metrics.jsonl").unlink()
    for epoch in (1, 2):
        fid = {"fid_digits-v1_test_10k": [9.0, 0.5]}
        other.append_metrics({"step": epoch, "epoch": epoch, "metrics": fid})
    other.add_real_scores({"fid_digits-v1_test_1k": Measurement(0.25, 0.1)})
    charts = overlaid("metrics", [small_run, other], ["a", "b"], NONE)
    fids = [chart for chart in charts if chart.title.startswith("FID")]
    assert [[line.name for line in chart.lines] for chart in fids] == [["a"], ["b"]]
    assert fids[0].protocol != fids[1].protocol
    assert fids[1].levels[0]["value"] == 0.25  # of fewer real images
    assert fids[1].lines[0].low == [8.0, 8.0]


def test_findings_are_marked_by_run(small_run: Run) -> None:
    found = [[finding(first_epoch=2)], [], []]
    (chart, *_) = overlaid("losses", [small_run, small_run], ["a", "b"], found)
    assert chart.marks == [
        {
            "key": "run-1", "run": "a", "title": "mode collapse", "colour": "run-1",
            "start": 2, "end": 3,
        }
    ]  # fmt: skip
    (alone, *_) = overlaid("losses", [small_run], ["a"], found)
    assert (alone.marks[0]["key"], alone.marks[0]["colour"]) == ("", "bad")


def test_levels_that_differ_have_their_lines_colours(small_run: Run, tmp_path: Path) -> None:
    plain = Run(shutil.copytree(small_run.path, tmp_path / "plain"))
    recipe = small_run.recipe.with_values({"loss.real_labels": [1.0, 1.0]})
    (plain.path / "recipe.toml").write_text(recipe.to_toml())
    (chart, *_) = overlaid("losses", [small_run, plain], ["a", "b"], NONE)
    assert [level["colour"] for level in chart.levels] == ["run-1", "run-2"]
    assert chart.levels[1]["value"] == pytest.approx(math.log(2), abs=1e-4)


@pytest.mark.parametrize("name", ["sgd", "wgan-gp", "conditional", "acgan", "infogan"])
def test_each_chart_has_its_place_whatever_the_recipe_logs(
    name: str, tmp_path: Path, blank_charts: None
) -> None:
    """One without would stop all scripts of the page."""
    small = {"data.name": "digits", "data.train_images": 256, "training.batch_size": 16}
    if name != "sgd":
        small |= {"generator.channels": 4, "discriminator.channels": 4}
    run = loop.train(recipe.load(name).with_values(small), epochs=1, out=tmp_path)
    page = write_report([run]).read_text()
    (drawn,) = re.findall(r'<script type="application/json" id="curves">(.*?)</script>', page)
    boxes = re.findall(r'id="curve-(\d+)"', page)
    assert list(map(int, boxes)) == list(range(len(json.loads(drawn))))
    logged = {key for key in run.log[-1] if key.startswith("penalty_")}
    heads = logged & HeadColumns.__annotations__.keys()
    assert ('id="heads"' in page) == bool(heads)
    assert ('id="penalties"' in page) == bool(logged - heads)
    for charts in overlaid("heads", [run], ["a"], NONE), overlaid("heads", [run] * 2, "ab", NONE):
        assert [level["name"] for chart in charts for level in chart.levels] == [
            "guessing" for _ in heads
        ]
