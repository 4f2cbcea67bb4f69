"""The documents as the repository's own pages show them."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LINK = re.compile(r"(?:\]\(|(?:src|srcset)=\")(?!https?://|#)([^)#\s\"]+)")

DOCUMENTS = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_picture_is_there(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / link).exists(), link


def test_the_pictures_are_small_and_ask_nobody() -> None:
    pictures = [*(REPOSITORY / "docs" / "pictures").iterdir()]
    assert sum(path.stat().st_size for path in pictures) < 1_500_000
    for path in pictures:
        if path.suffix == ".svg":
            assert "url(http" not in path.read_text(encoding="utf-8")
