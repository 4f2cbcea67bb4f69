"""What is said of images before they are trained on, and that nothing is said of sound ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import counterfeit
from counterfeit import data, recipe
from counterfeit.data.fitting import Look
from counterfeit.data.images import Source


def drawn(high: int, size: tuple[int, ...] = ()) -> np.ndarray:
    """Below `high`, from the generator that is seeded anew for each test: one that all tests share
    would draw other images, in other splits, wherever others of them run beside."""
    return torch.randint(high, size, dtype=torch.uint8).numpy()


def noise(size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.fromarray(drawn(256, (size[1], size[0], 3)))


def sprite() -> Image.Image:
    """A white cross on nothing."""
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[6:10] = pixels[:, 6:10] = 255
    pixels[..., 3] = pixels[..., 0]
    pixels[..., 0] = np.where(pixels[..., 3] > 0, 255 - drawn(2), 0)
    return Image.fromarray(pixels)


def folder(place: Path, pictures: list[Image.Image]) -> Path:
    place.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        picture.save(place / f"{number:02}.png")
    return place


def said(place: Path, **look: object) -> str:
    return "\n".join(data.doubts(data.load(place, **look), Look(fit=look.get("fit", "crop"))))


def test_of_sound_images_nothing_is_said(tmp_path: Path) -> None:
    assert said(folder(tmp_path / "set", [noise() for _ in range(30)])) == ""
    assert data.doubts(data.load("digits"), Look()) == []


def test_white_sprites_on_white_are_said_to_be_of_one_colour(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", [sprite() for _ in range(30)])
    assert "are of one colour" in said(place)
    assert "--background" in said(place)
    assert "one colour" not in said(place, background="black")


def test_large_images_are_looked_at_in_part() -> None:
    images = torch.full((4, 3, 256, 256), 200, dtype=torch.uint8)
    images[:2] = torch.randint(0, 256, (2, 3, 256, 256)).byte()
    images[3, :, 0] = 0  # one line
    train = data.ImageData("x", "train", images, None, source=Source())
    (empty,) = data.doubts(train, Look())
    assert empty.startswith("50%")


def test_what_a_crop_takes_away_is_said(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", [noise((8, 32)) for _ in range(30)])
    assert "lose 75% of their area; --fit pad" in said(place)
    assert said(place, fit="pad") == ""


@pytest.mark.parametrize("copies", [10, 2])
def test_copies_are_counted(tmp_path: Path, copies: int) -> None:
    pictures = [noise() for _ in range(30 - copies)]
    place = folder(tmp_path / "set", pictures + [pictures[0]] * copies)
    assert ("exact copies" in said(place)) == (copies == 10)


def test_one_class_is_said_to_be_one(tmp_path: Path) -> None:
    folder(tmp_path / "set" / "cat", [noise() for _ in range(30)])
    assert "All images are of one class" in said(tmp_path / "set")


def test_values_far_below_white_are_said_to_be(tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", drawn(17, (30, 8, 8)))  # as scikit-learn's digits
    assert "No pixel is brighter than 16 of 255" in said(tmp_path / "set.npy")


def test_it_is_said_before_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = folder(tmp_path / "set", [sprite() for _ in range(30)])
    spec = recipe.load("sgd").with_overrides(
        ["generator.hidden=[8]", "discriminator.hidden=[8]", "discriminator.dropout=0.0",
         "training.epochs=1", "training.batch_size=5"]
    )  # fmt: skip
    counterfeit.train(spec, data=place, out=tmp_path / "runs")
    assert "are of one colour" in caplog.text
