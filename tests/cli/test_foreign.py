"""The commands on a run that a loop of somebody else wrote."""

from pathlib import Path

import pytest
import torch
from command import call
from foreign import Z, networks, play

from counterfeit.measure.classifier import Classifier
from counterfeit.monitor import Monitor


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    G, D = networks()
    out = tmp_path_factory.mktemp("runs")
    latents = torch.randn(20, Z)
    with Monitor(
        G, D, data="digits", latents=latents, d_outputs="logits", out=out, quiet=True
    ) as monitor:
        play(G, D, updates=10, update=monitor.update, epoch=monitor.epoch)
    return monitor.run.path


@pytest.fixture(autouse=True)
def barely_trained(monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> None:
    monkeypatch.setattr(
        "counterfeit.measure.reference.classifier_for", lambda *given, **more: classifier
    )


def test_it_is_diagnosed(capsys, path: Path) -> None:
    status, out, _ = call(capsys, "diagnose", str(path), "-q")
    assert status == 0
    assert "after 2 epochs and 20 updates" in out


def test_it_is_measured_by_the_samples_that_it_keeps(capsys, path: Path) -> None:
    status, out, _ = call(capsys, "evaluate", str(path), "-q")
    assert status == 0
    assert f"{20 * 64:,} samples" in out
    status, _, err = call(capsys, "evaluate", str(path), "--epoch=1", "-q")
    assert (status, err.count("\n")) == (2, 1)
    assert "leave --epoch out" in err


def test_its_page_shows_what_there_is(capsys, path: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    status, _, err = call(capsys, "report", str(path), f"--out={page}", "-q")
    assert status == 0, err
    text = page.read_text(encoding="utf-8")
    assert "Shaped against Sequential" in text
    assert "where it rests is not known" in text
    assert 'id="film-1"' in text
    for impossible in ("counterfeit train", 'id="again"', "never sees labels", "no checkpoint"):
        assert impossible not in text


def test_its_stored_images_are_drawn_and_no_others(capsys, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "some.png"
    status, out, err = call(capsys, "sample", str(path), "-n", "30", f"--out={target}")
    assert (status, out.strip()) == (0, str(target))
    assert "the run keeps" in err
    status, _, err = call(capsys, "sample", str(path), "-n", "5000", f"--out={target}", "-q")
    assert (status, err.count("\n")) == (2, 1)


def test_it_cannot_be_resumed(capsys, path: Path) -> None:
    status, _, err = call(capsys, "train", "--resume", str(path), "-q")
    assert status == 1
    assert err.count("\n") == 1
    assert "only that loop can go on with it" in err
