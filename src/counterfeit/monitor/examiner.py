"""What a run keeps of somebody's networks at an epoch's end: images, vital signs, weights."""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from counterfeit.data import as_uint8
from counterfeit.errors import CounterfeitError
from counterfeit.insight.diagnose import examined
from counterfeit.insight.vitals import COPIES_EPOCHS, Gauge, examination_due
from counterfeit.language import english
from counterfeit.monitor.eyes import Eyes
from counterfeit.monitor.images import Discriminator, Generator
from counterfeit.monitor.kept import Outputs
from counterfeit.monitor.source import EXAMINED, Source
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.findings import Finding
from counterfeit.run.rows import VitalsRow
from counterfeit.run.stored import Samples

NOT_FINITE = english("G makes pixels that are NaN or infinite: training has diverged.")


class Examiner:
    """Looks at a pair of networks when an epoch is over, and adds to the run what it sees.

    Args:
        source: of the generator's images.
        eyes: that saw the epoch.
        discriminator: what it answers with is `outputs`.
        value_range: of the generator's pixels.
        gauge: that knows the real images, where there are any.
    """

    def __init__(
        self,
        run: Run,
        source: Source,
        eyes: Eyes,
        *,
        discriminator: nn.Module | None,
        outputs: Outputs,
        value_range: tuple[float, float],
        gauge: Gauge | None,
    ) -> None:
        self.run, self.source, self.eyes = run, source, eyes
        self.discriminator, self.outputs = discriminator, outputs
        self.value_range, self.gauge = value_range, gauge
        self._before: UInt8[Tensor, "N C H W"] | None = None

    def look(self, step: int, epoch: int) -> list[Finding]:
        """Look at the images, keep what is to be kept, and say what is wrong."""
        try:
            self.look_at_fixed(step, epoch)
        except NotFinite:
            return [_not_finite(step, epoch)]
        if self._due(epoch) or self.run.stored_step is None:
            self.keep_samples(step, epoch)
        return examined(self.run)

    def look_at_fixed(self, step: int, epoch: int) -> None:
        """The fixed latents' images after an epoch, and what they and the networks tell.

        Raises:
            NotFinite: they are not; nothing is written.
        """
        images = self._as_bytes(self.source.images(self.source.fixed))
        self.run.write_snapshot(epoch, images)
        row: VitalsRow = {"step": step, "epoch": epoch}
        if self.gauge is not None:
            latents = self.source.latents(EXAMINED) if step > 0 and self._due(epoch) else None
            with self.source.unseen():
                row = self.gauge.row(
                    step,
                    epoch,
                    images,
                    self._before,
                    None if latents is None else self._players(),
                    latents=latents,
                    copies=epoch % COPIES_EPOCHS == 0,
                )
        if step:
            real = None if self.gauge is None else self.gauge.real
            row |= self.eyes.columns(self.value_range, real)  # type: ignore[typeddict-item]
        self.run.append_vitals(row)
        self._before = images

    def keep_samples(self, step: int, epoch: float) -> None:
        """New images of the generator, in place of those of before.

        Raises:
            NotFinite: they are not; nothing is written.
        """
        images = [self._as_bytes(each) for each in self.source.new_images()]
        if images:
            together = torch.cat(images)[: self.source.samples]
            self.run.write_samples(Samples(step, epoch, together))

    def keep_weights(self, step: int, epoch: int) -> None:
        """Both networks' weights, in place of those of before."""
        players = {"generator": self.source.generator, "discriminator": self.discriminator}
        tensors = {
            f"{name}.{key}": value.detach().cpu().clone()
            for name, player in players.items()
            if player is not None
            for key, value in player.state_dict().items()
            if isinstance(value, Tensor)
        }
        old = self.run.checkpoint_steps
        self.run.write_checkpoint(Checkpoint(step, epoch, tensors))
        for each in old:
            if each != step:
                self.run.remove_checkpoint(each)

    def _due(self, epoch: int) -> bool:
        """Whether it is time for what takes longer."""
        return self.gauge is None or examination_due(epoch, len(self.gauge.training))

    def _players(self) -> tuple[nn.Module, nn.Module] | None:
        shape = self.eyes.shape_shown
        if self.discriminator is None or shape is None:
            return None
        if math.prod(shape) != math.prod(self.run.image_shape):
            return None  # such as images and their classes together
        answering = Discriminator(self.discriminator, shape, self.outputs)
        return Generator(self.source.generator), answering

    def _as_bytes(self, images: Float[Tensor, "N C H W"]) -> UInt8[Tensor, "N C H W"]:
        if not images.isfinite().all():
            raise NotFinite(NOT_FINITE)
        return as_uint8(images, *self.value_range)


class NotFinite(CounterfeitError):
    """The generator makes pixels that are no numbers."""


def _not_finite(step: int, epoch: int) -> Finding:
    return Finding(
        name="non-finite",
        severity="critical",
        first_step=step,
        last_step=step,
        first_epoch=epoch,
        last_epoch=epoch,
        evidence={},
        meaning=NOT_FINITE,
        advice=english("Lower the learning rates, and go on from weights of before."),
        source=english("the pixels of the fixed latents' images, read at each epoch's end"),
        lasts=True,
    )
