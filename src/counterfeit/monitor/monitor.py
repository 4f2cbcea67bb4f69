"""Monitor: a training loop that is not ours writes a run, and is told what is wrong with it."""

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, get_args

from torch import Tensor, distributed, nn

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data.given import find
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.insight.accounts import finding_line
from counterfeit.insight.diagnose import diagnose, news
from counterfeit.insight.verdict import judge
from counterfeit.insight.vitals import Gauge
from counterfeit.monitor.examiner import Examiner, NotFinite
from counterfeit.monitor.eyes import Eyes
from counterfeit.monitor.images import Range, checked_range, range_of, shape_of
from counterfeit.monitor.kept import Interval, Outputs
from counterfeit.monitor.source import Latents, Source, unchanged
from counterfeit.monitor.start import create_run
from counterfeit.networks.own import on_one_device
from counterfeit.recipe.sections import Training
from counterfeit.run.findings import Finding
from counterfeit.run.rows import LogRow
from counterfeit.terminal import columns, fill, styled
from counterfeit.tracking import LogTo, Tracker

LOG_EVERY = 100
"""Updates in a log row; `epoch` closes one early."""

SAMPLES = 2_000
"""Images that a run keeps to be measured and looked at."""


class Monitor:
    """Watches a GAN that your own loop trains: writes a run directory, which `counterfeit report`,
    `diagnose`, `evaluate` and `sample` read like any other, and says what goes wrong.

    Nothing of the training changes: after any number of calls the networks' weights, modes,
    statistics and gradients and the random states of torch, NumPy and Python are those that they
    would be without it.

    >>> monitor = counterfeit.Monitor(G, D, data="mnist", latents=fixed_z, d_outputs="logits")
    >>> for epoch in range(epochs):
    ...     for real, _ in loader:
    ...         ...  # both steps
    ...         monitor.update(d_loss=loss_D, g_loss=loss_G, d_real=D_real, d_fake=D_fake)
    ...     monitor.epoch()
    >>> monitor.close()

    Of several processes (DistributedDataParallel, accelerate), the first one's alone watches.

    Args:
        generator: maps latents to images, (N, pixels), (N, H, W), (N, C, H, W) or (N, H, W, C).
        discriminator: without it, nothing is known of its gradients and of what it was shown.
        data: the real images: a data set's name, a folder, an array, a tensor, a Dataset or a
            DataLoader of one; without them, the images are compared with nothing. A run keeps up
            to 64 MiB of those that have no name.
        latents: whose images are kept after each epoch, up to 100: a tensor, or the arguments of
            `generator` in a tuple, as of latents and classes; or a function that draws n.
        d_outputs: what D answers with: "logits", "probabilities" or "scores", as a critic.
        value_range: of the generator's pixels; found by looking when absent.
        epochs: as many are planned, if any number is.
        save: keep the newest weights of both networks, as safetensors.
        samples: images to keep of the newest generator, for `counterfeit evaluate`.
        label: of the run, a part of its directory's name.
        out: the folder to make the run directory in.
        data_dir: where data sets are kept; the user's cache folder when absent.
        log_to: "tensorboard" or "trackio": hand the rows on, at each call of `epoch`.
        quiet: print nothing; `epoch` returns what it found all the same.

    Raises:
        UsageError: an impossible argument; nothing is written.
        CounterfeitError: the data cannot be had, or the run cannot be written.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module | None = None,
        *,
        data: Any = None,
        latents: Latents,
        d_outputs: Outputs,
        value_range: Range | None = None,
        epochs: int | None = None,
        save: bool = False,
        samples: int = SAMPLES,
        label: str = "monitor",
        out: StrPath = "runs",
        data_dir: StrPath | None = None,
        log_to: LogTo | None = None,
        quiet: bool = False,
    ) -> None:
        for name, each in (("generator", generator), ("discriminator", discriminator)):
            if not isinstance(each, nn.Module) and (each is not None or name == "generator"):
                raise UsageError(f"{name} must be a module, not {arguments.shown(each)}.")
        arguments.one_of("d_outputs", d_outputs, get_args(Outputs))
        self._planned = (
            None if epochs is None else arguments.whole_number("epochs", epochs, least=1)
        )
        samples = arguments.whole_number("samples", samples, least=0, most=1_000_000)
        self._save, self._quiet = save, quiet
        self._generator = generator = on_one_device(generator)
        discriminator = discriminator and on_one_device(discriminator)
        self._interval = Interval(d_outputs)
        self.step = 0
        """Calls of `update` so far."""
        self.epochs = 0
        """Calls of `epoch` so far."""
        self._epoch_started = self._per_epoch = 0  # in steps
        self._batch: int | None = None
        self._closing = ExitStack()
        self._silent = distributed.is_initialized() and distributed.get_rank() > 0
        if self._silent:
            return
        self._tracker = None if log_to is None else Tracker(log_to)
        with unchanged(generator), ExitStack() as closing:
            if self._tracker is not None:
                closing.callback(self._tracker.close)
            self._eyes = Eyes(generator, discriminator)
            closing.callback(self._eyes.remove)
            source = Source(generator, self._eyes, latents, samples)
            images = source.images(source.fixed)
            pixels = checked_range(value_range) or range_of(generator, images)
            kept_in = None if data_dir is None else arguments.path("data_dir", data_dir).resolve()
            real = find(data, shape_of(images), kept_in)
            self.run = create_run(
                out,
                label,
                real,
                kept_in,
                players=(generator, discriminator),
                latent_dim=source.fixed[0][0].numel(),
                outputs=d_outputs,
                image_shape=shape_of(images),
                value_range=pixels,
                epochs=self._planned or 1,
            )
            closing.enter_context(self.run.locked())
            self._gauge: Gauge | None = None
            if real is not None:
                closing.enter_context(self.run.holding(real.train))
                self._gauge = Gauge(self.run)
            self._examiner = Examiner(
                self.run,
                source,
                self._eyes,
                discriminator=discriminator,
                outputs=d_outputs,
                value_range=pixels,
                gauge=self._gauge,
            )
            self._examiner.look_at_fixed(0, 0)
            self._closing = closing.pop_all()
        self._row_time = time.perf_counter()

    def update(
        self,
        *,
        d_loss: Tensor | float | None = None,
        g_loss: Tensor | float | None = None,
        d_real: Tensor | float | None = None,
        d_fake: Tensor | float | None = None,
    ) -> None:
        """Tell of one update, when both networks have made their steps.

        Tensors are kept as they are, on their device, until a row is due.

        Args:
            d_loss: a number; `g_loss` likewise, where there is a new one.
            d_real: what D answered to the real images, (N,) or (N, 1), or per patch; their mean is
                enough for a part of what can be said.
            d_fake: what it answered to generated ones.

        Raises:
            UsageError: one is neither a tensor nor a number.
        """
        if self._silent:
            return
        self._interval.add({"d_loss": d_loss, "g_loss": g_loss, "d_real": d_real, "d_fake": d_fake})
        self.step += 1
        self._eyes.end_update()
        if self._interval.updates == LOG_EVERY:
            with self._undisturbed():
                self._write_row()

    def epoch(self) -> list[Finding]:
        """Tell that an epoch is over, or any number of updates that is worth a look.

        Returns: what is wrong and was not before; it is printed too.
        """
        if self._silent:
            return []
        self.epochs += 1
        found: list[Finding] = []
        with self._undisturbed():
            self._per_epoch = self.step - self._epoch_started
            if self._interval.updates:
                self._write_row(self.epochs)
            self._epoch_started = self.step
            self._keep_recipe(self._planned or self.epochs + 1)  # one more, for all we know
            self._eyes.end_epoch(self._per_epoch)
            found = news(self.run, self._examiner.look(self.step, self.epochs))
            if self._save:
                self._examiner.keep_weights(self.step, self.epochs)
            for finding in found:
                self.run.append_finding(finding.as_row(self.step, self.epochs))
            if self._tracker is not None:
                self._tracker(self.run, self.epochs)
            self._eyes.start_epoch()
            self._row_time = time.perf_counter()
        for finding in found:
            self._say(finding_line(finding))
        return found

    def close(self) -> None:
        """Write what is left, say how the run stands, and let go of the networks."""
        if self._silent:
            self._closing.close()
            return
        with self._closing, self._undisturbed():
            if self._interval.updates:
                self._write_row()
            self._keep_recipe(self._planned or max(1, self.epochs))
            if self.step and (self.run.stored_step or 0) < self.step:
                with suppress(NotFinite):
                    self._examiner.keep_samples(self.step, self._epoch_so_far())
            self._say(judge(self.run, diagnose(self.run)).sentence)
            self._say(str(self.run.path))
        self._silent = True

    def __enter__(self) -> "Monitor":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # What is written.

    def _write_row(self, epoch: float | None = None) -> None:
        """Of the updates since the last one; `epoch` when one is over."""
        interval, eyes, now = self._interval, self._eyes, time.perf_counter()
        if interval.images:
            self._batch = round(interval.images / interval.updates)
        epoch = self._epoch_so_far() if epoch is None else epoch
        row: LogRow = {"step": self.step, "epoch": epoch, **interval.row()}  # type: ignore[typeddict-item]
        for player, norm in eyes.norms.items():
            row[f"{player}_grad_norm"] = norm.item()  # type: ignore[literal-required]
        if interval.images:
            row["images_per_second"] = interval.images / (now - self._row_time)
        self.run.append_log(row)
        interval.clear()
        eyes.norms.clear()
        eyes.look()
        self._row_time = now

    def _epoch_so_far(self) -> float:
        """Epochs that are over, and the share of this one that probably is."""
        done = self.step - self._epoch_started
        if not done:
            return self.epochs
        expected = self._per_epoch
        if not expected and self._gauge is not None and self._batch:
            expected = len(self._gauge.training) // self._batch
        return self.epochs + (min(done / expected, 0.99) if expected else 0.5)

    def _keep_recipe(self, epochs: int) -> None:
        """What is only known by now: the size of a batch, and how many epochs there will be."""
        epochs, batch = max(self.epochs, epochs), self._batch or 0
        known = Training(epochs=epochs, batch_size=batch) if batch > 1 else Training(epochs=epochs)
        spec = self.run.recipe.model_copy(update={"training": known})
        if spec != self.run.recipe:
            self.run.change_recipe(spec)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Whatever goes wrong in here, the training goes on, and is watched no more."""
        try:
            with unchanged(self._generator):
                yield
        except (CounterfeitError, OSError, RuntimeError) as error:
            self._silent = True
            self._eyes.remove()
            warnings.warn(f"the monitor stops, and your training goes on: {error}", stacklevel=3)

    def _say(self, line: str) -> None:
        if not self._quiet:
            print(styled(fill(line, columns(sys.stderr), rest="  ")), file=sys.stderr)
