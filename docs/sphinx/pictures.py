"""Make the pictures of README and of the site's start page, from two real runs on MNIST.

    python docs/sphinx/pictures.py docs/pictures

The article's first stage, which fails and says so, and its third, which makes digits. It writes

    terminal.svg                         what the failing command said, 80 columns wide
    digits.webp                          the same latents' images after each of the other's epochs
    report-light.webp, report-dark.webp  the page about both, as a window of 1280 x 800 opens it

in three minutes on two idle cores, and needs a browser (`make browser`).
"""

import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, ViewportSize, sync_playwright
from rich.console import Console

from counterfeit import cores
from counterfeit.insight.charts.grids import COLUMNS, Pixels, grid, in_few_shades
from counterfeit.insight.charts.history import animation
from counterfeit.run import Run
from counterfeit.terminal import styled
from sample import in_terminal

FAILING = "counterfeit train sgd --stop-on critical"
WORKING = "counterfeit train batchnorm-smoothing --epochs 24"

WINDOW: ViewportSize = {"width": 1280, "height": 800}
"""CSS pixels; what it shows is above the fold."""

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

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
    return picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


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


def write_screens(browser: Browser, page: Path, target: Path) -> None:
    """What a window shows of the page before anyone scrolls, in both themes."""
    for theme in THEMES:
        context = browser.new_context(viewport=WINDOW, color_scheme=theme)
        tab = context.new_page()
        tab.goto(page.as_uri())
        screen = Image.open(io.BytesIO(tab.screenshot()))
        screen.convert("RGB").save(target / f"report-{theme}.webp", quality=85, method=6)
        context.close()


def main(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    # A number of threads that was chosen: else a busy machine would be spoken of in the picture.
    os.environ.setdefault("OMP_NUM_THREADS", str(cores.count()))
    with tempfile.TemporaryDirectory() as folder:

        def run(command: str, status: int = 0) -> str:
            words = [sys.executable, "-m", *command.split()]
            return in_terminal(words, folder, status).replace(f"{folder}/", "")

        said = run(FAILING, status=3)  # 3: stopped by a finding
        (target / "terminal.svg").write_text(terminal(FAILING, said), encoding="utf-8")
        run(f"{WORKING} --quiet")
        failing, working = sorted((Path(folder) / "runs").iterdir())

        digits = Run.open(working)
        frames = [
            frame(digits.snapshot(epoch)[:LATENTS], epoch) for epoch in digits.snapshot_epochs
        ]
        (target / "digits.webp").write_bytes(animation(frames, milliseconds=MILLISECONDS))

        page = run(f"counterfeit report {failing} {working} --quiet").splitlines()[-1]
        with sync_playwright() as driver:
            # The sandbox needs rights that containers withhold; the page is our own.
            chromium = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            write_screens(chromium, Path(folder) / page, target)
            chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
