"""The explorer's page in a browser, from disk and without a network."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import trained

import explorer_latency
from chromium import PATIENCE, find_axe, require_runtime
from counterfeit.exports import export
from counterfeit.language import speaking
from counterfeit.networks import ask, scores
from counterfeit.run import Run

KINDS = {
    "perceptron": "batchnorm-smoothing",
    "conditional": "dcgan, class norm and planes",
    "codes": "infogan",
    "scores": "wgan-gp",
    "together": "dcgan, nearest",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_runtime()
    return tmp_path_factory.mktemp("explorer")


@pytest.fixture(scope="module")
def explored(folder: Path) -> Callable[[str], tuple[Run, Path]]:
    """A run of that kind, and its page."""
    made: dict[str, tuple[Run, Path]] = {}

    def make(kind: str) -> tuple[Run, Path]:
        if kind not in made:
            run = trained(KINDS[kind], folder)
            made[kind] = run, export(run, "html", out=folder / f"{kind}.html")
        return made[kind]

    return make


SEEDED = """(() => {
  let state = 1;
  Math.random = () => (state = state * 48271 % 2147483647) / 2147483647;
})()"""
"""Park and Miller 1988: a page draws the same latents in every run of a test."""


class Opened:
    """A page that has started, and what it complained of."""

    def __init__(self, browser: Any, path: Path, **how: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | how)
        self.context.set_offline(True)
        self.context.add_init_script(SEEDED)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body:not(.loading)")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("file:", "blob:")):
            self.faults.append(request.url)

    def after(self, act: str, event: str = "shown") -> None:
        """Do that, and wait until the document hears of its end."""
        self.page.evaluate(
            "new Promise((done, fail) => {"
            f" setTimeout(fail, {PATIENCE}, new Error('not {event}'));"
            f" document.addEventListener('{event}', done, {{ once: true }}); {act} }}"
            ")"
        )

    def latent(self) -> torch.Tensor:
        return torch.tensor(self.page.evaluate("[...explorer.current.latent]"))

    def image(self) -> torch.Tensor:
        return torch.tensor(self.page.evaluate("[...explorer.current.image]"))


@pytest.fixture
def opened(browser: Any, explored) -> Iterator[Callable[..., Opened]]:
    pages = []

    def open_page(kind: str, **how: Any) -> Opened:
        pages.append(Opened(browser, explored(kind)[1], **how))
        return pages[-1]

    yield open_page
    for each in pages:
        each.context.close()
        assert each.faults == []


def own_image(run: Run, latent: torch.Tensor, label: int) -> torch.Tensor:
    """The run's own generator's image of a latent, from 0 to 1."""
    low, high = run.recipe.value_range
    with torch.inference_mode():
        image = ask(run.generator(), latent[None], torch.tensor([label]))
    return (image.flatten() - low) / (high - low)


SLIDE = """(() => {{
  const input = document.querySelectorAll("#sliders input")[{at}];
  input.value = {value};
  input.dispatchEvent(new Event("input"));
}})()"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_slider_moves_the_sample_whose_image_is_that_of_the_runs_own_generator(
    kind: str, opened, explored
) -> None:
    page, (run, _) = opened(kind), explored(kind)
    before = page.latent()
    page.after(SLIDE.format(at=2, value=1.5 * run.recipe.latent.std))
    after, dim = page.latent(), run.recipe.latent.dim
    direction = torch.tensor(page.page.evaluate("[...explorer.bases[0].directions[2]]"))
    assert float(after[:dim] @ direction) == pytest.approx(1.5 * run.recipe.latent.std, abs=0.02)
    moved = after - before
    assert torch.allclose(moved[:dim], (moved[:dim] @ direction) * direction, atol=1e-5)
    assert not moved[dim:].any()  # codes stay
    label = page.page.evaluate("explorer.current.label")
    assert torch.allclose(page.image(), own_image(run, after, label), atol=1e-4)


def test_every_slider_of_every_kind_shows_where_the_sample_is(opened) -> None:
    page = opened("perceptron")
    for at, name in enumerate(["Principal", "First layer", "Coordinates"]):
        page.page.get_by_role("radio", name=name).check(force=True)
        along = page.page.evaluate(
            f"explorer.bases[{at}].directions.map(d =>"
            " d.reduce((sum, v, i) => sum + v * explorer.current.latent[i], 0).toFixed(2))"
        )
        assert page.page.locator("#sliders output").all_text_contents() == along


def test_the_ways_ends_are_the_samples_that_were_picked(opened, explored) -> None:
    run, _ = explored("conditional")
    page = opened("conditional")
    picked = []
    for end, label in (("from", 3), ("to", 7)):
        page.after("document.querySelectorAll('#gallery button')[4].click()")
        page.after(f"document.querySelectorAll('#class input')[{label}].click()")
        page.page.locator(f"[data-end={end}]").click()
        picked.append(page.latent())
        page.after("document.getElementById('new').click()")
    for path in ("Straight", "Great circle"):
        page.page.get_by_role("radio", name=path).check(force=True)
        for value, latent, label in ((0, picked[0], 3), (1, picked[1], 7)):
            page.after(
                f"document.getElementById('way').value = {value};"
                "document.getElementById('way').dispatchEvent(new Event('input'));"
            )
            assert torch.allclose(page.latent(), latent, atol=1e-6)
            assert page.page.evaluate("explorer.current.label") == label
            assert torch.allclose(page.image(), own_image(run, latent, label), atol=1e-4)


def test_the_great_circle_keeps_the_length_where_the_straight_way_cuts_through(opened) -> None:
    page = opened("perceptron")
    lengths = page.page.evaluate(
        """(() => {
          const { from, to } = explorer.ends, length = v => Math.hypot(...v);
          const middles = explorer.paths.map(path => path(from.latent, to.latent, .5));
          return [...middles, from.latent, to.latent].map(length);
        })()"""
    )
    straight, circle, *ends = lengths
    assert straight < 0.9 * min(ends)
    assert 0.9 * min(ends) < circle < 1.1 * max(ends)


def test_a_code_is_chosen_and_slid(opened) -> None:
    page = opened("codes")
    category = (int(page.latent()[-12:-2].argmax()) + 1) % 10  # another: a choice made is none
    page.after(f"document.querySelectorAll('#category input')[{category}].click()")
    page.after(
        "const code = document.querySelector('#codes .slider input'); code.value = 0.5;"
        "code.dispatchEvent(new Event('input'));"
    )
    codes = page.latent()[-12:]
    assert codes[:10].tolist() == [float(n == category) for n in range(10)]
    assert float(codes[10]) == pytest.approx(0.5)


def test_truncation_draws_no_latent_beyond_it(opened, explored) -> None:
    run, _ = explored("perceptron")
    page = opened("perceptron")
    page.page.evaluate(
        "document.getElementById('truncation').value = 0.5;"
        "document.getElementById('truncation').dispatchEvent(new Event('input'))"
    )
    page.after("document.querySelectorAll('#gallery button')[0].click()")
    largest = float(page.latent().abs().max())
    assert 0.4 * run.recipe.latent.std < largest <= 0.5 * run.recipe.latent.std
    assert page.page.inner_text("#cut") == "within 0.50 standard deviations"


def test_latents_are_those_of_the_prior(opened, explored) -> None:
    for kind in ("perceptron", "conditional"):
        run, _ = explored(kind)
        page = opened(kind)
        drawn = torch.tensor(
            page.page.evaluate("Array.from({ length: 300 }, () => [...explorer.drawn().latent])")
        )
        std = run.recipe.latent.std
        assert float(drawn.std()) == pytest.approx(std, rel=0.05)
        if run.recipe.latent.distribution == "uniform":
            assert float(drawn.abs().max()) <= 3**0.5 * std
        else:
            within = (drawn.abs() < std).double().mean()
            assert float(within) == pytest.approx(0.6827, abs=0.02)


def test_a_press_on_the_map_goes_there_and_arrows_go_on(opened, explored) -> None:
    page, (run, _) = opened("perceptron"), explored("perceptron")
    chart = page.page.locator("#map")
    box = chart.bounding_box()
    first, second = map(
        torch.tensor,
        page.page.evaluate("explorer.bases[0].directions.slice(0, 2).map(each => [...each])"),
    )
    chart.click(position={"x": 0.75 * box["width"], "y": 0.75 * box["height"]})
    far = 3 * run.recipe.latent.std
    assert float(page.latent() @ first) == pytest.approx(far / 2, abs=0.02)
    assert float(page.latent() @ second) == pytest.approx(-far / 2, abs=0.05)
    chart.focus()
    page.page.keyboard.press("ArrowUp")
    assert float(page.latent() @ second) == pytest.approx(-far / 2 + far / 9, abs=0.05)


def test_a_drawing_gets_ds_own_verdict_and_a_nearest_image(opened, explored) -> None:
    run, _ = explored("perceptron")
    page = opened("perceptron")
    pad = page.page.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.page.mouse.up()
    page.page.wait_for_selector("#take:not(:disabled)")
    drawing = torch.tensor(page.page.evaluate("[...explorer.drawing()]"))
    assert drawing.max() > 0.5
    low, high = run.recipe.value_range
    with torch.inference_mode():
        logit = scores(run.discriminator()(drawing.view(1, 1, 8, 8) * (high - low) + low)).logits
    said = page.page.inner_text("#drawing-verdict .said")
    assert said.startswith(f"D(x) = {float(logit.sigmoid()):.2f}: D takes it for ")
    assert "Pixels differ by" in page.page.inner_text("#found-how")
    page.after("document.getElementById('take').click()")


@pytest.mark.parametrize("kind", ["perceptron", "conditional", "codes"])
def test_the_projection_of_a_generated_sample_finds_an_image_as_good_as_it(
    kind: str, opened
) -> None:
    page = opened(kind)
    page.after("document.getElementById('copy-sample').click()", "found")
    assert page.page.evaluate("explorer.apart()") < 0.03


def test_what_d_says_is_a_score_where_its_loss_makes_no_probability(opened, explored) -> None:
    run, _ = explored("scores")
    page = opened("scores")
    low, high = run.recipe.value_range
    images = page.image().view(1, *run.image_shape) * (high - low) + low
    with torch.inference_mode():
        score = float(scores(run.discriminator()(images)).logits)
    page.page.wait_for_selector(f'#verdict .said:text-is("D\'s score: {score:.2f}")')
    assert opened("together").page.locator("#verdict").count() == 0


def test_the_nearest_training_image_is_the_nearest(opened, explored) -> None:
    run, _ = explored("perceptron")
    page = opened("perceptron")
    page.page.wait_for_selector("#nearest .apart:not(:empty)")
    apart = (run.load_data().images.flatten(1) / 255 - page.image()).square().mean(1).sqrt().min()
    text = page.page.inner_text("#nearest .apart")
    assert text == f"Pixels differ by {float(apart):.3f} of their range"
    assert "among 60 of 60" in page.page.inner_text("main")


def test_wandering_goes_on_until_it_is_stopped(opened) -> None:
    page = opened("perceptron")
    button = page.page.locator("#wander")
    button.click()
    before = page.latent()
    page.after("")
    page.after("")
    assert not torch.equal(page.latent(), before)
    button.click()
    assert button.inner_text() == "Wander"
    rested = page.latent()
    page.page.wait_for_timeout(100)
    assert torch.equal(page.latent(), rested)


def test_the_benchmark_explorer_latency_measures_pages(explored) -> None:
    """In a process of its own, as this one has a browser."""
    script = Path(explorer_latency.__file__)
    run, _ = explored("perceptron")
    command = [sys.executable, str(script), str(run.path), "--moves=5"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(r"slider to image \d+ \[\d+, \d+\] ms, n = 5", told)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_keeps_people_from_using_it(opened, width: int, scheme: str) -> None:
    page = opened(
        "conditional",
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        bypass_csp=True,
    ).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(find_axe().read_text())
    violations = page.evaluate(
        "axe.run().then(found => found.violations.map(each => [each.id, each.nodes[0].html]))"
    )
    assert violations == []


def test_all_is_reached_by_keyboard(opened) -> None:
    page = opened("codes").page
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"new", "wander", "save", "sliders", "truncation", "more", "thumb", "way", "across",
            "map", "pad", "wipe", "copy-sample"} <= reached  # fmt: skip


def test_in_korean_no_english_is_left(folder: Path, browser: Any, explored) -> None:
    run, _ = explored("conditional")
    with speaking("ko"):
        path = export(run, "html", out=folder / "ko.html")
    page = Opened(browser, path)
    text = page.page.evaluate(
        "document.querySelector('main').innerText + [...document.querySelectorAll('[aria-label]')]"
        ".map(each => each.ariaLabel)"
    )
    page.context.close()
    assert page.faults == []
    assert "방향 1" in text
    for english in ("Direction", "Sample", "Class", "Draw", "latent", "image"):
        assert english not in text
