"""Run directories: what is not one is refused, what is damaged is named."""

import io
import json
import math
import shutil
import struct
import zipfile
from pathlib import Path

import pytest
import torch

import counterfeit
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.run import Run, rows
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.rows import Measurement
from counterfeit.training import loop


def test_no_run_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Run.open(tmp_path / "absent")
    with pytest.raises(UsageError, match="is not a run directory"):
        Run.open(tmp_path)


def test_a_run_without_checkpoint_says_so(tmp_path) -> None:
    run = Run.create(
        tmp_path, counterfeit.load_recipe("sgd"), {"seed": 0, "image_shape": [1, 8, 8]}
    )
    with pytest.raises(CounterfeitError, match="no checkpoint yet"):
        run.sample(1)
    assert run.log == []
    assert run.snapshot_epochs == []


def test_two_runs_of_one_second_do_not_meet(tmp_path) -> None:
    spec, facts = counterfeit.load_recipe("sgd"), {"seed": 0, "image_shape": [1, 8, 8]}
    assert len({Run.create(tmp_path, spec, facts).path for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("environment.json", b"{"),
        ("environment.json", json.dumps({"seed": 0}).encode()),
        ("recipe.toml", b"name = "),
        ("recipe.toml", b"name = 'x'"),
        ("snapshots/epoch-0001.npz", b"not a zip file"),
    ],
)
def test_damage_is_named(trained: Run, tmp_path, name: str, content: bytes) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained.path, copy)
    (copy / name).write_bytes(content)

    def read() -> None:
        run = Run.open(copy)
        run.sample(1)
        run.snapshot(1)

    with pytest.raises(CounterfeitError, match=name.split("/")[-1]):
        read()


def test_the_newest_run_is_found(trained: Run, tmp_path) -> None:
    with pytest.raises(UsageError, match="no run in"):
        Run.latest(tmp_path)
    runs = [
        Run.create(tmp_path, trained.recipe, {**trained.environment, "created": created})
        for created in ("2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00")
    ]
    (tmp_path / "no-run").mkdir()
    assert Run.latest(tmp_path).path == runs[1].path


def test_a_run_that_could_not_be_created_leaves_nothing(trained: Run, tmp_path) -> None:
    with pytest.raises(TypeError):
        Run.create(tmp_path, trained.recipe, trained.environment | {"object": object()})
    assert not list(tmp_path.iterdir())


def spoil(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if how == "cut" else b"\0" * len(content))


@pytest.fixture
def damaged(trained: Run, tmp_path, request: pytest.FixtureRequest) -> Run:
    """A run of two checkpoints, the newer one damaged."""
    run = Run.open(shutil.copytree(trained.path, tmp_path / "copy"))
    loop.resume(run.path, epochs=3)
    spoil(run.path / "checkpoints" / f"step-{33:08d}.{request.param[0]}", request.param[1])
    return run


DAMAGE = [(suffix, how) for suffix in ("safetensors", "json") for how in ("cut", "zeros")]


@pytest.mark.parametrize("damaged", [*DAMAGE, ("safetensors", "gone")], indirect=True)
def test_a_damaged_checkpoint_is_named_and_set_aside(damaged: Run, caplog) -> None:
    newest = damaged.path / "checkpoints" / "step-00000033.json"
    assert damaged.checkpoint().step == 22
    assert "step-00000033" in caplog.text
    assert newest.exists()  # who reads does not move it

    left = {path.name: path.read_bytes() for path in newest.parent.glob("step-*33*")}
    log = damaged.log
    caplog.clear()
    loop.resume(damaged.path)
    assert "It is set aside in" in caplog.text
    assert left == {path.name: path.read_bytes() for path in (newest.parent / "damaged").iterdir()}
    assert damaged.checkpoint().step == 33
    speed = "images_per_second"
    assert [row | {speed: 0} for row in damaged.log] == [row | {speed: 0} for row in log]


def test_a_run_with_no_sound_checkpoint_starts_anew(trained: Run, tmp_path, caplog) -> None:
    run = Run.open(shutil.copytree(trained.path, tmp_path / "copy"))
    whole = run.checkpoint().tensors
    spoil(run.path / "checkpoints" / f"step-{run.checkpoint_steps[0]:08d}.safetensors", "cut")
    with pytest.raises(CounterfeitError, match="is damaged"):
        run.sample(1)
    again = loop.resume(run.path).checkpoint().tensors
    assert all((whole[name] == again[name]).all() for name in whole)


def test_one_process_trains_a_run_and_others_read_it(trained: Run, tmp_path) -> None:
    seen: list[int] = []

    def try_all(run: Run, epoch: int, generator: object) -> None:
        with pytest.raises(CounterfeitError, match="another process is training"):
            loop.resume(run.path)
        other = Run.open(run.path)
        assert len(other.sample(2)) == 2
        assert other.log[-1]["epoch"] == epoch
        assert other.snapshot_epochs[-1] == epoch
        seen.append(epoch)

    run = loop.train(trained.recipe, out=tmp_path, on_epoch=[try_all])
    loop.resume(run.path, epochs=2)
    assert seen == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": "0"}, {"seed": 1e999}, {"seed": True}, {"image_shape": [1, 8]},
        {"image_shape": [2, 8, 8]}, {"image_shape": [1, -8, 8]}, {"image_shape": [1, 8.0, 8]},
        {"image_shape": ["1", 8, 8]}, {"data_dir": 5}, {"data_dir": "\0"}, {"data_dir": "\ud800"},
        {"data": None}, {"data": {"train": {}}}, {"data": {"test": 5}},
        {"data": {"train": {"images": 1.5, "shape": [1, 8, 8], "sha256": ""}}},
    ],
)  # fmt: skip
def test_an_environment_of_wrong_types_is_damaged(copy: Run, changes: dict[str, object]) -> None:
    path = copy.path / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(CounterfeitError, match=r"environment\.json is damaged"):
        _ = Run.open(copy.path).environment


def test_a_run_that_is_still_is_read_once(copy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_rows = rows.read_rows
    monkeypatch.setattr(
        rows, "read_rows", lambda path: (read.append(path.name), read_rows(path))[1]
    )
    row = copy.log[-1] | {"step": copy.log[-1]["step"] + 1}
    read.clear()
    with copy.still():
        before = copy.log, copy.vitals
        Run(copy.path).append_log(row)  # as a training that goes on
        with copy.still():
            assert copy.log == before[0]
        assert (copy.log, copy.vitals) == before
    assert read == ["log.jsonl", "vitals.jsonl"]
    assert copy.log == [*before[0], row]


def test_a_log_out_of_order_is_damaged(copy: Run) -> None:
    copy.append_log(copy.log[0])
    with pytest.raises(CounterfeitError, match="do not rise"):
        _ = copy.log


@pytest.mark.parametrize("metrics", [None, 3, [], {"fid": 3}, {"fid": [1]}, {"fid": ["1", None]}])
def test_metrics_of_another_form_are_damaged(copy: Run, metrics: object) -> None:
    copy.append_metrics({"step": 1, "epoch": 1, "metrics": {"fid": [None, None], "x": [1, 2.0]}})
    (row,) = copy.metrics
    assert math.isnan(row["metrics"]["fid"].value)
    assert row["metrics"]["x"] == Measurement(1.0, 2.0)
    copy.append_metrics({"step": 1, "epoch": 1, "metrics": metrics})
    with pytest.raises(CounterfeitError, match=r"metrics\.jsonl is damaged"):
        _ = copy.metrics


@pytest.mark.parametrize("score", [None, 3, [1], ["x", None], [1, "x"], [1, {}], [1, 2, 3]])
def test_real_scores_of_another_form_are_damaged(copy: Run, score: object) -> None:
    scores = {"fid": Measurement(1.5, None), "coverage": Measurement(0.9, 0.01)}
    copy.add_real_scores(scores)
    assert copy.real_scores == scores
    (copy.path / "real_images.json").write_text(json.dumps({"fid": score}))
    with pytest.raises(CounterfeitError, match=r"real_images\.json is damaged"):
        _ = copy.real_scores


def packed_array(header: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        size = struct.pack("<H", len(header))
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + size + header.encode() + content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (100000000000, 1, 8, 8)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (99, 1, 8, 8)}",
        "{'descr': '|u1', 'fortran_order': True, 'shape': (100, 1, 8, 8)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (100, 1, 8, 8)}",
        "(" * 500,
    ],
)
def test_an_array_of_another_kind_is_no_snapshot(copy: Run, header: str) -> None:
    path = copy.path / "snapshots" / "epoch-0001.npz"
    path.write_bytes(packed_array(header, bytes(6400)))
    with pytest.raises(CounterfeitError, match="is damaged"):
        copy.snapshot(1)
    right = "{'descr': '|u1', 'fortran_order': False, 'shape': (100, 1, 8, 8)}"
    path.write_bytes(packed_array(right, bytes(6400)))
    assert copy.snapshot(1).shape == (100, 1, 8, 8)
    path.write_bytes(packed_array(right, bytes(6399)))
    with pytest.raises(CounterfeitError, match="is damaged"):
        copy.snapshot(1)


def test_a_state_of_another_shape_does_not_resume(copy: Run) -> None:
    state = copy.checkpoint()
    for name in ("generator.optimizer.0.momentum_buffer", "interval.losses", "interval.logits"):
        bad = {name: torch.zeros(3)}
        copy.write_checkpoint(Checkpoint(state.step, state.epoch, dict(state.tensors) | bad))
        with pytest.raises(CounterfeitError, match="does not fit its recipe"):
            loop.resume(copy.path, epochs=2)


def test_a_path_too_long_is_no_run(tmp_path) -> None:
    with pytest.raises(UsageError, match="cannot be read: File name too long"):
        Run.open(tmp_path / ("x" * 300))
    with pytest.raises(CounterfeitError, match="cannot create a run"):
        Run.create(
            tmp_path / ("x" * 300),
            counterfeit.load_recipe("sgd"),
            {"seed": 0, "image_shape": [1, 8, 8]},
        )


def test_a_file_in_place_of_a_folder_is_named_on_resume(copy: Run) -> None:
    shutil.rmtree(copy.path / "snapshots")
    (copy.path / "snapshots").write_bytes(b"")
    with pytest.raises(CounterfeitError, match="snapshots: File exists"):
        loop.resume(copy.path)


def test_files_that_are_no_snapshots_are_left_alone(copy: Run) -> None:
    for name in ("epoch-5.npz", "epoch-٣.npz", "epoch-.npz", "epoch-99999999999999999999.npz"):
        (copy.path / "snapshots" / name).write_bytes(b"")
    (copy.path / "snapshots" / "epoch-0007.npz").mkdir()
    assert copy.snapshot_epochs == [0, 1, 99999999999999999999]
    loop.resume(copy.path, epochs=2)
    assert copy.snapshot_epochs == [0, 1, 2]


@pytest.mark.parametrize("evidence", [None, 3, {"rolled_back_to": "x"}, {"rolled_back_to": None}])
def test_damaged_findings_are_named(copy: Run, evidence: object) -> None:
    copy.append_finding({"step": 1, "epoch": 1.0, "name": "non-finite", "evidence": evidence})
    with pytest.raises(CounterfeitError, match=r"findings\.jsonl is damaged"):
        _ = copy.rollbacks
