"""`counterfeit recipes` and `data`."""

import io
import tomllib
import zipfile

import numpy as np
import pytest
from command import call
from PIL import Image

from counterfeit import recipe
from counterfeit.run import Run


def test_recipes_lists_and_prints(capsys) -> None:
    status, out, _ = call(capsys, "recipes")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == recipe.names()
    status, out, _ = call(capsys, "recipes", "paper")
    assert recipe.parse(tomllib.loads(out), "stdout") == recipe.load("paper")


def test_recipes_says_what_tricks_are_worth(capsys) -> None:
    status, out, _ = call(capsys, "recipes", "--tricks")
    assert status == 0
    assert "--set penalties.gradient.weight=10.0" in out
    status, only, _ = call(capsys, "recipes", "dcgan", "--tricks")
    assert (status, only.startswith("dcgan")) == (0, True)
    assert len(only) < len(out)
    status, out, err = call(capsys, "recipes", "sgd", "--tricks")
    assert (status, out, len(err.splitlines())) == (2, "", 1)


def test_data_describes_and_previews(capsys, tmp_path) -> None:
    picture = tmp_path / "preview.png"
    status, out, _ = call(capsys, "data", "digits", f"--preview={picture}")
    assert status == 0
    assert "1,437" in out
    assert out.splitlines()[-1] == str(picture)
    assert picture.exists()


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_idx_file_is_named(capsys, tmp_path, damage: str) -> None:
    """A folder of the user's own IDX files, one of them cut short or with a byte of its header
    changed."""
    for split, count in (("train", 300), ("t10k", 100)):
        images = np.zeros((count, 8, 8), dtype=np.uint8)
        header = np.array([0x803, count, 8, 8], dtype=">u4").tobytes()
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = np.array([0x801, count], dtype=">u4").tobytes()
        labels = np.zeros(count, dtype=np.uint8)
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    path = tmp_path / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-1] if damage == "cut" else content[:7] + b"\xff" + content[8:])
    status, out, err = call(capsys, "train", "sgd", f"--data={tmp_path}", f"--out={tmp_path}/runs")
    assert status in (1, 2)
    assert out == ""
    assert path.name in err
    assert len(err.splitlines()) == 1


@pytest.fixture
def damaged(tmp_path):
    """A zip of 40 pictures, of which two are broken, and a text."""
    rng = np.random.default_rng(0)
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(40):
            content = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).save(content, "PNG")
            keep = 50 if number in (3, 7) else None
            archive.writestr(
                f"{'cat' if number % 2 else 'dog'}/{number}.png", content.getvalue()[:keep]
            )
        archive.writestr("notes.txt", "none")
    return path


def test_broken_pictures_are_named_or_passed_over(capsys, damaged) -> None:
    status, out, err = call(capsys, "data", str(damaged))
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "cannot read 2 of 40 images" in err
    assert "cat/3.png" in err
    assert "cat/7.png" in err
    status, out, _ = call(capsys, "data", str(damaged), "--skip-broken")
    assert status == 0
    words = " ".join(out.split())
    assert "before fitting: 8 x 8 (38)" in words
    assert "cat/3.png" in words
    assert "passed over 1 (.txt is no picture)" in words


def test_a_run_that_skipped_resumes_only_so(capsys, damaged, tmp_path) -> None:
    small = (
        "--epochs=1",
        "--batch-size=8",
        "--set=generator.hidden=[8]",
        "--set=discriminator.hidden=[8]",
        "--set=discriminator.dropout=0.0",
    )
    train = ("train", "sgd", f"--data={damaged}", f"--out={tmp_path / 'runs'}", *small, "-q")
    assert call(capsys, *train)[0] == 1
    status, out, _ = call(capsys, *train, "--skip-broken")
    assert status == 0
    run = Run.open(out.strip())
    assert run.recipe.data.skip_broken
    assert call(capsys, "train", f"--resume={run.path}", "--epochs=2", "-q")[0] == 0
    with zipfile.ZipFile(damaged, "a") as archive:
        for number in range(10):
            archive.writestr(f"cat/more {number}.png", archive.read(f"cat/{2 * number + 9}.png"))
    status, _, err = call(capsys, "train", f"--resume={run.path}", "--epochs=4", "-q")
    assert status == 1
    assert "is not the one that" in err
