"""`counterfeit evaluate`."""

from pathlib import Path

import pytest
from command import call

from counterfeit import data
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run


def test_evaluate_prints_samples_beside_real_images(
    capsys, run_path: Path, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barely_trained(images: data.ImageData, folder: Path, *, progress: object) -> Classifier:
        return classifier_for(images, tmp_path, updates=20)

    monkeypatch.setattr("counterfeit.measure.reference.classifier_for", barely_trained)
    status, out, _ = call(capsys, "evaluate", str(run_path), "--samples", "200", "--quiet")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["metric", run_path.name, "real", "images"]
    fid = next(line for line in lines if line.startswith("fid_digits-v"))
    assert fid.count("±") == 2
    assert lines[-2].startswith("share of each class: 0 ")
    assert lines[-1] == str(run_path / "metrics.jsonl")
    assert len(Run.open(run_path).metrics) == 1
