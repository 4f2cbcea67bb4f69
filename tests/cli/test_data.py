"""`counterfeit recipes` and `data`."""

import tomllib

import numpy as np
import pytest
from command import call

from counterfeit import recipe


def test_recipes_lists_and_prints(capsys) -> None:
    status, out, _ = call(capsys, "recipes")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == recipe.names()
    status, out, _ = call(capsys, "recipes", "paper")
    assert recipe.parse(tomllib.loads(out), "stdout") == recipe.load("paper")


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
