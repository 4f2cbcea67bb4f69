"""What an interval of updates is remembered by: one row of log.jsonl."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from counterfeit.files import Row
from counterfeit.game.step import Outcome

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

    def row(self, outcome: Outcome, *, probabilistic: bool = True) -> Row:
        """The interval's means and quantiles, and the norms and losses of its last update.

        `d_loss`, `g_loss`: means over the interval, in nats; `…_last`: of the last update.
        `d_real_…`: D(x), in [0, 1], over the interval's real images; `d_fake_…`: D(G(z)).
        Neither where the loss makes D's logits no probabilities.
        `d_grad_norm`, `g_grad_norm`: Euclidean norms of the last update's gradients.
        """
        losses = self.losses[: self.updates].double()
        d_loss, g_loss = losses.mean(dim=0).tolist()
        d_loss_last, g_loss_last = losses[-1].tolist()
        row = {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "d_loss_last": d_loss_last,
            "g_loss_last": g_loss_last,
        }
        if probabilistic:
            row |= self._probabilities()
        row["d_grad_norm"] = get_total_norm(outcome.discriminator_gradients).item()
        row["g_grad_norm"] = get_total_norm(outcome.generator_gradients).item()
        return row

    def _probabilities(self) -> Row:
        row: Row = {}
        probabilities = self.logits[: self.updates].transpose(0, 1).flatten(1).sigmoid()  # (2, n)
        at = torch.tensor(QUANTILES, device=probabilities.device)
        for name, values in zip(("d_real", "d_fake"), probabilities, strict=True):
            row[f"{name}_mean"] = values.mean(dtype=torch.float64).item()
            quantiles = values.quantile(at).tolist()
            row |= {
                f"{name}_q{q * 100:02.0f}": v for q, v in zip(QUANTILES, quantiles, strict=True)
            }
        return row

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
