"""What trackers are given is what the run's files say."""

import logging
import math
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import Z, networks, play
from tensorboardX.proto.event_pb2 import Event

import counterfeit
from counterfeit.errors import UsageError
from counterfeit.recipe import Recipe
from counterfeit.run import Run
from counterfeit.tracking import Tracker


def events(run: Run) -> Iterator[Event]:
    """Of the run's one file: length (8 bytes), checksum (4), event, checksum (4), and so on."""
    (path,) = (run.path / "tensorboard").glob("events.out.tfevents.*")
    content = path.read_bytes()
    while content:
        length = int.from_bytes(content[:8], "little")
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def scalars(run: Run) -> dict[str, dict[int, float]]:
    """By name, and by step."""
    found: dict[str, dict[int, float]] = {}
    for event in events(run):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                assert event.step not in found.setdefault(value.tag, {}), value.tag
                found[value.tag][event.step] = value.simple_value
    return found


def expected(run: Run) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    kinds = {
        "training": run.log,
        "vitals": run.vitals,
        "quality": [
            {"step": row["step"]} | {name: pair[0] for name, pair in row["metrics"].items()}
            for row in run.metrics
        ],
    }
    for kind, rows in kinds.items():
        for row in rows:
            for name, value in row.items():
                if name != "step" and isinstance(value, int | float):
                    found.setdefault(f"{kind}/{name}", {})[row["step"]] = value
    return found


def agree(run: Run) -> bool:
    written, kept = scalars(run), expected(run)
    return written.keys() == kept.keys() and all(
        written[name].keys() == kept[name].keys()
        and all(
            math.isclose(written[name][step], value, rel_tol=1e-5, abs_tol=1e-30)
            or (math.isnan(value) and math.isnan(written[name][step]))
            for step, value in kept[name].items()
        )
        for name in kept
    )


def test_event_files_have_all_rows(tiny: Recipe, tmp_path: Path) -> None:
    run = counterfeit.train(tiny, out=tmp_path, log_to="tensorboard")
    assert {"training/d_loss", "training/g_loss", "vitals/spread"} <= scalars(run).keys()
    assert agree(run)


def test_a_run_that_goes_on_has_one_file_with_all_rows(tiny: Recipe, tmp_path: Path) -> None:
    run = counterfeit.train(tiny, out=tmp_path, log_to="tensorboard")
    again = counterfeit.resume(run, epochs=3, log_to="tensorboard")
    assert len(scalars(again)["vitals/spread"]) == len(again.vitals) == 4
    assert agree(again)


def test_metrics_and_findings(tiny: Recipe, tmp_path: Path) -> None:
    run = counterfeit.train(tiny, out=tmp_path)
    step = run.log[-1]["step"]
    run.append_metrics({"step": step, "epoch": 2.0, "metrics": {"fid_1k": (5.0, 0.1)}})  # type: ignore[typeddict-item]
    run.append_finding({"step": step, "epoch": 2.0, "name": "mode-collapse", "meaning": "Bad."})
    tracker = Tracker("tensorboard")
    tracker(run, 2)
    tracker(run, 2)  # nothing is new
    tracker.close()
    assert scalars(run)["quality/fid_1k"] == {step: 5.0}
    texts = [
        value.tensor.string_val[0].decode()
        for event in events(run)
        for value in event.summary.value
        if value.HasField("tensor")
    ]
    assert any("mode-collapse" in text and "Bad." in text for text in texts)


def test_where_training_went_back_no_other_past_stays(tiny: Recipe, tmp_path: Path) -> None:
    run = counterfeit.train(tiny, out=tmp_path)
    tracker = Tracker("tensorboard")
    tracker(run, 2)
    first = run.checkpoint_steps[0]
    run.rewind(first, 1)
    evidence = {"rolled_back_to": first}
    run.append_finding({"step": first, "epoch": 1.0, "name": "nan", "evidence": evidence})
    assert run.rollbacks == [first]
    tracker(run, 1)
    tracker.close()
    assert len(scalars(run)["training/d_loss"]) == len(run.log) < 2 * first
    assert agree(run)


def test_a_loop_that_is_not_ours(tmp_path: Path) -> None:
    G, D = networks()
    with counterfeit.Monitor(
        G, D, data="digits", latents=torch.randn(10, Z), d_outputs="logits", out=tmp_path,
        quiet=True, log_to="tensorboard",
    ) as monitor:  # fmt: skip
        play(G, D, update=monitor.update, epoch=monitor.epoch)
    assert agree(Run.open(monitor.run.path))


class FakeTrackio(types.ModuleType):
    def __init__(self) -> None:
        super().__init__("trackio")
        self.begun: list[dict[str, Any]] = []
        self.rows: list[tuple[dict[str, Any], int]] = []
        self.finished = 0

    def init(self, **given: Any) -> None:
        self.begun.append(given)

    def log(self, values: dict[str, Any], step: int) -> None:
        self.rows.append((values, step))

    def finish(self) -> None:
        self.finished += 1


def test_trackio_is_given_the_same(tiny: Recipe, tmp_path: Path, monkeypatch) -> None:
    trackio = FakeTrackio()
    monkeypatch.setitem(sys.modules, "trackio", trackio)
    run = counterfeit.train(tiny, out=tmp_path, log_to="trackio")
    (begun,) = trackio.begun
    assert (begun["project"], begun["name"]) == ("counterfeit", run.path.name)
    assert begun["config"]["recipe"] == "batchnorm-smoothing"
    name = "training/d_loss"
    logged = {step: values[name] for values, step in trackio.rows if name in values}
    assert logged == {row["step"]: row["d_loss"] for row in run.log}
    assert trackio.finished == 1


def test_a_tracker_that_fails_stops_no_training(
    tiny: Recipe, tmp_path: Path, monkeypatch, caplog
) -> None:
    trackio = FakeTrackio()
    monkeypatch.setattr(trackio, "log", lambda *given, **named: 1 / 0)
    monkeypatch.setitem(sys.modules, "trackio", trackio)
    with caplog.at_level(logging.WARNING, "counterfeit"):
        run = counterfeit.train(tiny, out=tmp_path, log_to="trackio")
    assert run.log[-1]["epoch"] == 2
    said = [each for each in caplog.messages if "trackio gets no more rows" in each]
    assert len(said) == 1


def test_what_is_absent_is_said_before_anything_is_trained(
    tiny: Recipe, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(UsageError, match="this needs trackio: `pip install trackio` brings it"):
        counterfeit.train(tiny, out=tmp_path / "new", log_to="trackio")
    with pytest.raises(UsageError, match="log_to must be 'tensorboard' or 'trackio', not 'wandb'"):
        counterfeit.train(tiny, out=tmp_path / "new", log_to="wandb")  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
