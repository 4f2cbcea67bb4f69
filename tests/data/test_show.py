from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from counterfeit import data
from counterfeit.errors import CounterfeitError, UsageError


def test_describe_counts_the_classes() -> None:
    text = data.describe(data.load("digits", "test"))
    assert "digits, test: 360 images of 8 x 8 pixels, gray" in text
    assert "0 35, 1 36, 2 35" in text


def test_preview_draws_each_image_as_it_is(tmp_path: Path) -> None:
    digits = data.load("digits")
    once = data.preview(digits, tmp_path / "new" / "a.png", n=11)
    again = data.preview(digits, tmp_path / "b.png", n=11)
    with Image.open(once) as image:
        assert image.width > 1000
        assert {0, 255} < set(np.unique(np.asarray(image.convert("L"))).tolist())
    assert once.read_bytes() == again.read_bytes()


def test_preview_takes_color_no_labels_and_strange_names(tmp_path: Path) -> None:
    images = torch.full((2, 3, 4, 4), 200, dtype=torch.uint8)
    plain = data.ImageData("x", "train", images, None)
    named = replace(plain, labels=torch.tensor([0, 1]), classes=("$a_", "b^$"))
    for i, each in enumerate((plain, named)):
        assert data.preview(each, tmp_path / f"{i}.png").is_file()


def test_a_preview_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    digits = data.load("digits")
    (tmp_path / "file").touch()
    with pytest.raises(CounterfeitError, match="cannot write"):
        data.preview(digits, tmp_path / "file" / "a.png")
    with pytest.raises(UsageError, match=r"a\.what"):
        data.preview(digits, tmp_path / "a.what")
    with pytest.raises(UsageError, match="at least one"):
        data.preview(digits, tmp_path / "a.png", n=0)
