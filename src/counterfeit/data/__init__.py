"""Data sets by name, and the user's own images, as tensors in memory.

Images are uint8 (N, C, H, W); a training batch is an index and a cast.
"""

from counterfeit.data.classes import class_numbers, class_sizes, classes_of
from counterfeit.data.doubts import doubts
from counterfeit.data.fitting import Look
from counterfeit.data.identity import Identity, identities
from counterfeit.data.images import ImageData, NoSuchSplit, Split, as_float, as_uint8
from counterfeit.data.loading import anchored, load, load_for
from counterfeit.data.published import (
    credit,
    data_folder,
    fetch,
    find,
    is_published,
    origin,
    titles,
)
from counterfeit.data.show import describe, describe_source, preview

__all__ = [
    "Identity",
    "ImageData",
    "Look",
    "NoSuchSplit",
    "Split",
    "anchored",
    "as_float",
    "as_uint8",
    "class_numbers",
    "class_sizes",
    "classes_of",
    "credit",
    "data_folder",
    "describe",
    "describe_source",
    "doubts",
    "fetch",
    "find",
    "identities",
    "is_published",
    "load",
    "load_for",
    "origin",
    "preview",
    "titles",
]
