import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit.insight.detectors.series import SURELY, at_least


@given(st.floats(0.01, 1.0), st.integers(1, 10_000))
def test_a_share_is_as_far_above_the_least_as_chance_takes_it(share: float, count: int) -> None:
    """The interval's end is where a test of the score would just not be surprised."""
    (low,) = at_least(np.array([share]), np.array([count]))
    assert 0 <= low < share
    assert (share - low) / math.sqrt(low * (1 - low) / count) == pytest.approx(SURELY, rel=1e-4)


def test_of_nothing_nothing_is_known() -> None:
    shares = np.array([0.5, np.nan, 0.0, 1.7, -0.2])
    low = at_least(shares, np.array([0, 9, 9, 9, 9]))
    np.testing.assert_array_equal(np.isnan(low), [True, True, False, False, False])
    assert low[2] == low[4] == pytest.approx(0)
    assert 0.7 < low[3] < 1
    assert len(at_least(np.zeros(0), np.zeros(0))) == 0
