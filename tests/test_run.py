"""Run directories: what is not one is refused, what is damaged is named."""

import json
import shutil

import pytest

import counterfeit
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.run import Run


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    spec = counterfeit.load_recipe("sgd").with_overrides(
        ["data.name=digits", "generator.hidden=[8]", "discriminator.hidden=[8]",
         "discriminator.dropout=0", "training.epochs=1"]
    )  # fmt: skip
    return counterfeit.train(spec, out=tmp_path_factory.mktemp("runs"))


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


def test_a_checkpoint_of_other_networks_is_refused(trained: Run, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained.path, copy)
    spec = trained.recipe.with_overrides(["generator.hidden=[9]"])
    (copy / "recipe.toml").write_text(spec.to_toml())
    with pytest.raises(CounterfeitError, match="does not fit its recipe"):
        Run.open(copy).sample(1)


def test_its_data_is_what_it_trained_on(trained: Run) -> None:
    assert len(trained.load_data("train")) == 1437
    assert len(trained.load_data("test")) == 360
