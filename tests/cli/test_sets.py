"""`counterfeit evaluate` of sets of images, and `sample` into files of their own."""

import json
import shutil
from pathlib import Path

import pytest
from command import call

from counterfeit.measure.classifier import Classifier


@pytest.fixture(autouse=True)
def barely_trained(monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> None:
    monkeypatch.setattr(
        "counterfeit.measure.reference.classifier_for", lambda *given, **more: classifier
    )


@pytest.fixture
def pictures(capsys, run_path: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    status, out, _ = call(capsys, "sample", str(run_path), "-n", "50", f"--out={folder}/", "-q")
    assert (status, out.strip()) == (0, str(folder))
    assert [path.name for path in sorted(folder.iterdir())] == [f"{n:05}.png" for n in range(50)]
    return folder


def test_a_folder_is_measured_and_written(capsys, pictures: Path, tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    status, out, _ = call(capsys, "evaluate", str(pictures), "--data=digits", f"--out={file}", "-q")
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == str(pictures)
    assert any(line.startswith("  FID") for line in lines)
    assert lines[-1] == str(file)
    (found,) = json.loads(file.read_text())["sets"]
    assert found["count"] == 50
    assert any(name.startswith("fid_") for name in found["metrics"])


def test_several_stand_beside_each_other(
    capsys, pictures: Path, run_path: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "fifty.npz"
    call(capsys, "sample", str(run_path), "-n", "50", f"--out={packed}", "-q")
    status, out, _ = call(
        capsys, "evaluate", str(pictures), str(packed), "--data=digits", "--samples=50", "-q"
    )
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["[1]", "[2]", "real", "images"]
    fid = next(line for line in lines if line.startswith("FID"))
    first, second = fid.split("±")[:2]
    assert first.split()[-1] == second.split()[-1]  # the same images
    assert any(line.startswith(f"[2] {packed}: 50 samples") for line in lines)
    assert "different sizes" not in out


def test_images_need_something_to_be_like(capsys, pictures: Path) -> None:
    status, _, err = call(capsys, "evaluate", str(pictures))
    assert (status, err.count("\n")) == (2, 1)
    assert "--data mnist" in err


def test_a_folder_that_holds_something_is_not_written_into(
    capsys, pictures: Path, run_path: Path
) -> None:
    status, _, err = call(capsys, "sample", str(run_path), f"--out={pictures}/")
    assert status == 2
    assert "is not empty" in err


def test_an_archive_is_compared_with_as_its_folder_is(capsys, pictures: Path) -> None:
    archive = shutil.make_archive(str(pictures), "zip", pictures)
    documents = []
    for against in (pictures, archive):
        command = ("evaluate", str(pictures), "--data=digits", f"--against={against}", "--json")
        status, out, _ = call(capsys, *command, "-q")
        assert status == 0
        documents.append(json.loads(out)["sets"])
    (one,), (other,) = documents
    assert one["count"] == other["count"] == 50
    assert one["metrics"].keys() == other["metrics"].keys()
    for name, found in one["metrics"].items():  # sums in another order
        assert other["metrics"][name]["value"] == pytest.approx(found["value"], abs=1e-3)
