"""Monitor: a training loop that is not ours writes a run, and is told what is wrong with it."""

import math
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, get_args

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, distributed, nn

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.data import as_uint8
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.insight.diagnose import diagnose, examined, news
from counterfeit.insight.tables import finding_line
from counterfeit.insight.verdict import judge
from counterfeit.insight.vitals import COPIES_EPOCHS, Gauge, examination_due
from counterfeit.language import english
from counterfeit.monitor.eyes import Eyes
from counterfeit.monitor.images import Discriminator, Generator, range_of, unwrapped
from counterfeit.monitor.kept import Interval, Outputs
from counterfeit.monitor.real import find
from counterfeit.monitor.source import Latents, Source, unchanged
from counterfeit.monitor.start import create_run
from counterfeit.recipe.sections import Training
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.findings import Finding
from counterfeit.run.rows import LogRow, VitalsRow
from counterfeit.run.stored import Samples
from counterfeit.terminal import columns, fill, styled

LOG_EVERY = 100
"""Updates in a log row; `epoch` closes one early."""

SAMPLES = 2_000
"""Images that a run keeps to be measured and looked at."""

EXAMINED = 128
"""Latents that the networks are examined with."""

NOT_FINITE = english("G makes pixels that are NaN or infinite: training has diverged.")

Range = tuple[float, float]


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
        quiet: bool = False,
    ) -> None:
        for name, each in (("generator", generator), ("discriminator", discriminator)):
            if not isinstance(each, nn.Module) and (each is not None or name == "generator"):
                raise UsageError(f"{name} must be a module, not {arguments.shown(each)}.")
        self._outputs = arguments.one_of("d_outputs", d_outputs, get_args(Outputs))
        self._planned = (
            None if epochs is None else arguments.whole_number("epochs", epochs, least=1)
        )
        self._samples = arguments.whole_number("samples", samples, least=0, most=1_000_000)
        self._save, self._quiet = save, quiet
        self._generator = generator = unwrapped(generator)
        self._discriminator = discriminator and unwrapped(discriminator)
        self._interval = Interval(self._outputs)
        self.step = 0
        """Calls of `update` so far."""
        self.epochs = 0
        """Calls of `epoch` so far."""
        self._epoch_started = self._per_epoch = 0  # in steps
        self._batch: int | None = None
        self._before: UInt8[Tensor, "N C H W"] | None = None
        self._closing = ExitStack()
        self._silent = distributed.is_initialized() and distributed.get_rank() > 0
        if self._silent:
            return
        with unchanged(generator), ExitStack() as closing:
            self._eyes = Eyes(generator, self._discriminator)
            closing.callback(self._eyes.remove)
            self._source = Source(generator, self._eyes, latents, self._samples)
            images = self._source.images(self._source.fixed)
            self._range = _range(value_range) or range_of(generator, images)
            kept_in = None if data_dir is None else arguments.path("data_dir", data_dir).resolve()
            real = find(data, _shape(images), kept_in)
            self.run = create_run(
                out,
                label,
                real,
                kept_in,
                players=(generator, self._discriminator),
                latent_dim=self._source.fixed[0][0].numel(),
                outputs=self._outputs,
                image_shape=_shape(images),
                value_range=self._range,
                epochs=self._planned or 1,
            )
            closing.enter_context(self.run.locked())
            self._gauge: Gauge | None = None
            if real.train is not None:
                closing.enter_context(self.run.holding(real.train))
                self._gauge = Gauge(self.run)
            self._look_at(self._as_bytes(images))
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
            found = self._look()
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
                self._keep_samples(self._epoch_so_far())
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

    def _look(self) -> list[Finding]:
        """Look at the images, keep what is to be kept, and say what is new."""
        try:
            images = self._as_bytes(self._source.images(self._source.fixed))
        except CounterfeitError:
            found = [self._not_finite()]
        else:
            self._look_at(images)
            due = self._gauge is None or examination_due(self.epochs, len(self._gauge.training))
            if due or self.run.stored_step is None:
                self._keep_samples(self.epochs)
            found = examined(self.run)
        if self._save:
            self._keep_weights()
        new = news(self.run, found)
        for finding in new:
            self.run.append_finding(finding.as_row(self.step, self.epochs))
        return new

    def _look_at(self, images: UInt8[Tensor, "N C H W"]) -> None:
        """The fixed latents' images after an epoch, and what they and the networks tell."""
        self.run.write_snapshot(self.epochs, images)
        row: VitalsRow = {"step": self.step, "epoch": self.epochs}
        if self._gauge is not None:
            due = self.step > 0 and examination_due(self.epochs, len(self._gauge.training))
            latents = self._source.latents(EXAMINED) if due else None
            with self._source.unseen():
                row = self._gauge.row(
                    self.step,
                    self.epochs,
                    images,
                    self._before,
                    None if latents is None else self._players(),
                    latents=latents,
                    copies=self.epochs % COPIES_EPOCHS == 0,
                )
        self.run.append_vitals({**row, **self._seen()})  # type: ignore[typeddict-item]
        self._before = images

    def _seen(self) -> dict[str, float]:
        """What the hooks saw in this epoch, as columns of vitals.jsonl."""
        eyes, seen = self._eyes, {}
        if not self.step:
            return {}
        if eyes.has_modes:
            seen["sampled_in_train_mode"] = float(eyes.sampled_in_train_mode)
            if eyes.trained:
                seen["trained_in_eval_mode"] = eyes.trained_in_eval_mode / eyes.trained
        if eyes.looks:
            seen["latents_repeated"] = eyes.repeats / eyes.looks
        if eyes.shown is not None and self._gauge is not None:
            low, high = self._range
            shown = (eyes.shown.float() - low) / (high - low)
            real = self._gauge.real.float() / 255
            seen["shown_mean"], seen["shown_std"] = float(shown.mean()), float(shown.std())
            seen["real_mean"], seen["real_std"] = float(real.mean()), float(real.std())
        eyes.shown = None
        return seen

    def _players(self) -> tuple[nn.Module, nn.Module] | None:
        eyes = self._eyes
        if self._discriminator is None or eyes.shape_shown is None:
            return None
        if int(np.prod(eyes.shape_shown)) != int(np.prod(self.run.image_shape)):
            return None  # such as images and their classes together
        answering = Discriminator(self._discriminator, eyes.shape_shown, self._outputs)
        return Generator(self._generator), answering

    def _keep_samples(self, epoch: float) -> None:
        images = [self._as_bytes(each) for each in self._source.new_images()]
        if images:
            together = torch.cat(images)[: self._samples]
            self.run.write_samples(Samples(self.step, epoch, together))

    def _keep_weights(self) -> None:
        players = {"generator": self._generator, "discriminator": self._discriminator}
        tensors = {
            f"{name}.{key}": value.detach().cpu().clone()
            for name, player in players.items()
            if player is not None
            for key, value in player.state_dict().items()
            if isinstance(value, Tensor)
        }
        old = self.run.checkpoint_steps
        self.run.write_checkpoint(Checkpoint(self.step, self.epochs, tensors))
        for step in old:
            if step != self.step:
                self.run.remove_checkpoint(step)

    def _as_bytes(self, images: Float[Tensor, "N C H W"]) -> UInt8[Tensor, "N C H W"]:
        if not images.isfinite().all():
            raise CounterfeitError(NOT_FINITE)
        return as_uint8(images, *self._range)

    def _not_finite(self) -> Finding:
        return Finding(
            name="non-finite",
            severity="critical",
            first_step=self.step,
            last_step=self.step,
            first_epoch=self.epochs,
            last_epoch=self.epochs,
            evidence={},
            meaning=NOT_FINITE,
            advice=english("Lower the learning rates, and go on from weights of before."),
            source=english("the pixels of the fixed latents' images, read at each epoch's end"),
            lasts=True,
        )

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


def _shape(images: Float[Tensor, "N C H W"]) -> tuple[int, int, int]:
    channels, height, width = images.shape[1:]
    return channels, height, width


def _range(given: Any) -> Range | None:
    """A range of pixels.

    Raises:
        UsageError: it is none.
    """
    if given is None:
        return None
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        low = high = math.nan
    if (low, high) not in ((0.0, 1.0), (-1.0, 1.0)):
        raise UsageError(f"value_range must be (0, 1) or (-1, 1), not {arguments.shown(given)}.")
    return low, high
