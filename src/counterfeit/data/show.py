"""What a data set looks like: in words, and as a picture."""

import math
import warnings
from collections import Counter
from pathlib import Path

import torch

from counterfeit.data.images import ImageData
from counterfeit.errors import CounterfeitError, UsageError


def describe(data: ImageData) -> str:
    """Count, shape, mean and classes, in a few lines."""
    channels, height, width = data.shape
    lines = [
        f"{data.name}, {data.split}: {len(data):,} images of {height} x {width} pixels,"
        f" {'gray' if channels == 1 else 'RGB'}",
        f"mean pixel: {data.mean_image().mean().item():.4f} (0 is black, 1 is white)",
    ]
    if data.labels is None:
        lines.append("no labels")
    else:
        counts = enumerate(data.labels.bincount().tolist())
        each = (f"{_class_name(data, label)} {count:,}" for label, count in counts if count)
        lines.append(f"images of each class: {', '.join(each)}")
    if data.held_out:
        never = ", which is never trained on" if data.apart else ""
        lines.append(f"the last {data.held_out:,} are the validation split{never}")
    return "\n".join(lines)


def describe_source(*splits: ImageData) -> str:
    """What lay where these splits were read, in a few lines: sizes, and what was passed over.

    Nothing of published sets.
    """
    sources = [split.source for split in splits if split.source is not None]
    sizes = sum((Counter(source.sizes) for source in sources), Counter[tuple[int, int]]())
    passed_over = dict.fromkeys(each for source in sources for each in source.passed_over)
    lines = []
    if sizes:
        named = [f"{h} x {w} ({count:,})" for (h, w), count in sizes.most_common(NAMED)]
        more = f" and {len(sizes) - NAMED:,} other sizes" if len(sizes) > NAMED else ""
        lines.append(f"before fitting: {', '.join(named)}{more}")
    by_reason: dict[str, list[str]] = {}
    for each in passed_over:
        by_reason.setdefault(each.why, []).append(each.name)
    for why, names in by_reason.items():
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        lines.append(f"passed over {len(names):,} ({why}): {', '.join(names[:NAMED])}{more}")
    return "\n".join(lines)


NAMED = 3
"""So many sizes and names are listed."""

LABEL_COLOUR = "#767676"
"""Reads on white and on black, for a PNG file is transparent between the images."""


def preview(data: ImageData, path: Path, n: int = 4) -> Path:
    """Draw `n` images, always the same random ones, with their labels as titles; return `path`.

    The format is the one that the path's suffix names.

    Raises:
        UsageError: `n` is below 1, or the suffix names no format.
        CounterfeitError: `path` cannot be written.
    """
    from matplotlib.figure import Figure

    if n < 1:
        raise UsageError(f"a preview needs at least one image, not {n}.")
    shuffled = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    chosen = shuffled[:n].tolist()
    columns = min(len(chosen), 8)
    rows = math.ceil(len(chosen) / columns)
    figure = Figure(figsize=(1.6 * columns, 1.9 * rows), dpi=150, layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in grid:
        axes.axis("off")
    for axes, index in zip(grid, chosen, strict=False):
        pixels = data.images[index].permute(1, 2, 0).numpy()  # (H, W, C)
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        if data.labels is not None:
            label = _class_name(data, int(data.labels[index]))
            axes.set_title(label, color=LABEL_COLOUR, parse_math=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")  # a class's name beyond the font
            figure.savefig(path, transparent=path.suffix.lower() == ".png")
    except OSError as error:
        raise CounterfeitError(f"cannot write {path}: {error.strerror or error}.") from error
    except ValueError as error:  # matplotlib's word for an unknown suffix
        raise UsageError(f"cannot draw to {path}: {error}.") from error
    return path


def _class_name(data: ImageData, label: int) -> str:
    return data.classes[label] if label < len(data.classes) else str(label)
