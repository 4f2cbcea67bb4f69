"""The pictures of README, but for the trainings that they show."""

import sys
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import pictures
from sample import in_terminal

SAID = "critical: mode-collapse since epoch 1. A & B\n  Try: <less>.\n"


def test_a_terminal_shows_what_was_said_in_its_colours_and_asks_for_no_font() -> None:
    picture = pictures.terminal("counterfeit train sgd", SAID)
    lines = [each for each in ElementTree.fromstring(picture).iter() if each.text]
    text = "".join(each.text or "" for each in lines).replace("\xa0", " ")
    assert "$ counterfeit train sgd" in text
    assert "mode-collapse since epoch 1. A & B" in text
    assert "Try: <less>." in text
    (severity,) = (each for each in lines if each.text == "critical")
    (other,) = (each for each in lines if "mode-collapse" in (each.text or ""))
    assert severity.get("class") != other.get("class")
    assert "font-face" not in picture


def test_hangul_is_two_cells_wide() -> None:
    texts = ElementTree.fromstring(pictures.terminal("x", "한글 ab & c")).iter()
    lengths = {text: float(each.get("textLength", 0)) for each in texts if (text := each.text)}
    wide = next(length for text, length in lengths.items() if text.startswith("한글"))
    assert wide == pytest.approx(11 / 3 * lengths["$\xa0x"])  # 11 cells, and 3


def test_a_command_is_heard_on_both_streams_and_its_status_looked_at(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('columns'); raise SystemExit('stopped')"]
    with pytest.raises(CalledProcessError, match="exit status 1"):
        in_terminal(command, str(tmp_path))
    said = in_terminal(command, str(tmp_path), status=1)
    assert sorted(said.splitlines()) == ["columns", "stopped"]


def test_a_frame_shows_every_image_and_its_epoch() -> None:
    images = np.zeros((40, 1, 28, 28), np.uint8)
    images[39] = 255
    shown = np.asarray(pictures.frame(images, 7))
    assert shown.shape == (4 * 56 + 36, 560)
    assert (shown[3 * 56 : 4 * 56, 9 * 56 :] == 255).all()
    assert not shown[: 3 * 56].any()
    assert shown[4 * 56 :].any()


def test_both_themes_are_shown_from_the_top_of_the_page(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<style>:root { color-scheme: light dark }</style><body style='height: 5000px'>words"
    )
    shown = pictures.screens(browser, page)
    assert shown["light"].size == shown["dark"].size == (1280, 800)
    assert np.asarray(shown["light"]).mean() > 240
    assert np.asarray(shown["dark"]).mean() < 40
