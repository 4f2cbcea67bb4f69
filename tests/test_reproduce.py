"""The reproduction: three stages, one report, nothing trained twice."""

from pathlib import Path

import numpy as np
import pytest
import torch

from counterfeit import data, recipe, reproduce
from counterfeit.run import Run


@pytest.fixture(scope="module")
def idx_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's digits at MNIST's size, as IDX files."""
    folder = tmp_path_factory.mktemp("digits28")
    for split, name in (("train", "train"), ("test", "t10k")):
        digits = data.load("digits", split)  # type: ignore[arg-type]
        images = torch.nn.functional.interpolate(digits.images.float(), size=28).to(torch.uint8)
        header = np.array([0x803, len(images), 28, 28], dtype=">u4").tobytes()
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images.numpy().tobytes())
        labels = digits.labels.to(torch.uint8)
        header = np.array([0x801, len(labels)], dtype=">u4").tobytes()
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.numpy().tobytes())
    return folder


@pytest.fixture(scope="module")
def reproduction(idx_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """A folder with the stages trained for two epochs, and a function that asks for it again."""
    folder = tmp_path_factory.mktemp("reproduction")
    load = recipe.load

    def small(name: str) -> recipe.Recipe:
        return load(name).with_overrides(
            [
                f'data.name="{idx_folder}"',
                "generator.hidden=[32]",
                "discriminator.hidden=[32]",
                "discriminator.dropout=0.5",
            ]
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "load", small)
        patch.setattr(reproduce, "SAMPLES", 500)
        again = lambda: reproduce.reproduce_article(folder, epochs=2, quiet=True)  # noqa: E731
        again()
        yield folder, again


def test_it_trains_the_stages_into_one_report(reproduction) -> None:
    folder, _ = reproduction
    runs = sorted(path for path in folder.iterdir() if path.is_dir())
    assert [Run(path).recipe.name for path in runs] == list(reproduce.STAGES)
    page = (folder / "report.html").read_text()
    for words in ("Stage 1: both losses", "Stage 2: D no longer wins", "no Helvetica scenario"):
        assert words in page


def test_asked_again_it_trains_nothing(reproduction) -> None:
    folder, again = reproduction
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    assert before
    again()
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}


def test_each_statement_has_a_verdict_and_a_number(reproduction) -> None:
    folder, _ = reproduction
    runs = [Run(path) for path in sorted(folder.iterdir()) if path.is_dir()]
    statements = reproduce.statements(runs)
    assert len(statements) == 9
    for statement in statements:
        assert statement.verdict in ("agrees", "differs", "open")
        assert any(character.isdigit() for character in statement.seen), statement.text


@pytest.mark.parametrize(
    ("d_losses", "won"), [([0.5, 0.3, 0.2], None), ([0.5, 0.09, 0.2], 2), ([0.01], 1)]
)
def test_d_has_won_when_its_mean_loss_is_below_a_tenth(d_losses: list[float], won) -> None:
    mean = np.array([[epoch, d, 1.0] for epoch, d in enumerate(d_losses, start=1)])
    assert reproduce.first_won_epoch(mean) == won
