"""What can be made of a run: its data, its networks, its images."""

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from counterfeit import data, recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.training import loop


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


@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_weights_that_are_not_finite_are_named(copy: Run, part: str) -> None:
    state = copy.checkpoint()
    bad = {f"{part}.output.bias": torch.full_like(state.tensors[f"{part}.output.bias"], torch.nan)}
    copy.write_checkpoint(Checkpoint(state.step, state.epoch, dict(state.tensors) | bad))
    with pytest.raises(CounterfeitError, match=f"the {part} has NaN or infinite weights: training"):
        getattr(copy, part)()


def test_other_data_than_it_trained_on_is_refused(copy: Run, tmp_path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / "1.png")
    copy.change_recipe(copy.recipe.with_values({"data.name": str(folder)}))
    with pytest.raises(CounterfeitError, match="1 instead of 1,437 images, 28 x 28 pixels"):
        copy.load_data()


@pytest.mark.parametrize("count", [0, -1, 1_000_001])
def test_a_count_of_samples_has_bounds(copy: Run, count: int) -> None:
    with pytest.raises(UsageError, match="from 1 to 1,000,000"):
        copy.sample(count)


def test_a_training_reads_its_data_once_and_lets_them_go(
    tiny, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits: list[str] = []
    read = data.load_for

    def counted(section: recipe.Data, split: data.Split, data_dir: Path | None):
        splits.append(split)
        return read(section, split, data_dir)

    monkeypatch.setattr("counterfeit.data.given.load_for", counted)
    seen = []
    run = loop.train(
        tiny, out=tmp_path, on_epoch=[lambda run, *_: seen.append(run.load_split("train"))]
    )
    assert splits == ["train"]
    assert seen[0] is seen[1]
    assert run.load_split("train") is not seen[0]
