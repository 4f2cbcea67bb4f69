"""What an interval of updates is remembered by: one row of log.jsonl."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from counterfeit.game.step import Outcome
from counterfeit.run.rows import IntervalColumns, ProbabilityColumns

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Interval:
    """Losses and logits of up to `length` updates, kept on the device until a row is due.

    The only place where training waits for the device is `row`.
    """

    def __init__(self, length: int, batch_size: int, device: torch.device) -> None:
        self.losses = torch.zeros(length, 2, device=device)
        self.logits = torch.zeros(length, 2, batch_size, device=device)
        self.updates = 0

    def add(self, outcome: Outcome) -> None:
        losses, logits = self.losses[self.updates], self.logits[self.updates]
        losses[0] = outcome.discriminator_loss.detach()
        losses[1] = outcome.generator_loss.detach()
        logits[0] = outcome.real_logits.detach()
        logits[1] = outcome.fake_logits.detach()
        self.updates += 1

    @property
    def full(self) -> bool:
        return self.updates == len(self.losses)

    def row(self, outcome: Outcome, *, probabilistic: bool = True) -> IntervalColumns:
        """The interval's means and quantiles, and the norms and losses of its last update.

        Without D(x) and D(G(z)) where the loss makes D's logits no probabilities.
        """
        losses = self.losses[: self.updates].double()
        d_loss, g_loss = losses.mean(dim=0).tolist()
        d_loss_last, g_loss_last = losses[-1].tolist()
        probabilities = self._probabilities() if probabilistic else ProbabilityColumns()
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "d_loss_last": d_loss_last,
            "g_loss_last": g_loss_last,
            **probabilities,
            "d_grad_norm": get_total_norm(outcome.discriminator_gradients).item(),
            "g_grad_norm": get_total_norm(outcome.generator_gradients).item(),
        }

    def _probabilities(self) -> ProbabilityColumns:
        probabilities = self.logits[: self.updates].transpose(0, 1).flatten(1).sigmoid()  # (2, n)
        at = torch.tensor(QUANTILES, device=probabilities.device)
        real, fake = (values.quantile(at).tolist() for values in probabilities)
        d_real, d_fake = (values.mean(dtype=torch.float64).item() for values in probabilities)
        return {
            "d_real_mean": d_real,
            "d_real_q05": real[0],
            "d_real_q25": real[1],
            "d_real_q50": real[2],
            "d_real_q75": real[3],
            "d_real_q95": real[4],
            "d_fake_mean": d_fake,
            "d_fake_q05": fake[0],
            "d_fake_q25": fake[1],
            "d_fake_q50": fake[2],
            "d_fake_q75": fake[3],
            "d_fake_q95": fake[4],
        }

    def clear(self) -> None:
        self.updates = 0

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint inside an interval must keep."""
        return {
            "interval.losses": self.losses[: self.updates].clone(),
            "interval.logits": self.logits[: self.updates].clone(),
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a state that `tensors` once returned.

        Raises:
            KeyError or ValueError: it belongs to another batch size or is none.
        """
        losses, logits = tensors["interval.losses"], tensors["interval.logits"]
        updates = losses.shape[0] if losses.ndim else -1
        if (
            losses.shape != self.losses[:updates].shape
            or logits.shape != self.logits[:updates].shape
            or not losses.dtype == logits.dtype == torch.float32
        ):
            raise ValueError("an interval of another shape or type")
        self.updates = updates
        self.losses[:updates] = losses
        self.logits[:updates] = logits
