import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from small_set import small_set

from counterfeit.data.catalogue import PUBLISHED, Published
from counterfeit.data.sources import Source


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes `mnist` the small set, from the given fetchers: `first`, `second`, …"""

    def publish(*fetchers: Callable[[Path], None]) -> None:
        names = ("first", "second", "third")
        sources = tuple(
            Source(name, f"mend the {name}", fetcher)
            for name, fetcher in zip(names, fetchers, strict=False)
        )
        checksums = {name: hashlib.sha256(b).hexdigest() for name, b in small_set().items()}
        monkeypatch.setitem(PUBLISHED, "mnist", Published(checksums, sources, ()))

    return publish
