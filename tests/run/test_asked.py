"""Classes by name and by number, and rows of them."""

import numpy as np
import pytest
import torch

from counterfeit.errors import UsageError
from counterfeit.run import asked

NAMES = ("7", "cat", "0", "T-shirt/top", "a,b")


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("cat", 1), ("7", 0), ("0", 2), ("3", 3), ("T-shirt/top", 3), (4, 4), (np.int64(2), 2)],
)
def test_a_name_goes_before_a_number(wanted: int | str, number: int) -> None:
    assert asked.number_of(wanted, NAMES) == number


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("cut", "there is no class 'cut'; did you mean 'cat'?"),
        ("5", "there is no class '5'; there are: 7, cat, 0, T-shirt/top, a,b."),
        (-1, "there is no class -1; there are"),
        (1.5, "a class must be a whole number"),
        ("9" * 5000, "there are: 7"),
    ],
)
def test_a_class_that_there_is_not_is_named(wanted: int | str, words: str) -> None:
    with pytest.raises(UsageError, match="class") as caught:
        asked.number_of(wanted, NAMES)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_of_many_classes_a_message_names_some() -> None:
    with pytest.raises(UsageError) as caught:
        asked.number_of("zebra", [f"class{i}" for i in range(1000)])
    assert str(caught.value).endswith("class11, … class999.")


def test_one_class_for_all_or_one_each() -> None:
    assert asked.numbers_of("cat", NAMES, 3).tolist() == [1, 1, 1]
    assert asked.numbers_of(torch.tensor(2), NAMES, 2).tolist() == [2, 2]
    for each in (["cat", 0], torch.tensor([1, 0]), np.array([1, 0])):
        assert asked.numbers_of(each, NAMES, 2).tolist() == [1, 0]
    with pytest.raises(UsageError, match="one for each of 2 images, not 3"):
        asked.numbers_of([1, 2, 3], NAMES, 2)


def test_rows() -> None:
    assert asked.in_rows("all", NAMES, 10).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert asked.in_rows("all", NAMES, 7).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert asked.in_rows("cat, 0", NAMES, 4).tolist() == [1, 1, 2, 2]
    assert asked.in_rows("a,b", NAMES, 2).tolist() == [4, 4]
    assert asked.in_short(asked.in_rows("cat,0", NAMES, 4)) == "1-2"


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 26, 100, 1000])
def test_evenly_means_as_many_of_each_in_order(classes: int) -> None:
    labels = asked.evenly(100, classes)
    assert labels.tolist() == sorted(labels.tolist())
    counts = labels.bincount(minlength=classes)
    assert counts.max() - counts.min() <= 1
    assert len(labels) == 100
