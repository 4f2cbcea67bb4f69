"""Pictures as files."""

import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from counterfeit.files import write_whole


def save(picture: Image.Image | Figure, path: Path) -> None:
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(buffer, format="png", facecolor="white")
    else:
        picture.save(buffer, "PNG", optimize=True)
    write_whole(path, buffer.getvalue())
