"""Images from anywhere: read as they are meant, or refused in one line; measured like a run's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import counterfeit
from counterfeit import data, recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.insight.charts import write_each, write_samples
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.evaluate import evaluate
from counterfeit.measure.names import OTHER
from counterfeit.measure.reference import reference_of
from counterfeit.measure.sets import compared_with, read_images
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.stored import Samples
from counterfeit.training import loop

SHAPE = (1, 8, 8)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return classifier_for(data.load("digits"), tmp_path_factory.mktemp("kept"), updates=100)


@pytest.fixture(autouse=True)
def the_same_classifier(monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> None:
    monkeypatch.setattr(
        "counterfeit.measure.reference.classifier_for", lambda *given, **more: classifier
    )


@pytest.fixture(scope="module")
def digits() -> Tensor:
    return data.load("digits").images[:120]


@pytest.mark.parametrize(
    "suffix", [".npz", ".npy", ".safetensors", "/", "array", "tensor", "floats", "flat"]
)
def test_every_kind_of_set_is_read_to_the_bit(tmp_path: Path, digits: Tensor, suffix: str) -> None:
    path: Any = tmp_path / f"set{suffix}"
    if suffix == ".npz":
        write_samples(digits, path)
    elif suffix == ".npy":
        np.save(path, digits.numpy())
    elif suffix == ".safetensors":
        save_file({"images": digits.clone()}, path)
    elif suffix == "/":
        write_each(digits, path)
    else:
        floats = digits.float()
        kinds = {
            "array": digits.permute(0, 2, 3, 1).numpy(),
            "tensor": floats / 127.5 - 1,
            "floats": floats / 255,
            "flat": floats.flatten(1),
        }
        path = kinds[suffix]
    assert torch.equal(read_images(path, SHAPE, "digits"), digits)


def test_real_images_are_near_the_data_and_noise_is_not(digits: Tensor) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, digits.shape, generator=generator).to(torch.uint8)
    (near,), (far,) = (
        [value for name, (value, _) in measured.metrics.items() if name.startswith("coverage_")]
        for measured in (counterfeit.evaluate(each, data="digits") for each in (digits, noise))
    )
    assert near > 0.5 > 0.1 > far


def test_other_images_may_be_compared_with(digits: Tensor) -> None:
    measured = counterfeit.evaluate(digits, data="digits", against=digits.flip(0))
    fids = [name for name in measured.metrics if name.startswith("fid_")]
    assert len(fids) == 1
    assert f"_{OTHER}_" in fids[0]
    assert not any(name.startswith("nearest") for name in measured.metrics)
    assert any("not known" in each.why for each in measured.left_out)


def test_images_without_labels_need_features(digits: Tensor, tmp_path: Path) -> None:
    write_each(digits, tmp_path / "set")
    reference = reference_of(str(tmp_path / "set"))
    lines = compared_with(digits, reference).left_out
    assert lines == reference.left_out
    assert any("fid" in each.metrics and "--inception" in each.why for each in lines)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (torch.zeros(50, 1, 9, 9), "1 x 9 x 9, and digits's are 1 x 8 x 8"),
        (torch.full((50, 1, 8, 8), 300.0), "from 300 to 300"),
        (torch.full((50, 1, 8, 8), float("nan")), "NaN"),
        (torch.zeros(3, 1, 8, 8), "3 samples are too few"),
        (torch.zeros(50), "must be images"),
        (["a"], "must be numbers"),
        ("nowhere", "does not exist"),
    ],
)
def test_what_cannot_be_measured_gets_one_line(wrong: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        counterfeit.evaluate(wrong, data="digits")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"split": "train"}, "split must be 'test' or 'validation', not 'train'"),
        ({"split": ["test"]}, "split must be 'test' or 'validation'"),
        ({"samples": -1}, "-1 samples: must be from 40 to 1,000,000"),
        ({"samples": 39}, "39 samples: must be from 40 to 1,000,000"),
        ({"samples": "500"}, "samples must be a whole number"),
        ({"samples": 50.5}, "samples must be a whole number"),
        ({"samples": None}, "samples must be a whole number"),
    ],
)
def test_what_the_command_refuses_python_does_too(
    digits: Tensor, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        counterfeit.evaluate(digits, data="digits", **wrong)


@pytest.fixture
def trained(tiny: recipe.Recipe, tmp_path: Path) -> Run:
    return loop.train(tiny, out=tmp_path)


def test_a_run_is_a_set_of_the_samples_that_it_is_measured_by(trained: Run) -> None:
    measured = evaluate(trained, samples=50).metrics
    as_set = counterfeit.evaluate(trained, data="digits", samples=50).metrics
    only_of_runs = {name for name in measured if name.startswith("d_accuracy")}
    assert as_set == {name: measured[name] for name in measured.keys() - only_of_runs}


def test_a_run_as_a_set_is_read_once_and_makes_no_more_samples_than_are_asked_for(
    trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, sample = Run.newest, Run.sample
    counts: list[int] = []

    def then_gone(run: Run) -> Checkpoint | Samples:
        state = newest(run)
        monkeypatch.setattr("counterfeit.run.checkpoint.newest", lambda folder: None)
        return state

    def counted(run: Run, count: int, **more: Any) -> Tensor:
        counts.append(count)
        return sample(run, count, **more)

    monkeypatch.setattr(Run, "newest", then_gone)
    monkeypatch.setattr(Run, "sample", counted)
    images = read_images(trained, SHAPE, "digits", 60)
    assert [len(images), counts] == [60, [60]]


def test_files_that_hold_something_else_get_one_line(tmp_path: Path, digits: Tensor) -> None:
    two, broken, other = tmp_path / "two.npz", tmp_path / "b.npz", tmp_path / "set.txt"
    np.savez(two, a=digits.numpy(), b=digits.numpy())
    broken.write_bytes(b"PK not really")
    other.write_text("images")
    objects = tmp_path / "o.npy"
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    for path, said in (
        (two, r"say which are the images: .*two\.npz:a\."),
        (broken, "cannot be read"),
        (objects, "cannot be read"),
        (other, "no kind that is read"),
        (tmp_path, "holds no images"),
    ):
        folder = tmp_path / "empty" if path is tmp_path else path
        if path is tmp_path:
            folder.mkdir()
        with pytest.raises(CounterfeitError, match=said):
            read_images(folder, SHAPE, "digits")


def test_a_folder_with_another_size_or_colour_names_the_picture(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    for folder, shape, said in (
        ("large", (1, 9, 9), "9 x 9 pixels"),
        ("colour", (3, 8, 8), "in colour"),
    ):
        images = torch.randint(0, 256, (2, *shape), generator=generator).to(torch.uint8)
        write_each(images, tmp_path / folder)
        with pytest.raises(UsageError, match=f"00000.png is {said}"):
            read_images(tmp_path / folder, SHAPE, "digits")
