"""A Monitor as a callback of Lightning, which is imported when one is made."""

from collections.abc import Mapping
from typing import Any

from counterfeit.errors import CounterfeitError
from counterfeit.monitor.kept import SERIES
from counterfeit.monitor.monitor import Monitor


def callback(
    generator: str = "generator", discriminator: str = "discriminator", **given: Any
) -> Any:
    """A callback for Lightning's Trainer that watches a module's training.

    What is told of an update are the keys `d_loss`, `g_loss`, `d_real` and `d_fake` of what
    `training_step` returns, if it returns a dictionary; losses that were logged under these names
    are found too.

    Args:
        generator: the module's attribute; `discriminator` likewise.
        given: the other arguments of `Monitor`.

    Raises:
        CounterfeitError: there is no Lightning.
    """
    try:
        from lightning.pytorch.callbacks import Callback
    except ImportError:
        try:
            from pytorch_lightning.callbacks import Callback
        except ImportError:
            raise CounterfeitError("there is no Lightning here; install lightning.") from None

    class Watching(Callback):  # type: ignore[misc]
        monitor: Monitor | None = None

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            players = getattr(pl_module, generator), getattr(pl_module, discriminator)
            self.monitor = Monitor(*players, **({"epochs": trainer.max_epochs} | given))

        def on_train_batch_end(
            self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
        ) -> None:
            returned = outputs if isinstance(outputs, Mapping) else {}
            known = {**trainer.callback_metrics, **returned}
            if self.monitor is not None:
                self.monitor.update(**{name: known.get(name) for name in SERIES})

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if self.monitor is not None:
                self.monitor.epoch()

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            self.close()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            self.close()

        def close(self) -> None:
            if self.monitor is not None:
                self.monitor.close()

    return Watching()
