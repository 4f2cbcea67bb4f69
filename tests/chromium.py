"""A browser for the tests of pages, and what finds faults in them."""

import os
import shutil
from pathlib import Path

import pytest

from counterfeit.data.published import NotHere, offline

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


PATIENCE = 300_000
"""Milliseconds after which a browser has failed, and is not just waiting for a busy machine."""


def find_chromium(own: Path) -> str | None:
    """The machine's; None where Playwright has its own. With neither, tests are skipped, and say
    so; where nobody reads that, they fail."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None and not own.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("no Chromium is installed; `make browser` brings one")
    return path


def find_axe() -> Path:
    """axe-core's script. Without it, tests are skipped, or fail where npm could have brought it."""
    path = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
    if not path.exists():
        _lacking("axe-core")
    return path


def require_runtime() -> None:
    """ONNX Runtime Web, in which explorers compute. Without it likewise."""
    from counterfeit.exports.explorer import runtime  # here, as all tests import this file

    try:
        with offline():
            runtime.fetched()
    except NotHere:
        _lacking("ONNX Runtime Web")


def _lacking(what: str) -> None:
    give_up = os.environ.get("CI") == "true" and shutil.which("npm")
    (pytest.fail if give_up else pytest.skip)(f"no {what}; `make browser` brings it from npm")
