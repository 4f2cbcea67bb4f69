"""The commands on a run whose networks and loss are the user's own."""

from pathlib import Path

import pytest
import torch
from command import call

from counterfeit.measure.classifier import Classifier
from counterfeit.training import loop
from own_networks import pair, small


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return loop.train(small(), **pair(), epochs=2, out=tmp_path_factory.mktemp("runs")).path


@pytest.fixture(autouse=True)
def barely_trained(monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> None:
    monkeypatch.setattr(
        "counterfeit.measure.reference.classifier_for", lambda *given, **more: classifier
    )


def test_it_is_diagnosed_measured_and_drawn(capsys, path: Path, tmp_path: Path) -> None:
    status, out, _ = call(capsys, "diagnose", str(path), "-q")
    assert (status, "after 2 epochs and 12 updates" in out) == (0, True)
    status, out, _ = call(capsys, "evaluate", str(path), "-q")
    assert (status, "2,000 samples" in out) == (0, True)
    target = tmp_path / "some.npz"
    status, out, err = call(capsys, "sample", str(path), "-n", "30", f"--out={target}")
    assert (status, out.strip()) == (0, str(target))
    assert "the run keeps" in err


def test_its_page_shows_what_there_is(capsys, path: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    status, _, err = call(capsys, "report", str(path), f"--out={page}", "-q")
    assert status == 0, err
    text = page.read_text(encoding="utf-8")
    assert "G is a module of the user&#39;s own, Generator." in text
    assert "counterfeit train adam" not in text  # which would train others
    assert 'id="film-1"' in text


@pytest.mark.parametrize(
    ("more", "function"),
    [
        ([], "counterfeit.resume("),
        (["--fork"], "counterfeit.training.fork.fork("),
        (["--epochs=3"], "counterfeit.resume("),
    ],
)
def test_it_goes_on_in_python_alone(capsys, path: Path, more: list[str], function: str) -> None:
    status, out, err = call(capsys, "train", "--resume", str(path), "-q", *more)
    assert (status, out, err.count("\n")) in ((1, "", 1), (2, "", 1))
    assert function in err or "only the code that made it" in err


def test_its_recipe_is_trained_in_python_alone(capsys, path: Path, tmp_path: Path) -> None:
    status, _, err = call(
        capsys, "train", str(path / "recipe.toml"), f"--out={tmp_path / 'runs'}", "-q"
    )
    assert (status, err.count("\n")) == (2, 1)
    assert "generator=Generator(…), discriminator=Discriminator(…)" in err
    assert not (tmp_path / "runs").exists()
