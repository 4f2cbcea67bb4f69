"""The steps of the records."""

import pytest

from counterfeit import recipe
from records import STEPS, by_class, row


@pytest.mark.parametrize(
    ("name", "what"), [(name, what) for name, steps in STEPS.items() for what in steps]
)
def test_each_step_can_be_taken_back(name: str, what: str) -> None:
    whole = recipe.load(name)
    assert whole.with_values(STEPS[name][what]) != whole


def test_a_row_has_medians_with_their_range() -> None:
    values = [{"seconds": each, "processor": 1.0, "fid": 10 * each} for each in (3.0, 1.0, 2.0)]
    assert row("x", values) == "| x | 2 [1, 3] | 1 [1, 1] | 20 [10, 30] |" + "  |" * 7


def test_classes_are_in_their_order_with_medians() -> None:
    seeds = [
        {f"class_accuracy_{label}": label / 20 + each for label in range(12)}
        for each in (0, 0.2, 0.1)
    ]
    head, _, only, none = by_class({"x": seeds, "untold": [{"fid": 1.0}]}).splitlines()
    assert head.split(" | ")[1:4] == ["0", "1", "2"]
    assert head.endswith("10 | 11 |")
    assert only.startswith("| x | 0.100 | 0.150 | 0.200 |")
    assert none.count("|") == head.count("|")
    assert by_class({"x": [{"fid": 1.0}]}) == ""
