import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from counterfeit import data
from counterfeit.errors import UsageError


def test_digits_are_all_there_once_and_scaled_as_stated() -> None:
    from sklearn.datasets import load_digits

    train, test = data.load("digits", "train"), data.load("digits", "test")
    assert (len(train), len(test), train.shape) == (1437, 360, (1, 8, 8))
    both = torch.cat([train.images, test.images])[:, 0].numpy()
    exact = load_digits().images * 255 / 16
    assert both.max() == 255
    assert np.array_equal(both, np.floor(exact + 0.5))


def test_images_can_be_resized_and_made_rgb() -> None:
    digits = data.load("digits", image_size=16, channels=3)
    assert digits.shape == (3, 16, 16)
    assert torch.equal(digits.images[:, 0], digits.images[:, 2])
    stored = Image.fromarray(data.load("digits").images[7, 0].numpy())
    expected = np.asarray(stored.resize((16, 16), Image.Resampling.LANCZOS))
    assert np.array_equal(digits.images[7, 0].numpy(), expected)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mnits", "did you mean mnist"),
        ("nothing/like/it", "use mnist, .*, emoji or a folder, a zip"),
        ("", "neither"),
        ("x" * 5000, "neither"),
        ("~nobody-here/x", "neither"),
    ],
)
def test_an_unknown_name_is_a_usage_error(name: str, says: str) -> None:
    for function in (data.load, data.fetch):
        with pytest.raises(UsageError, match=says):
            function(name)


def test_a_file_of_no_kind_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no kind that is read"):
        data.load(__file__)


@pytest.mark.parametrize("name", ["pipe", "pipe.npy", "pipe.idx"])
def test_a_pipe_is_a_usage_error_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match="no kind that is read"):
        data.load(tmp_path / name)


def test_impossible_values_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="name must be a path, not 3"):
        data.load(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="train, validation or test"):
        data.load("digits", "valid")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="image_size"):
        data.load("digits", image_size=0)
    with pytest.raises(UsageError, match="image_size must be a whole number"):
        data.load("digits", image_size=8.5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="channels"):
        data.load("digits", channels=2)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="fit must be 'crop' or 'pad' or 'stretch'"):
        data.load("digits", fit="squeeze")  # type: ignore[arg-type]
    for colour in ("whitish", "#ffcc0080", 255):
        with pytest.raises(UsageError, match="background must be a colour"):
            data.load("digits", background=colour)  # type: ignore[arg-type]
