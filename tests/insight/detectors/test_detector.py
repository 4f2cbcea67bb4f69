"""Spells: how long something held."""

import numpy as np
import pytest

from counterfeit.insight.detectors.detector import Spell, last_spell


@pytest.mark.parametrize(
    ("holds", "least", "spell"),
    [
        ([], 1, None),
        ([0, 0], 1, None),
        ([1, 1], 1, Spell(0, 1, lasts=True)),
        ([1, 1, 0], 2, Spell(0, 1, lasts=False)),
        ([1, 1, 0, 1], 2, Spell(0, 1, lasts=False)),
        ([0, 1, 0, 1, 1], 2, Spell(3, 4, lasts=True)),
        ([1, 0, 1], 2, None),
    ],
)
def test_last_spell(holds: list[int], least: int, spell: Spell | None) -> None:
    assert last_spell(np.array(holds, bool), least) == spell
