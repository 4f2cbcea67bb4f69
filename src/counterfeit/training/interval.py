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

MOST_QUANTILES = 1_000_000
"""Answers that quantiles are taken of; more, as of patches, are thinned evenly."""


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
        prefix, said = ("d", said.sigmoid()) if probabilistic else ("score", said)
        answers = answer_columns(f"{prefix}_real", said[0]) | answer_columns(
            f"{prefix}_fake", said[1]
        )
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "d_loss_last": d_loss_last,
            "g_loss_last": g_loss_last,
            **cast(IntervalColumns, answers | gap_column(answers) | self._penalty_columns()),
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


def answer_columns(name: str, answers: Float[Tensor, " n"]) -> dict[str, float]:
    """The columns of what D says of images of one kind, such as `d_real`: mean and quantiles."""
    thinned = answers[:: -(-len(answers) // MOST_QUANTILES)]
    at = torch.tensor(QUANTILES, dtype=answers.dtype, device=answers.device)
    columns = {f"{name}_mean": answers.mean(dtype=torch.float64).item()}
    for share, value in zip(QUANTILES, thinned.quantile(at).tolist(), strict=True):
        columns[f"{name}_q{100 * share:02.0f}"] = value
    return columns


def gap_column(columns: Mapping[str, float]) -> dict[str, float]:
    """How far a critic's scores of real images are above those of fakes; nothing where columns hold
    no scores of both."""
    if not {"score_real_mean", "score_fake_mean"} <= columns.keys():
        return {}
    return {"score_gap": columns["score_real_mean"] - columns["score_fake_mean"]}
