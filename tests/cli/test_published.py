"""A published set in colour, from its description to the metrics of a run that is trained on it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command import TINY, call

from counterfeit import data
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.data.sources import Source
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from miniatures import CIFAR10, cifar

SMALL = [option for option in TINY if not option.startswith(("--data", "--batch-size"))]


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where 240 random images lie that are now the set `cifar10`, and 60 to test on."""
    made = cifar(10, (240, 60))
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path))
    small = replace(PUBLISHED["cifar10"], checksums=made.checksums, sources=())
    monkeypatch.setitem(PUBLISHED, "cifar10", small)
    return made.write(tmp_path / "cifar10")


def test_it_is_described_with_its_classes_its_origin_and_its_place(capsys, cifar10: Path) -> None:
    status, out, err = call(capsys, "data", "cifar10")
    assert (status, err) == (0, "")
    assert "cifar10, train: 240 images of 32 x 32 pixels, RGB" in out
    assert "cifar10, test: 60 images" in out
    assert ", ".join(f"{name} 24" for name in CIFAR10) in " ".join(out.split())
    assert "the last 40 are the validation split" in out
    assert "paper: Krizhevsky 2009, " in out
    assert "licence: none stated" in out
    assert out.splitlines()[-1] == str(cifar10)


def test_it_is_trained_on_and_measured_with_a_classifier_of_its_own(
    capsys, cifar10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barely_trained(images: data.ImageData, folder: Path, *, progress: object) -> Classifier:
        return classifier_for(images, folder, updates=2)

    monkeypatch.setattr("counterfeit.measure.reference.classifier_for", barely_trained)
    asked = ["train", "sgd", *SMALL, "--data=cifar10", f"--out={tmp_path}/runs"]
    status, out, err = call(capsys, *asked)
    assert (status, err) == (0, "")
    run = Run.open(out.splitlines()[-1])
    assert run.image_shape == (3, 32, 32)
    status, out, err = call(capsys, "evaluate", str(run.path), "--samples=60", "--quiet")
    assert (status, err) == (0, "")
    (kept,) = (tmp_path / "classifiers").iterdir()
    assert kept.name.startswith("cifar10-v")
    (row,) = run.metrics
    assert any(name.startswith("fid_cifar10-v1-") for name in row["metrics"])


def test_on_a_terminal_a_download_is_told(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cifar(10, (240, 60))
    source = Source("somewhere", "go there", lambda folder: made.write(folder) and None)
    small = replace(PUBLISHED["cifar10"], checksums=made.checksums, sources=(source,))
    monkeypatch.setitem(PUBLISHED, "cifar10", small)

    def told(*options: str, place: str) -> str:
        status, _, err = call(capsys, "data", "cifar10", f"--data-dir={tmp_path / place}", *options)
        assert status == 0
        return err

    assert told(place="no terminal") == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert told("--quiet", place="quiet") == ""
    assert told(place="terminal") == "fetching cifar10 from somewhere\n"
    assert told(place="terminal") == ""


def test_the_list_names_every_set(capsys) -> None:
    status, out, _ = call(capsys, "data")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [*PUBLISHED, "PATH"]
    status, _, err = call(capsys, "data", "--preview=x.png")
    assert status == 2
    assert "name the data set to be drawn" in err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("kmnits", "kmnist"), ("cifar-10", "cifar10"), ("emnist-leters", "emnist-letters")],
)
def test_a_mistyped_name_suggests_the_nearest(capsys, typed: str, meant: str) -> None:
    for command in (["data", typed], ["train", "sgd", f"--data={typed}"]):
        status, _, err = call(capsys, *command)
        assert status == 2
        assert f"did you mean {meant}?" in err
