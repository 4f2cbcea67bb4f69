"""Make the pictures of README and of the site's start page, from two real runs on MNIST.

    python docs/sphinx/pictures.py docs/pictures

The article's first stage, which fails and says so, and its third, which makes digits. It writes

    terminal.svg                         what the failing command said, 80 columns wide
    digits.webp                          the same latents' images after each of the other's epochs
    report-light.webp, report-dark.webp  the page about both, as a window of 1280 x 800 opens it

and terminal.ko.svg, report-light.ko.webp, report-dark.ko.webp, which speak Korean. It takes some
minutes and needs a browser (`make browser`).
"""

import io
import os
import re
import shutil
import sys
import tempfile
from html import unescape
from pathlib import Path
from typing import Literal, get_args

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, ViewportSize, sync_playwright
from rich.cells import cell_len
from rich.console import Console

from counterfeit import cores
from counterfeit.insight.charts.grids import COLUMNS, Pixels, grid, in_few_shades
from counterfeit.insight.charts.history import animation
from counterfeit.language import Language, speaking
from counterfeit.run import Run
from counterfeit.terminal import styled
from sample import in_terminal

FAILING = "counterfeit train sgd --stop-on critical"
WORKING = "counterfeit train batchnorm-smoothing --epochs 24"

WINDOW: ViewportSize = {"width": 1280, "height": 800}
"""CSS pixels; what it shows is above the fold."""

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)

SUFFIXES: dict[Language, str] = {"en": "", "ko": ".ko"}
"""Of the files that speak a language, as README's."""

LATENTS = 40
"""Of the hundred that a run keeps."""

MILLISECONDS = 250
"""That an epoch is shown."""


def terminal(command: str, said: str) -> str:
    """A command and its answer in the terminal's colours, as an SVG file that asks for no font."""
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    console.print(f"[bold]$ {command}")
    console.print(styled(said), soft_wrap=True)  # and an empty line, as the last one is cut
    picture = console.export_svg(title="", unique_id="terminal")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    picture = re.sub(r'(?<=textLength=")[\d.]+(?="[^>]*>([^<]+))', _length, picture)
    return picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


def _length(found: re.Match[str]) -> str:
    """A text's length, which rich counts in characters: a Hangul syllable is two cells wide."""
    text = unescape(found[1])
    return f"{float(found[0]) / len(text) * cell_len(text):g}"


def frame(images: Pixels, epoch: int) -> Image.Image:
    """A grid of digits, and the epoch below it: black, on pages of any colour."""
    digits = grid(in_few_shades(images), COLUMNS, scale=2).convert("L")
    strip = 36
    picture = Image.new("L", (digits.width, digits.height + strip))
    picture.paste(digits)
    place = (digits.width / 2, digits.height + strip / 2)
    font = ImageFont.load_default(size=18)
    ImageDraw.Draw(picture).text(place, f"epoch {epoch}", 220, font, anchor="mm")
    return picture


def screens(browser: Browser, page: Path) -> dict[Theme, Image.Image]:
    """What a window shows of the page before anyone scrolls, in both themes."""
    shown = {}
    for theme in THEMES:
        context = browser.new_context(viewport=WINDOW, color_scheme=theme)
        tab = context.new_page()
        tab.goto(page.as_uri())
        shown[theme] = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        context.close()
    return shown


def main(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    # A number of threads that was chosen: else a busy machine would be spoken of in the picture.
    os.environ.setdefault("OMP_NUM_THREADS", str(cores.count()))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:

        def run(command: str, language: Language = "en", status: int = 0) -> str:
            words = [sys.executable, "-m", *command.split()]
            said = in_terminal(words, folder, status=status, language=language)
            return said.replace(f"{folder}/", "")

        for language, suffix in SUFFIXES.items():
            said = run(FAILING, language, status=3)  # 3: stopped by a finding
            with speaking(language):
                picture = terminal(FAILING, said)
            (target / f"terminal{suffix}.svg").write_text(picture, encoding="utf-8")
        run(f"{WORKING} --quiet")
        failing, *_, working = sorted((Path(folder) / "runs").iterdir())

        digits = Run.open(working)
        frames = [
            frame(digits.snapshot(epoch)[:LATENTS], epoch) for epoch in digits.snapshot_epochs
        ]
        (target / "digits.webp").write_bytes(animation(frames, milliseconds=MILLISECONDS))

        # The sandbox needs rights that containers withhold; the page is our own.
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for language, suffix in SUFFIXES.items():
            page = run(f"counterfeit report {failing} {working} --quiet", language).splitlines()[-1]
            for theme, screen in screens(browser, Path(folder) / page).items():
                screen.save(target / f"report-{theme}{suffix}.webp", quality=85, method=6)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
