"""The playground in a browser, served by the command as it is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playground_tab import Tab
from serving import serving


@pytest.fixture(scope="session")
def address() -> Iterator[Callable[[str], str]]:
    """From a language to the address of a server that speaks it."""
    with ExitStack() as servers:
        running: dict[str, str] = {}

        def of(language: str) -> str:
            if language not in running:
                server = serving("--playground", language=language)
                running[language] = servers.enter_context(server)
            return running[language]

        yield of


@pytest.fixture
def open_tab(browser: Any, address: Callable[[str], str]) -> Iterator[Callable[..., Tab]]:
    """The playground in a new tab; settings are Playwright's of a context."""
    tabs: list[Tab] = []

    def opened(language: str = "en", **how: Any) -> Tab:
        tabs.append(Tab(browser, address(language), **how))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.context.close()
        assert tab.heard == []
        assert len(tab.hosts) == 1
