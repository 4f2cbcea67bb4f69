"""What about the user's own images will probably disappoint, said before they are trained on."""

import torch

from counterfeit.data import splits
from counterfeit.data.arrays import CHUNK_BYTES
from counterfeit.data.classes import classes_of
from counterfeit.data.fitting import Look
from counterfeit.data.images import ImageData
from counterfeit.language import tr, translated

LOOKED_AT = 2_000
"""Images at which pixels are looked at, evenly spaced: their order is that of their hashes."""

PIXELS = 4096
"""Of an image that are looked at, about, where it has more: evenly spaced, too."""

COMPARED_BYTES = 2**29
"""Of images that are searched for copies."""

EMPTY = 0.99
"""An image is called empty if so much of it is of one colour."""

EMPTY_SHARE, COPIED_SHARE, KEPT_SHARE = 0.2, 0.1, 0.6
"""Of images that are empty, that are copies, and of their area that a crop leaves."""

DARK = 64
"""Of 255: where no pixel is brighter, the range was meant to be another one."""


def doubts(train: ImageData, look: Look) -> list[str]:
    """A sentence for each, with what to do; nothing of published sets.

    Args:
        train: the training images, as they were fitted.
        look: what they were fitted to.
    """
    if train.source is None:
        return []
    found = [translated(note) for note in train.source.notes]
    some = train.images[:: max(1, len(train) // LOOKED_AT)][:LOOKED_AT]
    brightest = int(some.max())
    if brightest < DARK:
        found.append(
            tr(
                "No pixel is brighter than {brightest} of 255; scale the images to the whole"
                " range.",
                brightest=str(brightest),
            )
        )
    elif (empty := _empty(some)) >= EMPTY_SHARE:
        found.append(
            tr(
                "{share} of the images are of one colour, or nearly so; if they are drawings on"
                " a transparent ground, choose another --background.",
                share=f"{empty:.0%}",
            )
        )
    if look.fit == "crop" and (kept := _kept(train)) < KEPT_SHARE:
        found.append(
            tr(
                "Cropped to squares, the images lose {share} of their area; --fit pad keeps all"
                " of it.",
                share=f"{1 - kept:.0%}",
            )
        )
    if (copies := _copies(train)) >= COPIED_SHARE:
        found.append(
            tr(
                "{share} of the images are exact copies of others; remove them, unless they are"
                " to be learnt more often.",
                share=f"{copies:.0%}",
            )
        )
    if train.labels is not None and len(classes_of(train.labels).labels) == 1:
        found.append(
            tr(
                "All images are of one class; to learn several, name what holds a folder for each.",
            )
        )
    return found


def _empty(images: torch.Tensor) -> float:
    """The share of images of which nearly all is of their commonest colour in each channel."""
    found = 0
    step = max(1, CHUNK_BYTES // images[0].nbytes)
    apart = images[0, 0].numel() // PIXELS | 1  # odd: no multiple of a row
    for start in range(0, len(images), step):
        flat = images[start : start + step].flatten(2)[..., ::apart].short()  # (n, C, pixels)
        common = flat.mode(-1, keepdim=True).values
        same = ((flat - common).abs() <= 2).all(1).float().mean(-1)  # (n,)
        found += int((same >= EMPTY).sum())
    return found / len(images)


def _kept(train: ImageData) -> float:
    """The share of the images' area that a crop to their central squares leaves."""
    assert train.source is not None
    _, height, width = train.shape
    sizes = train.source.sizes
    if height != width or not sizes:
        return 1.0
    left = sum(count * min(size) / max(size) for size, count in sizes.items())
    return left / sum(sizes.values())


def _copies(train: ImageData) -> float:
    if train.images.nbytes > COMPARED_BYTES:
        return 0.0
    different = {splits.key(image.tobytes()) for image in train.images.numpy()}
    return 1 - len(different) / len(train)
