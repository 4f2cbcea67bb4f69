"""Pictures of a run: from arrays and rows to images and charts, and from a run to its files.

Grids of images are exact pixels: each pixel becomes a square, without gaps or smoothing. Charts
stand on white, so that they read on any page. `write(run, name)` draws one into the run's
`figures/`; `FIGURES` lists the names.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts import (
    classes,
    discriminator,
    gradients,
    heads,
    history,
    losses,
    maxout,
    metrics,
    penalties,
    samples,
)
from counterfeit.insight.charts.samples import write_each, write_samples
from counterfeit.insight.charts.save import save
from counterfeit.run import Run
from counterfeit.run.findings import Finding

__all__ = [
    "CHARTS",
    "DRAWINGS",
    "FIGURES",
    "PICTURES",
    "TIMELINES",
    "write",
    "write_each",
    "write_samples",
]


PICTURES: dict[str, Callable[[Run, Path], None]] = {
    "samples": samples.write_new_samples,
    "history": history.write_history,
    "latents": history.write_latents,
    "animation": history.write_animation,
    "maxout-history": maxout.write_maxout_history,
    "nearest": samples.write_nearest,
    "interpolation": samples.write_interpolation,
    "preview": samples.write_preview,
}

TIMELINES: dict[str, Callable[[Run, Sequence[Finding]], Figure]] = {
    "losses": losses.draw_losses,
    "outputs": discriminator.draw_outputs,
    "scores": discriminator.draw_scores,
    "penalties": penalties.draw_penalties,
    "heads": heads.draw_heads,
    "gradients": gradients.draw_gradients,
    "metrics": metrics.draw_metrics,
}
"""Charts over epochs, in which findings are marked."""

CHARTS: dict[str, Callable[[Run, Sequence[Finding]], Figure]] = {
    "classes": lambda run, _: classes.class_bars(classes.count_classes(run)),
    **TIMELINES,
}
"""What has axes, and can be drawn on those of another run."""

DRAWINGS: dict[str, Callable[[Run, Sequence[Finding]], Figure | Image.Image]] = {
    "maxout": lambda run, _: maxout.draw_maxout(run),
    **CHARTS,
}
"""Charts, and what is one for some runs."""

FIGURES = (*PICTURES, *DRAWINGS)
"""What `write` draws, by name."""


def write(
    run: Run, name: str, findings: Sequence[Finding] = (), *, folder: Path | None = None
) -> Path:
    """Draw the figure of that name (see `FIGURES`) into a folder.

    Args:
        folder: the run's `figures/` when absent.
        findings: are marked where they lie, if it is a chart over epochs.

    Raises:
        CounterfeitError: the run has not what it takes, or the file cannot be written.
    """
    suffix = ".webp" if name == "animation" else ".png"
    path = (folder or run.path / "figures") / f"{name}{suffix}"
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise CounterfeitError(f"cannot create {path.parent}: {error.strerror}.") from None
    if name in DRAWINGS:
        save(DRAWINGS[name](run, findings), path)
    else:
        PICTURES[name](run, path)
    return path
