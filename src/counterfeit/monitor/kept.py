"""What an interval of a foreign loop is remembered by: tensors kept as they are, read when a row is
due."""

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor

from counterfeit.arguments import shown
from counterfeit.errors import UsageError
from counterfeit.run.rows import IntervalColumns
from counterfeit.training.interval import answer_columns, gap_column

Outputs = Literal["logits", "probabilities", "scores"]
"""What D answers with: logits, their sigmoids, or scores without a bound, as a critic gives."""

SERIES = ("d_loss", "g_loss", "d_real", "d_fake")


class Series:
    """One number or tensor of each update, on its device, and nothing computed yet.

    Keeping a tensor costs no kernel and no copy. Where a loop writes each update's values into the
    same memory, as a captured CUDA graph does, that is seen at the second update, and values are
    copied from then on.
    """

    def __init__(self) -> None:
        self.values: list[Tensor] = []
        self._places: set[int] = set()
        self._copies = False

    def add(self, value: Tensor) -> None:
        place = value.data_ptr()
        if place in self._places and not self._copies:
            self._copies = True
            self.clear()  # what was kept is overwritten
        self._places.add(place)
        self.values.append(value.clone() if self._copies else value)

    def read(self) -> list[Tensor]:
        """The values, in float64 on the CPU; nothing where their memory was taken back."""
        try:
            flat = [value.flatten() for value in self.values]
            sizes = [len(value) for value in flat]
            joined = torch.cat(flat).double().cpu() if _alike(flat) else None
            if joined is None:
                return [value.double().cpu() for value in flat]
            return list(torch.split(joined, sizes))
        except RuntimeError:  # torch.compile's graphs refuse what a later run has overwritten
            self._copies = True
            return []

    def clear(self) -> None:
        self.values.clear()
        self._places.clear()


class Interval:
    """Losses and answers of the updates since the last row."""

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self.updates = 0
        self.images = 0
        """Real images that D was shown, where it was said what it answered to each."""
        self._series = {name: Series() for name in SERIES}

    def add(self, values: dict[str, object]) -> None:
        """One update's, by the names of `SERIES`; None is none.

        Raises:
            UsageError: one is neither a tensor nor a number.
        """
        for name, value in values.items():
            if value is not None:
                tensor = as_tensor(name, value)
                self._series[name].add(tensor)
                if name == "d_real" and tensor.ndim:
                    self.images += len(tensor)
        self.updates += 1

    def row(self) -> IntervalColumns:
        """The interval's columns, as far as they are known. The only wait for the device."""
        read = {name: series.read() for name, series in self._series.items()}
        columns: dict[str, float] = {}
        for name in ("d_loss", "g_loss"):
            if means := [float(value.mean()) for value in read[name]]:
                columns[name] = sum(means) / len(means)
                columns[f"{name}_last"] = means[-1]
        for name in ("d_real", "d_fake"):
            columns |= self._answers(name, read[name])
        return cast(IntervalColumns, columns | gap_column(columns))

    def _answers(self, name: str, values: Sequence[Tensor]) -> dict[str, float]:
        if not values:
            return {}
        answers = torch.cat(list(values))
        if self.outputs == "scores":
            name = name.replace("d_", "score_")
        elif self.outputs == "logits":
            answers = answers.sigmoid()
        if len(answers) == len(values):  # already means
            return {f"{name}_mean": float(answers.mean())}
        return answer_columns(name, answers)

    def clear(self) -> None:
        self.updates = self.images = 0
        for series in self._series.values():
            series.clear()


def as_tensor(name: str, value: object) -> Tensor:
    """A tensor without its graph, of a tensor or a number.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(value, Tensor) and not value.is_complex() and value.numel():
        return value.detach()
    try:
        return torch.tensor(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"{name} must be a tensor or a number, not {shown(value)}.") from None


def _alike(tensors: Sequence[Tensor]) -> bool:
    return len({(tensor.device, tensor.dtype) for tensor in tensors}) == 1
