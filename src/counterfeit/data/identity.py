"""What a split holds: enough to see later that it has changed."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from counterfeit.data.images import ImageData, NoSuchSplit
from counterfeit.data.loading import load_for
from counterfeit.data.published import is_published
from counterfeit.recipe.sections import Data


@dataclass(frozen=True)
class Identity:
    """Number, shape and checksum of a split's images."""

    images: int
    shape: tuple[int, int, int]
    """(C, H, W)."""
    sha256: str
    """Of the pixels, then the labels, as they are loaded."""

    @classmethod
    def of(cls, split: ImageData) -> "Identity":
        return cls(len(split), split.shape, split.sha256)

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "Identity":
        """Of what `as_json` made.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        channels, height, width = table["shape"]
        numbers = table["images"], channels, height, width
        if not all(type(each) is int for each in numbers) or type(table["sha256"]) is not str:
            raise TypeError
        return cls(table["images"], (channels, height, width), table["sha256"])

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def changes(self, now: "Identity") -> str:
        """What differs now, in words; nothing where nothing does."""
        (channels, *size), (channels_now, *size_now) = self.shape, now.shape
        words = []
        if now.images != self.images:
            words.append(f"{now.images:,} instead of {self.images:,} images")
        if channels_now != channels:
            words.append("RGB instead of gray" if channels_now == 3 else "gray instead of RGB")
        if size_now != size:
            sizes = [f"{height} x {width}" for height, width in (size_now, size)]
            words.append(f"{sizes[0]} pixels instead of {sizes[1]}")
        if not words and now.sha256 != self.sha256:
            words.append("as many images, but other pixels or labels")
        return ", ".join(words)


def identities(section: Data, train: ImageData, data_dir: Path | None) -> dict[str, dict[str, Any]]:
    """The identity of a recipe's training images, and of the test images that belong to them.

    Those of published sets are left out: their files are checked whenever they are read.

    Raises:
        UsageError, CounterfeitError: the test images cannot be read.
    """
    found = {"train": Identity.of(train).as_json()}
    if not is_published(train.name):
        with suppress(NoSuchSplit):
            found["test"] = Identity.of(load_for(section, "test", data_dir)).as_json()
    return found
