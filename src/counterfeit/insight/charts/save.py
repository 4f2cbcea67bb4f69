"""Pictures as files."""

import io
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from counterfeit.files import write_whole

VECTORS = ("svg", "pdf")
"""Formats, beside PNG, that charts can have; their text stays text."""

UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""The same chart is the same file."""


def save(picture: Image.Image | Figure, path: Path) -> None:
    """In the format of the path's suffix; images are PNG files.

    Raises:
        CannotWrite: the file cannot be written.
    """
    write_whole(path, encoded(picture, path.suffix[1:]))


def encoded(picture: Image.Image | Figure, suffix: str) -> bytes:
    """A chart's file of that format; images are PNG files."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        with rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": "counterfeit", "pdf.fonttype": 42}
        ):
            picture.savefig(buffer, format=suffix, facecolor="white", metadata=UNDATED.get(suffix))
    else:
        picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
