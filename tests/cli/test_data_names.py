"""A published set keeps its name where a folder has that name too, in every command."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import TINY, call
from PIL import Image

from counterfeit import data
from counterfeit.data.catalogue import PUBLISHED, Published
from counterfeit.data.idx import IDX_FILES
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run

NAMES = ("mnist", "fashion-mnist", "digits")
SMALL = [option for option in TINY if not option.startswith(("--data", "--batch-size"))]


@pytest.fixture(scope="module")
def published() -> dict[str, bytes]:
    """The four files of a set of digits, 640 to train on and 100 to test on."""
    digits = data.load("digits")
    assert digits.labels is not None
    files = {}
    for prefix, part in (("train", slice(0, 640)), ("t10k", slice(640, 740))):
        images = digits.images[part, 0].numpy()
        labels = digits.labels[part].numpy().astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
            files[f"{prefix}-{kind}-ubyte"] = header + array.tobytes()
    return files


@pytest.fixture
def command(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: dict[str, bytes]
) -> Callable[..., str]:
    """Runs a command where each set's name is a folder's too; returns its last line of stdout."""

    def barely_trained(images: data.ImageData, folder: Path, *, progress: object) -> Classifier:
        return classifier_for(images, tmp_path, updates=2)

    monkeypatch.setattr("counterfeit.measure.reference.classifier_for", barely_trained)
    checksums = {file: hashlib.sha256(published[file]).hexdigest() for file in IDX_FILES}
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path / "cache"))
    for place in (tmp_path / "here", tmp_path / "elsewhere"):
        for name in NAMES:
            (place / name).mkdir(parents=True)
            Image.new("RGB", (9, 9), "red").save(place / name / "decoy.png")
    for name in ("mnist", "fashion-mnist"):
        monkeypatch.setitem(PUBLISHED, name, Published(checksums, (), ()))
        (tmp_path / "cache" / name).mkdir(parents=True)
        for file, content in published.items():
            (tmp_path / "cache" / name / file).write_bytes(content)

    def command(*arguments: str) -> str:
        status, out, err = call(capsys, *arguments)
        assert (status, err) == (0, "")
        return out.splitlines()[-1]

    monkeypatch.chdir(tmp_path / "here")
    return command


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_a_published_name_is_not_taken_for_it(
    command: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert command("data", name) == str(data.fetch(name))
    run = Run.open(command("train", "sgd", *SMALL, f"--data={name}", f"--out={tmp_path}/runs"))
    command("train", f"--resume={run.path}", "--epochs=2", "--quiet")
    monkeypatch.chdir(tmp_path / "elsewhere")
    command("train", f"--resume={run.path}", f"--data={name}", "--epochs=3", "--quiet")
    assert Run.open(run.path).checkpoint().epoch == 3
    fork = command("train", f"--resume={run.path}", "--fork", "--epochs=4", "--quiet")
    for each in (run.path, Path(fork)):
        assert Run.open(each).recipe.data.name == name
    command("evaluate", str(run.path), "--samples=40", "--quiet")
    command("sample", str(run.path))
    assert Run.open(run.path).load_data("test").name == name  # which reports read


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_a_published_name_is_reached_by_its_path(
    command: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for number in range(40):
        noise = np.random.default_rng(number).integers(0, 256, (9, 9), np.uint8)
        Image.fromarray(noise).save(tmp_path / "here" / name / f"{number}.png")
    asked = (f"--data=./{name}", "--batch-size=4", f"--out={tmp_path}/runs")
    run = Run.open(command("train", "sgd", *SMALL, *asked))
    assert run.recipe.data.name == str(tmp_path / "here" / name)
    monkeypatch.chdir(tmp_path / "elsewhere")
    command("train", f"--resume={run.path}", "--epochs=2", "--quiet")
    assert Run.open(run.path).load_data().shape == (3, 28, 28)
