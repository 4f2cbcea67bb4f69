"""What G makes of the same latents as training goes on."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole
from counterfeit.insight.charts.grids import (
    COLUMNS,
    Pixels,
    evenly,
    grid,
    in_few_shades,
    labelled_columns,
)
from counterfeit.insight.charts.save import save
from counterfeit.language import english
from counterfeit.run import Run

HISTORY_EPOCHS = 100
"""Epochs in the history grid; a longer run is thinned evenly."""

ANIMATION_EPOCHS = 50
ANIMATION_BYTES = 2_000_000
FRAME_MILLISECONDS = 160
LAST_FRAME_MILLISECONDS = 2000


def write_history(run: Run, path: Path) -> None:
    """The first fixed latent, one image an epoch."""
    epochs = evenly([epoch for epoch in snapshot_epochs(run) if epoch > 0], HISTORY_EPOCHS)
    if not epochs:
        raise CounterfeitError(english("{run} has not finished an epoch yet.", run=str(run.path)))
    save(grid(np.stack([run.snapshot(epoch)[0] for epoch in epochs])), path)


def write_latents(run: Run, path: Path) -> None:
    """Eight fixed latents as rows, over epochs as columns."""
    epochs = evenly(snapshot_epochs(run), COLUMNS)
    images = np.stack([run.snapshot(epoch)[:8] for epoch in epochs], axis=1)  # (8, K, C, H, W)
    save(labelled_columns(images, list(map(str, epochs))), path)


def write_animation(run: Run, path: Path) -> None:
    epochs = evenly(snapshot_epochs(run), ANIMATION_EPOCHS)
    frames = [labelled_frame(run.snapshot(epoch), f"epoch {epoch}") for epoch in epochs]
    write_whole(path, animation(frames))


def labelled_frame(images: Pixels, label: str) -> Image.Image:
    """A 10-column grid of images, in 16 shades a channel, with a label above, on white."""
    side = max(images.shape[2:])
    cells = grid(in_few_shades(images), COLUMNS, scale=max(1, round(56 / side))).convert("RGB")
    font = ImageFont.load_default(size=22)
    strip = 36
    picture = Image.new("RGB", (cells.width, cells.height + strip), "white")
    picture.paste(cells, (0, strip))
    ImageDraw.Draw(picture).text((4, strip / 2), label, "black", font, anchor="lm")
    return picture


def animation(
    frames: Sequence[Image.Image],
    limit: int = ANIMATION_BYTES,
    *,
    milliseconds: int = FRAME_MILLISECONDS,
) -> bytes:
    """An endless animated WebP, lossless; frames are left out evenly until it fits `limit` bytes.

    The first and the last frame stay, and the last one is held.

    Args:
        milliseconds: that each of the others is shown.
    """
    chosen = list(frames)
    while True:
        holds = [milliseconds] * (len(chosen) - 1) + [LAST_FRAME_MILLISECONDS]
        buffer = io.BytesIO()
        chosen[0].save(
            buffer,
            "WEBP",
            save_all=True,
            append_images=chosen[1:],
            duration=holds,
            loop=0,
            lossless=True,
            quality=30,  # of the search, not of the picture
            method=2,
        )
        if buffer.tell() <= limit or len(chosen) <= 2:
            return buffer.getvalue()
        fitting = int(len(chosen) * limit / buffer.tell() * 0.95)
        chosen = evenly(chosen, min(len(chosen) - 1, max(2, fitting)))


def snapshot_epochs(run: Run) -> list[int]:
    """The epochs that a run has snapshots of.

    Raises:
        CounterfeitError: none.
    """
    epochs = run.snapshot_epochs
    if not epochs:
        raise CounterfeitError(english("{run} has no snapshots.", run=str(run.path)))
    return epochs
