"""What an interval of updates is remembered by: one row of log.jsonl."""

from collections.abc import Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils import get_total_norm

from counterfeit.game.state import part_of
from counterfeit.game.step import Outcome
from counterfeit.run.rows import IntervalColumns

PENALTY = "interval.penalty"
"""The part of a checkpoint that holds an unfinished interval's penalties."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Interval:
    """Losses and logits of up to `length` updates, kept on the device until a row is due.

    The only place where training waits for the device is `row`.
    """

    def __init__(self, length: int, batch_size: int, device: torch.device) -> None:
        self.losses = torch.zeros(length, 2, device=device)
        self.logits = torch.zeros(length, 2, batch_size, device=device)
        self.updates = 0
        self.penalties: dict[str, Tensor] = {}
        """By name, their sum and the number of updates in which they were due."""

    def add(self, outcome: Outcome) -> None:
        losses, logits = self.losses[self.updates], self.logits[self.updates]
        losses[0] = outcome.discriminator_loss.detach()
        losses[1] = outcome.generator_loss.detach()
        logits[0] = outcome.real_logits.detach()
        logits[1] = outcome.fake_logits.detach()
        for name, penalty in outcome.penalties.items():
            if name not in self.penalties:
                self.penalties[name] = torch.zeros(2, device=losses.device)
            self.penalties[name] += torch.stack([penalty.detach(), torch.ones_like(penalty)])
        self.updates += 1

    @property
    def full(self) -> bool:
        return self.updates == len(self.losses)

    def row(self, outcome: Outcome, *, probabilistic: bool = True) -> IntervalColumns:
        """The interval's means and quantiles, and the norms and losses of its last update.

        Args:
            probabilistic: whether the loss makes D's logits probabilities, D(x); else they are
                scores.
        """
        losses = self.losses[: self.updates].double()
        d_loss, g_loss = losses.mean(dim=0).tolist()
        d_loss_last, g_loss_last = losses[-1].tolist()
        said = self.logits[: self.updates].transpose(0, 1).flatten(1)  # (2, n)
        answers = answer_columns(said.sigmoid(), "d") if probabilistic else score_columns(said)
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "d_loss_last": d_loss_last,
            "g_loss_last": g_loss_last,
            **cast(IntervalColumns, answers | self._penalty_columns()),
            "d_grad_norm": get_total_norm(outcome.discriminator_gradients).item(),
            "g_grad_norm": get_total_norm(outcome.generator_gradients).item(),
        }

    def _penalty_columns(self) -> dict[str, float]:
        means = {f"penalty_{n}": sum_ / count for n, (sum_, count) in self.penalties.items()}
        return {name: mean.item() for name, mean in means.items()}

    def clear(self) -> None:
        self.updates = 0
        self.penalties = {}

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint inside an interval must keep."""
        return {
            "interval.losses": self.losses[: self.updates].clone(),
            "interval.logits": self.logits[: self.updates].clone(),
            **{f"{PENALTY}.{name}": pair.clone() for name, pair in self.penalties.items()},
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
        self.penalties = {
            name: pair.clone().to(self.losses.device)
            for name, pair in part_of(tensors, PENALTY).items()
        }


def score_columns(said: Float[Tensor, "2 n"]) -> dict[str, float]:
    """The columns of a critic's scores."""
    columns = answer_columns(said, "score")
    gap = columns["score_real_mean"] - columns["score_fake_mean"]
    return columns | {"score_gap": gap}


def answer_columns(said: Float[Tensor, "2 n"], prefix: str) -> dict[str, float]:
    """Means and quantiles of what D says of real images and of fakes."""
    at = torch.tensor(QUANTILES, device=said.device)
    columns: dict[str, float] = {}
    for kind, values in zip(("real", "fake"), said, strict=True):
        columns[f"{prefix}_{kind}_mean"] = values.mean(dtype=torch.float64).item()
        for share, value in zip(QUANTILES, values.quantile(at).tolist(), strict=True):
            columns[f"{prefix}_{kind}_q{100 * share:02.0f}"] = value
    return columns
