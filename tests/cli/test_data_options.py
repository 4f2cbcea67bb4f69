"""Options that say how images are made: from the command to the run and its readers."""

import numpy as np
import pytest
from command import call
from PIL import Image

from counterfeit.run import Run

SMALL = (
    "--epochs=1",
    "--batch-size=8",
    "--set=generator.hidden=[8, 8]",
    "--set=discriminator.hidden=[8, 8]",
)


@pytest.fixture
def folder(tmp_path):
    """Tall pictures of random colours on nothing."""
    rng = np.random.default_rng(0)
    place = tmp_path / "pictures"
    place.mkdir()
    for number in range(40):
        pixels = rng.integers(0, 256, (20, 10, 4), np.uint8)
        pixels[:, 0] = 0
        Image.fromarray(pixels).save(place / f"{number}.png")
    return place


def test_a_run_keeps_its_options_and_every_reader_has_them(capsys, tmp_path, folder) -> None:
    out, data = f"--out={tmp_path / 'runs'}", f"--data={folder}"
    chosen = ("--image-size=12", "--fit=pad", "--background=#102030")
    status, printed, _ = call(capsys, "train", "batchnorm-smoothing", data, out, *chosen, *SMALL)
    assert status == 0
    run = Run.open(printed.strip())
    assert run.image_shape == (3, 12, 12)
    for split in ("train", "validation", "test"):
        images = run.load_data(split).images
        assert images[:, :, 6, 0].unique(dim=0).tolist() == [[0x10, 0x20, 0x30]]  # a bar

    again = ("train", "batchnorm-smoothing", f"--resume={run.path}", data, *SMALL)
    status, _, _ = call(capsys, *again, *chosen)
    assert status == 0
    status, _, err = call(capsys, *again, *chosen[:2], "--background=white")
    assert status == 2
    assert "data.background: #102030 -> white" in err

    fork = ("--fork", "--background=white", "--epochs=2", out)
    status, printed, _ = call(capsys, "train", f"--resume={run.path}", *fork)
    assert status == 0
    child = Run.open(printed.strip())
    assert child.recipe.data.fit == "pad"
    assert child.trained_on is not None
    assert run.trained_on is not None
    assert child.trained_on.shape == run.trained_on.shape
    assert child.trained_on.sha256 != run.trained_on.sha256


def test_data_shows_what_the_options_make(capsys, folder) -> None:
    _, out, _ = call(capsys, "data", str(folder), "--image-size=9", "--channels=1")
    assert "9 x 9 pixels, gray" in out


def test_what_is_no_colour_is_one_line_before_anything_is_read(capsys, tmp_path, folder) -> None:
    for wrong in ("whitish", "#12", "rgba(0,0,0,0)"):
        status, out, err = call(
            capsys, "train", "sgd", f"--data={folder}", f"--background={wrong}", f"--out={tmp_path}"
        )
        assert (status, out, len(err.splitlines())) == (2, "", 1)
        assert "should be a colour" in err
