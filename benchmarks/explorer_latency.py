"""From a slider to the image: milliseconds in the explorer's page, in Chromium, from disk.

    python benchmarks/explorer_latency.py RUN … [--moves 200]

A move is an `input` event of a slider of the page's first twelve; it ends when the browser draws
the frame after the image is on the canvas. Moves follow each other as a hand's do: the next begins
when the last has ended, while the page computes verdicts and nearest images beside it. Runs take
turns, in an order that is drawn anew each round, so that a busy machine slows all alike.

Beside that: milliseconds until the page answers at all, and what a whole search for the image
nearest to a sample takes, and how far off in pixels it ends.
"""

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from counterfeit.exports import export
from counterfeit.run import Run

ROUNDS = 5

PATIENCE = 300_000
"""Milliseconds that a busy machine may take for what is not measured."""

MOVE = """async moves => {
  const sliders = document.querySelectorAll("#sliders input"), taken = [];
  for (let i = 0; i < moves; i++) {
    const slider = sliders[i % 12];
    const shown = new Promise(done => document.addEventListener("shown", done, { once: true }));
    const began = performance.now();
    slider.value = (Math.random() * 2 - 1) * slider.max;
    slider.dispatchEvent(new Event("input"));
    await shown;
    await new Promise(requestAnimationFrame);
    taken.push(performance.now() - began);
  }
  return taken;
}"""

SEARCH = """async () => {
  const began = performance.now();
  const found = new Promise(done => document.addEventListener("found", done, { once: true }));
  document.getElementById("copy-sample").click();
  await found;
  return [performance.now() - began, explorer.apart()];
}"""


def quantiles(values: list[float]) -> str:
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return f"{middle:.0f} [{low:.0f}, {high:.0f}] ms, n = {len(values)}, most {max(values):.0f}"


def opened(browser: Any, path: Path) -> tuple[Page, float]:
    """A page that answers, and the milliseconds until it did."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    began = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector("body:not(.loading)")
    return page, 1000 * (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--moves", type=int, default=200, help="of each run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=PATIENCE
        )
        pages: dict[Path, Page] = {}
        moves: dict[Path, list[float]] = {run: [] for run in given.runs}
        searches: dict[Path, list[tuple[float, float]]] = {run: [] for run in given.runs}
        for number, run in enumerate(given.runs):
            path = export(Run.open(run), "html", out=Path(folder) / f"{number}.html")
            page, ready = opened(browser, path)
            pages[run] = page
            megabytes = path.stat().st_size / 1e6
            print(f"{run.name}: {megabytes:.1f} MB, answers after {ready:.0f} ms", flush=True)
        for _ in range(ROUNDS):
            for run in random.sample(given.runs, len(given.runs)):
                pages[run].bring_to_front()
                moves[run] += pages[run].evaluate(MOVE, -(-given.moves // ROUNDS))
                searches[run].append(pages[run].evaluate(SEARCH))
        for run in given.runs:
            spans, apart = zip(*searches[run], strict=True)
            print(f"{run.name}: slider to image {quantiles(moves[run])}")
            print(
                f"  a search {quantiles(list(spans))}; pixels are off by at most {max(apart):.3f}"
            )
        browser.close()


if __name__ == "__main__":
    main()
