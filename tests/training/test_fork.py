"""Forks: a new run from where another is, and nothing of the other one changes."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.game.inputs import draw_latents
from counterfeit.run import SNAPSHOT_IMAGES, Run, generate
from counterfeit.seeds import stream
from counterfeit.training import loop
from counterfeit.training.fork import fork, recipe_now


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs of 22 updates."""
    spec = recipe.load("batchnorm-smoothing").with_overrides(
        ["data.name=digits", "generator.hidden=[16, 16]", "discriminator.hidden=[16, 8]",
         "training.batch_size=64", "training.epochs=2"]
    )  # fmt: skip
    return loop.train(spec, seed=3, out=tmp_path_factory.mktemp("runs"))


def files(run: Run) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_a_fork_without_changes_goes_on_as_its_parent_would(parent: Run, tmp_path) -> None:
    before = files(parent)
    child = loop.resume(fork(parent, parent.recipe, out=tmp_path).path, epochs=4)
    assert files(parent) == before
    assert child.environment["parent"] == {"run": str(parent.path), "step": 44}
    assert child.seed == 3
    assert child.log[:2] == parent.log
    assert child.snapshot_epochs == [0, 1, 2, 3, 4]

    twin = tmp_path / "twin"
    shutil.copytree(parent.path, twin)
    state, other = child.checkpoint(), loop.resume(twin, epochs=4).checkpoint()
    assert all(torch.equal(tensor, other.tensors[name]) for name, tensor in state.tensors.items())


@pytest.mark.parametrize(
    "changes",
    [
        ["generator.optimizer.lr=0.0005"],
        ["generator.optimizer.name=sgd"],
        ["discriminator.train_shared_maxout=true"],
        ["generator.activation=leaky-relu"],
        ["training.batch_size=32"],
        ["training.discriminator_steps=2"],
        ["generator.ema_decay=0.9"],
        ["data.train_images=1000"],
        ["loss.name=hinge", "penalties.r1.weight=1", "inputs.replay=0.5"],
        ['inputs.augment=["color"]', "inputs.adaptive=0.6", "training.batch_size=32"],
    ],
)
def test_changed_values_train_on(parent: Run, tmp_path, changes: list[str]) -> None:
    spec = parent.recipe.with_overrides([*changes, "training.epochs=3"])
    child = loop.resume(fork(parent, spec, out=tmp_path).path)
    assert child.recipe == spec
    assert [row["epoch"] for row in child.log][:2] == [1, 2]
    assert child.log[-1]["epoch"] == 3
    steps = [row["step"] for row in child.log]
    assert steps == sorted(set(steps))
    assert all(tensor.isfinite().all() for tensor in child.checkpoint().tensors.values())


@pytest.mark.parametrize(("changes", "kept"), [([], 1), (["data.train_images=1000"], 0)])
def test_measures_are_of_the_same_data(
    parent: Run, tmp_path, changes: list[str], kept: int
) -> None:
    copy = Run.open(shutil.copytree(parent.path, tmp_path / "copy"))
    copy.append_metrics({"step": 22, "epoch": 1, "metrics": {"coverage": [0.5, 0.1]}})
    copy.append_vitals({"step": 22, "epoch": 1})
    child = fork(copy, copy.recipe.with_overrides(changes), out=tmp_path)
    assert len(child.metrics) == len(child.vitals) == kept


@pytest.mark.parametrize(
    "change",
    ["generator.hidden=[17, 16]", "generator.batch_norm=false", "discriminator.activation=relu"],
)
def test_other_networks_are_refused(parent: Run, tmp_path, change: str) -> None:
    with pytest.raises(UsageError, match=r"a fork keeps the networks, and \w+\.hidden"):
        fork(parent, parent.recipe.with_overrides([change]), out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_fork_starts_with_the_learning_rates_that_rollbacks_left(parent: Run, tmp_path) -> None:
    copy = Run.open(shutil.copytree(parent.path, tmp_path / "copy"))
    copy.append_finding(
        {"step": 30, "epoch": 1.4, "name": "non-finite", "evidence": {"rolled_back_to": 22}}
    )
    child = fork(copy, recipe_now(copy), out=tmp_path)
    assert child.recipe.generator.optimizer.lr == parent.recipe.generator.optimizer.lr / 2
    assert child.rollbacks == []
    assert len(child.findings) == 1


def test_rows_that_come_to_one_step_become_one(tmp_path: Path) -> None:
    spec = recipe.load("sgd").with_overrides(
        [
            "data.name=digits",
            "generator.hidden=[8]",
            "discriminator.hidden=[8]",
            "discriminator.dropout=0.5",
            "training.batch_size=4",
            "training.epochs=1",
        ]
    )
    parent = loop.train(spec, out=tmp_path)
    child = fork(parent, spec.with_overrides(["training.batch_size=1000"]), out=tmp_path)
    assert [row["step"] for row in child.log] == sorted({row["step"] for row in child.log})


def test_a_fork_has_no_fewer_epochs_than_its_parent(parent: Run, tmp_path) -> None:
    with pytest.raises(UsageError, match="2 epochs"):
        fork(parent, parent.recipe.with_values({"training.epochs": 1}), out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_fork_of_another_seed_goes_on_with_its_parents_snapshots(parent: Run, tmp_path) -> None:
    child = loop.resume(fork(parent, parent.recipe, seed=4, out=tmp_path).path, epochs=3)
    z = draw_latents(child.recipe.latent, SNAPSHOT_IMAGES, stream(parent.seed, "history"))
    here = generate(child.generator(), z, child.recipe.value_range)
    assert (child.snapshot(3) == here.numpy()).all()
    grandchild = fork(child, child.recipe, seed=5, out=tmp_path)
    assert torch.equal(grandchild.history(), parent.history())


def test_a_fork_of_other_latents_leaves_its_parents_snapshots(parent: Run, tmp_path) -> None:
    spec = parent.recipe.with_overrides(["latent.std=0.5", "training.epochs=3"])
    child = loop.resume(fork(parent, spec, out=tmp_path).path)
    assert child.snapshot_epochs == [2, 3]
    here = generate(parent.generator(), child.history(), spec.value_range)
    assert (child.snapshot(2) == here.numpy()).all()


def test_latents_that_were_drawn_on_a_gpu_are_not_mixed_with_others(parent: Run, tmp_path) -> None:
    old = Run.open(shutil.copytree(parent.path, tmp_path / "old"))
    facts = {key: value for key, value in parent.environment.items() if key != "history_seed"}
    for device in ("cpu", "cuda"):
        (old.path / "environment.json").write_text(json.dumps(facts | {"device": device}))
        old = Run.open(old.path)
        if device == "cpu":
            assert torch.equal(old.history(), parent.history())
            assert fork(old, old.recipe, out=tmp_path).snapshot_epochs == [0, 1, 2]
    with pytest.raises(CounterfeitError, match="with --fork"):
        loop.resume(old)
    child = loop.resume(fork(old, old.recipe, out=tmp_path), epochs=3)
    assert child.snapshot_epochs == [2, 3]
    assert len(child.log) == 3


def test_old_fakes_go_on_where_they_fit(parent: Run, tmp_path) -> None:
    spec = parent.recipe.with_overrides(["inputs.replay=0.5"])
    replaying = loop.train(spec, epochs=1, out=tmp_path / "first")
    whole = loop.train(spec, epochs=2, out=tmp_path / "whole")
    child = loop.resume(fork(replaying, spec, out=tmp_path / "same").path)
    for name, tensor in whole.checkpoint().tensors.items():
        assert torch.equal(tensor, child.checkpoint().tensors[name]), name
    smaller = spec.with_overrides(["training.batch_size=32"])
    child = loop.resume(fork(replaying, smaller, out=tmp_path / "smaller").path)
    assert len(child.checkpoint().tensors["replay.images"]) == 4 * 32
