"""Whether a training's numbers are still numbers, and what is said when they are not."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.language import english
from counterfeit.run.findings import Finding

MOST_ROLLBACKS = 3
"""How often a run goes back and halves its learning rates before it stops after all."""

LOSSES = ("discriminator.loss", "generator.loss")


class NonFinite(CounterfeitError):
    """A loss or a tensor of the training became NaN or infinite; `finding` says so."""

    advice = english(
        "Lower the learning rates: resume it with --on-nan rollback, or with --fork from its newest"
        " checkpoint where it has one, or train anew."
    )

    def __init__(self, names: list[str], first_step: int, step: int, per_epoch: int) -> None:
        super().__init__(
            english(
                "step {step}: {tensor} is NaN or infinite.", step=str(first_step), tensor=names[0]
            )
        )
        self.finding = Finding(
            name="non-finite",
            severity="critical",
            first_step=first_step,
            last_step=step,
            first_epoch=first_step / per_epoch,
            last_epoch=step / per_epoch,
            evidence={"tensor": names[0], "tensors": len(names)},
            meaning=english(
                "{tensor} is no number any more: training has diverged.", tensor=names[0]
            ),
            advice=self.advice,
            source=english("both losses and all tensors of a checkpoint, read at each log row"),
        )

    @property
    def row(self) -> Row:
        """The finding, for a training that ends."""
        return self.finding.as_row(self.finding.last_step, self.finding.last_epoch)

    def rolled_back(self, step: int) -> Row:
        """The finding, for a training that went back to `step` and halved its learning rates."""
        return self.row | {
            "evidence": self.finding.evidence | {"rolled_back_to": step},
            "advice": english(
                "Training went back to step {step} and on with half the learning rates.",
                step=str(step),
            ),
        }


def check(
    tensors: Mapping[str, Tensor], losses: Float[Tensor, "n 2"], step: int, per_epoch: int
) -> None:
    """Make sure of an interval that ends with `step`.

    Args:
        tensors: all that a checkpoint would keep, by name.
        losses: D's and G's after each of the interval's updates.

    Raises:
        NonFinite: something is not finite. It names the first tensor that is not, or a loss when
            all tensors are, and the first update whose loss was not, or else the last.
    """
    names = non_finite(tensors)
    first_step = step
    for update, pair in enumerate(losses.isfinite().tolist(), start=1):
        if not all(pair):
            names = names or [LOSSES[pair.index(False)]]
            first_step = step - len(losses) + update
            break
    if names:
        raise NonFinite(names, first_step, step, per_epoch)


def non_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of the tensors that hold a NaN or an infinity.

    A sum is finite only if all it adds is, and costs a twentieth of looking at each number. As
    finite numbers can overflow in it, those of a sum that is not finite are looked at.
    """
    sums = torch.stack([tensor.detach().sum(dtype=torch.float32) for tensor in tensors.values()])
    if sums.isfinite().all():
        return []
    return [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
