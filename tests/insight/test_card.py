"""What a notebook shows of a run: a fragment that stands alone, and never an error."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import counterfeit
from counterfeit import language
from counterfeit.insight.card import MOST_BYTES, _lossy, card
from counterfeit.insight.charts.grids import grid
from counterfeit.recipe import Recipe
from counterfeit.run import Run
from counterfeit.training import loop


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    spec = counterfeit.load_recipe("adam").with_values(
        {"data.name": "digits", "data.train_images": 300, "generator.hidden": [16]}
    )
    return loop.train(spec, epochs=2, out=tmp_path_factory.mktemp("runs"))


def test_it_holds_everything_itself(run: Run) -> None:
    html = run._repr_html_()
    assert html == card(run)
    assert len(html) < 300_000
    assert html.count("<img") == 3
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)', html))
    assert "<script" not in html
    assert "<style" not in html  # a page's own would change with it
    assert "Too early to judge" in html
    assert "After epoch 2." in html
    assert str(run.path) in html


def test_it_is_seen_on_white_and_on_black(run: Run, browser: Any) -> None:
    for ground, ink in (("white", "black"), ("black", "white")):
        page = browser.new_context(viewport={"width": 1000, "height": 800}).new_page()
        page.set_content(f"<body style='background:{ground};color:{ink}'>{card(run)}</body>")
        assert page.locator("img").count() == 3
        for image in page.locator("img").all():
            assert image.evaluate("each => each.naturalWidth > 0 && each.clientWidth > 100")
        colour = page.locator("p").first.evaluate("each => getComputedStyle(each).color")
        assert colour == {"black": "rgb(0, 0, 0)", "white": "rgb(255, 255, 255)"}[ink]
        assert page.evaluate("document.body.scrollWidth <= 1000")
        page.context.close()


def test_what_a_run_has_not_is_left_out(tiny: Recipe, tmp_path: Path) -> None:
    def stop(*_: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        loop.train(tiny, out=tmp_path, on_row=[stop])
    html = Run.latest(tmp_path)._repr_html_()
    assert html is not None
    assert "After epoch 0." in html


def test_a_damaged_run_is_shown_as_text(run: Run, tmp_path: Path) -> None:
    empty = Run(tmp_path)
    assert empty._repr_html_() is None
    assert repr(empty) == f"Run({str(tmp_path)!r})"


def test_what_a_run_is_called_is_no_markup(run: Run) -> None:
    other = Run(run.path)
    spec = run.recipe.model_copy(update={"title": "<b onclick=x>&"})
    other.__dict__["recipe"] = spec
    assert "&lt;b onclick=x&gt;&amp;" in card(other)


def test_large_images_take_no_more_than_they_may() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 3, 64, 64), np.uint8)
    assert len(_lossy(grid(noise, scale=1))) <= MOST_BYTES


def test_it_is_in_korean_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with language.speaking("ko"):
        assert "판단하기" in card(run) or "이릅니다" in card(run)
    assert torch.get_num_threads() >= 1
