"""What leaves a mark if it is run as code."""

from collections.abc import Callable
from pathlib import Path


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return (Path.touch, (self.mark,))
