import os
from pathlib import Path

import numpy as np
import PIL
import pytest
import torch
from PIL import Image

from counterfeit import data
from counterfeit.data.images import SPLITS
from counterfeit.errors import CounterfeitError


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def gray(value: int, height: int = 8, width: int = 8) -> np.ndarray:
    return np.full((height, width), value, np.uint8)


def test_without_sub_folders_there_are_no_labels(tmp_path: Path) -> None:
    for i in range(14):
        save(tmp_path / f"{i:02}.png", gray(i))
    train, test = data.load(str(tmp_path), "train"), data.load(str(tmp_path), "test")
    assert train.labels is None
    assert train.shape == (1, 28, 28)
    both = torch.cat([train.images, test.images])[:, 0, 0, 0]
    assert sorted(both.tolist()) == list(range(14))


def test_sub_folders_are_classes_in_sorted_order(tmp_path: Path) -> None:
    for name, value in (("dog", 10), ("cat", 20), ("emu", 30)):
        for i in range(7):
            save(tmp_path / name / "deeper" / f"{i}.png", gray(value + i))
    for split in SPLITS:
        part = data.load(str(tmp_path), split)
        assert part.classes == ("cat", "dog", "emu")
        assert part.labels is not None
        assert set(part.labels.tolist()) == {0, 1, 2}
        values = part.images[:, 0, 0, 0] // 10
        assert torch.equal(part.labels, torch.tensor([-1, 1, 0, 2])[values.long()])


def test_one_image_above_the_sub_folders_means_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "1.png", gray(1))
    save(tmp_path / "2.png", gray(2))
    assert data.load(str(tmp_path)).labels is None


def test_the_central_square_is_kept(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 200
    save(tmp_path / "wide.png", wide)
    assert data.load(str(tmp_path), image_size=10).images.unique().tolist() == [200]


def test_resizing_antialiases(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    save(tmp_path / "stripes.png", stripes)
    inside = data.load(str(tmp_path), image_size=8).images[..., 2:-2].float()
    assert inside.min() > 110
    assert inside.max() < 145


def test_a_folder_is_gray_only_if_every_image_is(tmp_path: Path) -> None:
    save(tmp_path / "1.png", gray(100))
    Image.fromarray(gray(100)).convert("LA").save(tmp_path / "2.png")
    assert data.load(str(tmp_path)).shape == (1, 28, 28)
    save(tmp_path / "7.png", np.full((8, 8, 3), (255, 0, 0)))
    mixed = data.load(str(tmp_path))
    assert mixed.shape == (3, 28, 28)
    assert sorted(mixed.images[:, :, 0, 0].tolist()) == [[100] * 3, [100] * 3, [255, 0, 0]]
    assert data.load(str(tmp_path), channels=1).images.amin() == 76


OLD_PILLOW = int(PIL.__version__.split(".")[0]) < 13
"""It cannot read the plain YCbCr TIFF that it writes."""


@pytest.mark.parametrize(
    "mode",
    [
        *("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"),
        pytest.param("YCbCr", marks=pytest.mark.xfail(OLD_PILLOW, reason="Pillow", strict=True)),
    ],
)
def test_every_mode_gives_its_color(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode in ("CMYK", "YCbCr") else "png"
    Image.new("RGB", (9, 7), "white").convert(mode).save(tmp_path / f"x.{suffix}")
    images = data.load(str(tmp_path)).images
    assert images.min() >= 254


def test_transparent_means_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "x.png")
    assert data.load(str(tmp_path)).images.unique().tolist() == [255]


def test_16_bits_become_8(tmp_path: Path) -> None:
    values = np.array([0, 257, 128 * 257, 65535], np.uint16)
    Image.fromarray(np.tile(values, (4, 1))).save(tmp_path / "x.png")
    images = data.load(str(tmp_path), image_size=4).images
    assert images.shape == (1, 1, 4, 4)
    assert images[0, 0, 0].tolist() == [0, 1, 128, 255]


def test_float_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "x.tif")
    with pytest.raises(CounterfeitError, match=r"x\.tif.*8 or 16 bits"):
        data.load(str(tmp_path))


def test_exif_orientation_is_heeded(tmp_path: Path) -> None:
    top_dark = np.full((16, 16), 255, np.uint8)
    top_dark[:8] = 0
    image = Image.fromarray(top_dark)
    exif = image.getexif()
    exif[0x0112] = 3  # turned by 180 degrees
    image.save(tmp_path / "x.png", exif=exif)
    pixels = data.load(str(tmp_path), image_size=16).images[0, 0]
    assert (pixels[0, 0], pixels[-1, 0]) == (255, 0)


def test_one_image_trains_but_has_no_test_split(tmp_path: Path) -> None:
    save(tmp_path / "only.jpg", gray(9, 1, 300))
    assert data.load(str(tmp_path)).images.shape == (1, 1, 28, 28)
    with pytest.raises(CounterfeitError, match="none is for testing"):
        data.load(str(tmp_path), "test")


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none here")
    (tmp_path / ".hidden.png").write_text("")
    with pytest.raises(CounterfeitError, match="holds no images"):
        data.load(str(tmp_path))


@pytest.mark.parametrize("keep", [0, 20, 200])
def test_a_corrupt_image_is_named(tmp_path: Path, keep: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    path = save(tmp_path / "2.png", noise)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CounterfeitError, match=r"cannot read the image .*2\.png"):
        data.load(str(tmp_path))


@pytest.mark.parametrize("times", [1.5, 3])  # Pillow warns of the one and refuses the other
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: float
) -> None:
    save(tmp_path / "bomb.png", gray(0, 40, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(1600 / times))
    with pytest.raises(CounterfeitError, match=r"bomb\.png: it has more than"):
        data.load(str(tmp_path))


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "1.png", gray(1))
    (tmp_path / "cat" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(data.load(str(tmp_path))) == 1


def test_a_mode_without_a_conversion_is_named(tmp_path: Path) -> None:
    Image.new("LAB", (8, 8)).save(tmp_path / "x.tif")
    with pytest.raises(CounterfeitError, match=r"cannot read the image .*x\.tif.*LAB"):
        data.load(str(tmp_path), channels=1)


def test_every_16_bit_value_is_rounded_to_the_nearest(tmp_path: Path) -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(values).save(tmp_path / "x.png")
    images = data.load(str(tmp_path), image_size=256).images
    assert (images[0, 0].numpy() == np.round(values / 257)).all()


def test_a_class_name_that_is_no_text_can_be_shown(tmp_path: Path, capsys) -> None:
    for name in (os.fsdecode(b"\xff"), "쥐\n", "cat"):
        save(tmp_path / "images" / name / "1.png", gray(1))
    loaded = data.load(str(tmp_path / "images"))
    assert loaded.classes == ("cat", "쥐\n", "?")
    data.preview(loaded, tmp_path / "p.png")
    assert capsys.readouterr().err == ""
