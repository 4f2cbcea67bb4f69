"""The labels of somebody's Dataset, whatever type they are of."""

from typing import Any

import numpy as np
import pytest
import torch
from foreign import digits
from torch.utils.data import Dataset

from counterfeit.monitor.real import find


class Labelled(Dataset):  # type: ignore[type-arg]
    """Digits with labels of one type."""

    def __init__(self, label: Any) -> None:
        self.images, self.label = digits()[:40], label

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, Any]:
        return self.images[index], self.label(index % 3)


@pytest.mark.parametrize(
    "label",
    [
        int,
        np.int64,
        np.uint8,
        float,
        np.float32,
        torch.tensor,
        np.array,
        lambda number: torch.tensor([number]),
        lambda number: np.array([[number]]),
    ],
)
def test_a_whole_number_is_a_label(label: Any) -> None:
    train = find(Labelled(label), (1, 8, 8), None).train
    assert train is not None
    assert train.labels is not None
    assert train.labels.dtype == torch.int64
    assert set(train.labels.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    "label",
    [
        str,
        np.str_,
        lambda number: None,
        lambda number: number + 0.5,
        lambda number: torch.full((2,), number),
        lambda number: np.zeros(4),
        lambda number: torch.tensor(float("nan")),
        lambda number: number if number else None,
    ],
)
def test_what_is_none_is_no_label(label: Any) -> None:
    train = find(Labelled(label), (1, 8, 8), None).train
    assert train is not None
    assert train.labels is None
