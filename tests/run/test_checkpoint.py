"""Checkpoints: exact, whole, verified."""

import json

import pytest
import torch

from counterfeit.errors import CounterfeitError
from counterfeit.run import checkpoint
from counterfeit.run.checkpoint import Checkpoint


@pytest.fixture
def state() -> Checkpoint:
    return Checkpoint(
        469,
        1.0,
        {
            "generator.weight": torch.randn(3, 4).T,
            "discriminator.optimizer.0.step": torch.tensor(469.0),
            "interval.losses": torch.zeros(0, 2),
            "counts": torch.tensor([2**53 + 1]),
        },
    )


def test_every_bit_comes_back(tmp_path, state: Checkpoint) -> None:
    checkpoint.write(tmp_path, state)
    back = checkpoint.read(tmp_path, 469)
    assert (back.step, back.epoch) == (469, 1.0)
    assert back.tensors.keys() == state.tensors.keys()
    for name, tensor in state.tensors.items():
        assert torch.equal(back.tensors[name], tensor)
    assert list(back.part("generator")) == ["weight"]


def test_steps_are_in_order_and_need_both_files(tmp_path, state: Checkpoint) -> None:
    for step in (1000, 200, 30):
        checkpoint.write(tmp_path, Checkpoint(step, 1.0, state.tensors))
    (tmp_path / "step-00002000.safetensors").write_bytes(b"written, but its JSON not yet")
    assert checkpoint.steps(tmp_path) == [30, 200, 1000]
    checkpoint.remove(tmp_path, 200)
    assert checkpoint.steps(tmp_path) == [30, 1000]


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
@pytest.mark.parametrize("change", ["cut", "flip", "empty", "pickle"])
def test_damage_is_named(tmp_path, state: Checkpoint, suffix: str, change: str) -> None:
    checkpoint.write(tmp_path, state)
    path = tmp_path / f"step-00000469.{suffix}"
    content = bytearray(path.read_bytes())
    if change == "cut":
        content = content[: len(content) // 2]
    elif change == "flip":
        content[len(content) // 2] ^= 1
    elif change == "empty":
        content = bytearray()
    else:
        content = bytearray(b"\x80\x04\x95cos\nsystem\n")
    path.write_bytes(content)
    with pytest.raises(CounterfeitError, match="damaged"):
        checkpoint.read(tmp_path, 469)


def test_a_missing_one_is_named(tmp_path) -> None:
    with pytest.raises(CounterfeitError, match="missing"):
        checkpoint.read(tmp_path, 5)


@pytest.mark.parametrize(
    "change", [{"step": 470}, {"step": "469"}, {"epoch": float("nan")}, {"epoch": float("inf")}]
)
def test_an_index_of_another_step_or_epoch_is_damaged(
    tmp_path, state: Checkpoint, change: dict[str, object]
) -> None:
    checkpoint.write(tmp_path, state)
    path = tmp_path / "step-00000469.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CounterfeitError, match="damaged"):
        checkpoint.read(tmp_path, 469)


def test_deep_or_long_json_is_damaged(tmp_path, state: Checkpoint) -> None:
    checkpoint.write(tmp_path, state)
    for content in ("[" * 100_000, '{"step": ' + "9" * 5000 + "}"):
        (tmp_path / "step-00000469.json").write_text(content)
        with pytest.raises(CounterfeitError, match="damaged"):
            checkpoint.read(tmp_path, 469)


def test_complex_weights_are_damage(tmp_path) -> None:
    checkpoint.write(tmp_path, Checkpoint(1, 1.0, {"x": torch.zeros(2, dtype=torch.complex64)}))
    with pytest.raises(CounterfeitError, match="damaged"):
        checkpoint.read(tmp_path, 1)
