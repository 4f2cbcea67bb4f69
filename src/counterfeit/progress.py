"""Progress on a terminal's stderr; silent elsewhere."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from counterfeit.files import Row


class StageBar:
    """A bar that names the stage it is in; hand it to whatever reports (stage, share done)."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[stage]}"),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=1.0, stage="")

    def __call__(self, stage: str, done: float) -> None:
        self._progress.update(self._task, completed=done, stage=stage)

    def __enter__(self) -> "StageBar":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()


class TrainingBar:
    """A bar with the epoch, both losses, the speed and the time left; hand `on_row` to training."""

    def __init__(self, title: str, epochs: int, *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._epochs = epochs
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=epochs, state="starting")

    def on_row(self, row: Row) -> None:
        state = (
            f"epoch {row['epoch']:.1f}/{self._epochs}"
            f"  D {row['d_loss']:.3f}  G {row['g_loss']:.3f}"
            f"  {row['images_per_second']:,.0f} images/s"
        )
        self._progress.update(self._task, completed=row["epoch"], state=state)

    def __enter__(self) -> "TrainingBar":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
