"""`counterfeit evaluate`."""

import json
import re
import shutil
from pathlib import Path

import pytest
from command import call
from PIL import Image

from counterfeit import data
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.reference import Reference, reference_for
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run


@pytest.fixture(autouse=True)
def barely_trained_classifier(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def barely_trained(images: data.ImageData, folder: Path, *, progress: object) -> Classifier:
        return classifier_for(images, tmp_path / "classifiers", updates=5)

    monkeypatch.setattr("counterfeit.measure.reference.classifier_for", barely_trained)


@pytest.fixture
def run_copy(run_path: Path, tmp_path: Path) -> Path:
    return shutil.copytree(run_path, tmp_path / "run")


def test_evaluate_prints_samples_beside_real_images(capsys, run_copy: Path) -> None:
    status, out, _ = call(capsys, "evaluate", str(run_copy), "--samples", "200", "--quiet")
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == f"{run_copy.name}, epoch 1"
    assert lines[1].startswith("Too early to judge, after 1 epoch and ")
    assert lines[3].split()[:3] == ["samples", "real", "images"]
    assert lines[4].startswith("  FID ")
    assert lines[4].count("±") == 2
    assert "share of each class  samples  real images" in lines
    assert lines[-1] == str(run_copy / "metrics.jsonl")
    assert len(Run.open(run_copy).metrics) == 1


def test_programs_get_one_document_with_full_names(capsys, run_copy: Path) -> None:
    status, out, _ = call(capsys, "evaluate", str(run_copy), "--samples=60", "--json")
    assert status == 0
    document = json.loads(out)
    run = Run.open(run_copy)
    assert document["run"] == str(run_copy)
    assert (document["step"], document["epoch"]) == (run.checkpoint().step, 1)
    assert document["verdict"]["sentence"]
    for kept, said in (
        (run.metrics[-1]["metrics"], document["metrics"]),
        (run.real_scores, document["real"]["metrics"]),
    ):
        assert {name: (each["value"], each["spread"]) for name, each in said.items()} == kept
    assert document["left_out"] == [each._asdict() for each in run.metrics[-1]["left_out"]]


def test_programs_read_english_whatever_the_users_language(capsys, run_copy: Path) -> None:
    options = ["--samples=60", "--quiet"]
    _, out, _ = call(capsys, "evaluate", str(run_copy), "--json", "--lang=ko", *options)
    assert "classes" in json.loads(out)["verdict"]["sentence"]
    assert "\\u" not in out
    _, out, _ = call(capsys, "evaluate", str(run_copy), "--lang=ko", *options)
    assert "진짜 이미지" in out


def test_a_set_with_fewer_images_than_samples_is_measured_whole(capsys, run_copy: Path) -> None:
    status, out, err = call(capsys, "evaluate", str(run_copy), "--samples", "1300", "--quiet")
    assert (status, err) == (0, "")
    assert re.search("^Real images are fewer: 1,198 for .*Parzen in nats", out, re.MULTILINE)
    # All of digits is trained on or compared with, so that nothing is left for this ceiling.
    nearest = next(line for line in out.splitlines() if line.startswith("  nearest ratio "))
    assert nearest.count("±") == 1
    assert (
        "not measured: real images: nearest ratio, nearest p-value, copies: 40 real images" in out
    )
    assert Run.open(run_copy).real_scores.keys().isdisjoint({"nearest_ratio_test_1k"})


def test_a_row_that_cannot_be_kept_is_shown(capsys, run_copy: Path) -> None:
    (run_copy / "metrics.jsonl").mkdir()
    status, out, err = call(capsys, "evaluate", str(run_copy), "--samples", "40", "--quiet")
    assert status == 1
    assert "  Parzen in nats " in out
    assert err.startswith("counterfeit: what was measured could not be kept: cannot write ")
    assert err.count("\n") == 1


def test_a_checkpoint_that_goes_while_a_classifier_is_trained_is_measured(
    capsys, run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(run: Run, *arguments: object, **named: object) -> Reference:
        for step in run.checkpoint_steps:
            run.remove_checkpoint(step)
        return reference_for(run)

    monkeypatch.setattr("counterfeit.measure.reference.reference_for", slow)
    status, out, _ = call(capsys, "evaluate", str(run_copy), "--samples", "40", "--quiet")
    assert status == 0
    assert "  Parzen in nats " in out


def test_training_that_could_not_be_evaluated_is_refused_before_it_starts(
    capsys, tmp_path: Path
) -> None:
    for i in range(4):
        Image.new("L", (8, 8), 60 * i).save(tmp_path / f"{i}.png")
    arguments = ["adam", f"--data={tmp_path}", "--batch-size=2", f"--out={tmp_path / 'runs'}"]
    status, _, err = call(capsys, "train", *arguments, "--evaluate-every=1", "--quiet")
    assert status == 2
    assert "nothing can be measured" in err
    assert not (tmp_path / "runs").exists()
