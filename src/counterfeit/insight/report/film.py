"""The fixed latents' images of many epochs, small enough for a page to carry them all."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts.grids import Pixels, evenly, grid, in_few_shades
from counterfeit.insight.charts.history import snapshot_epochs
from counterfeit.run import Run

FRAMES = 150
"""Epochs that are tried at first."""


@dataclass(frozen=True)
class Film:
    """A run's frames: `frames[i]` is a WebP file of its images after `epochs[i]`."""

    epochs: list[int]
    frames: list[bytes]
    missing: str = ""
    """Why there is none."""

    @property
    def sources(self) -> list[str]:
        """The frames as data URIs."""
        return [f"data:image/webp;base64,{base64.b64encode(each).decode()}" for each in self.frames]


def films(runs: Sequence[Run], limit: int) -> list[Film]:
    """A film of each run, all over the same epochs, as far as each run has them.

    Where they would take more than `limit` bytes together (a third more as text), epochs are left
    out evenly; the first and the last stay.
    """
    chosen = evenly(sorted({epoch for run in runs for epoch in run.snapshot_epochs}), FRAMES)
    encoded, missing = [], []
    for run in runs:
        try:
            epochs = _wanted(chosen, snapshot_epochs(run))
            encoded.append({epoch: frame(run.snapshot(epoch)) for epoch in epochs})
            missing.append("")
        except CounterfeitError as error:
            encoded.append({})
            missing.append(str(error))
    while True:
        kept = [
            {epoch: frames[epoch] for epoch in _wanted(chosen, list(frames))} for frames in encoded
        ]
        total = sum(len(content) for frames in kept for content in frames.values())
        if total <= limit or len(chosen) <= 2:
            return [
                Film(list(frames), list(frames.values()), reason)
                for frames, reason in zip(kept, missing, strict=True)
            ]
        fitting = int(len(chosen) * limit / total * 0.95)
        chosen = evenly(chosen, max(2, min(len(chosen) - 1, fitting)))


def _wanted(chosen: Sequence[int], there: Sequence[int]) -> list[int]:
    """Those of the chosen epochs that are there, and the last that is: a run may end early."""
    return sorted(set(chosen) & set(there) | set(there[-1:]))


def frame(images: Pixels) -> bytes:
    """Images in ten columns, a pixel for a pixel, in 16 shades, as a lossless WebP file."""
    buffer = io.BytesIO()
    grid(in_few_shades(images), scale=1).save(buffer, "WEBP", lossless=True, quality=60, method=4)
    return buffer.getvalue()
