"""The steps of the records."""

import pytest

from counterfeit import recipe
from records import STEPS, row


@pytest.mark.parametrize(
    ("name", "what"), [(name, what) for name, steps in STEPS.items() for what in steps]
)
def test_each_step_can_be_taken_back(name: str, what: str) -> None:
    whole = recipe.load(name)
    assert whole.with_values(STEPS[name][what]) != whole


def test_a_row_has_medians_with_their_range() -> None:
    values = [{"seconds": each, "processor": 1.0, "fid": 10 * each} for each in (3.0, 1.0, 2.0)]
    assert row("x", values) == "| x | 2 [1, 3] | 1 [1, 1] | 20 [10, 30] |  |  |  |  |"
