"""One picture: what is read, and what is not even tried."""

import io
import logging
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from counterfeit.data.pictures import WHITES, Broken, decode, formats, glance, suffixes, white_of


def encoded(image: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a format that Pillow will drop
        image.save(buffer, form)
    return buffer.getvalue()


def test_every_still_format_that_can_be_written_is_read() -> None:
    image = Image.new("RGB", (16, 16), (200, 100, 50))
    written = []
    for form in formats():
        try:
            content = encoded(image, form)
        except (OSError, KeyError, ValueError):  # not written here, or not in RGB
            continue
        got = np.asarray(decode(content, "RGB")).mean((0, 1))
        assert np.abs(got - (200, 100, 50)).max() < 4
        written.append(form)
    assert {"PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "TGA", "JPEG2000"} <= set(written)


def test_what_runs_programs_or_moves_is_no_picture() -> None:
    assert not {".eps", ".ps", ".pdf", ".mpg", ".mp4", ".wmf", ".h5"} & suffixes()
    assert {".png", ".jpg", ".jpeg", ".webp", ".avif", ".tga", ".jp2", ".pgm"} <= suffixes()
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(x) (w) file\n"
    with pytest.raises(Broken, match="no format"):
        decode(script, "RGB")  # whatever it is called


@pytest.mark.parametrize("white", WHITES)
def test_the_depth_that_16_bits_have_is_scaled_to_white(white: int) -> None:
    values = np.array([[0, white // 3, white]], np.uint16)
    content = encoded(Image.fromarray(values), "PNG")
    seen = glance(content)
    assert (seen.gray, seen.brightest) == (True, white)
    assert white_of(white) == white
    assert np.asarray(decode(content, "L", white=white)).tolist() == [[0, 85, 255]]


@given(st.integers(0, 65535))
def test_the_white_of_any_value_is_the_least_that_holds_it(brightest: int) -> None:
    white = white_of(brightest)
    assert white in WHITES
    assert brightest <= white
    assert brightest == 0 or all(other < brightest or other >= white for other in WHITES)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_broken_in_one_line(content: bytes) -> None:
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"P5 "):
        refusal = ""
        try:
            assert decode(start + content, "L").mode == "L"
        except Broken as error:
            refusal = str(error)
        assert "\n" not in refusal
        assert "object at 0x" not in refusal


def test_a_broken_picture_is_told_by_us_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow logs some of what is wrong, which Python prints where nobody listens."""
    monkeypatch.setattr(logging.root, "handlers", [])
    tags = {256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1025, 278: 2, 279: 4}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    tiff = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    with pytest.raises(Broken):
        decode(tiff, "L")
    assert capsys.readouterr().err == ""
