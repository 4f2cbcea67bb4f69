"""Spells: how long something held; and what is said of one that is over."""

import numpy as np
import pytest
from example_record import record

from counterfeit.insight.detectors import Record
from counterfeit.insight.detectors.detector import Seen, Spell, detector, last_spell


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


@pytest.mark.parametrize(
    ("sentence", "within"),
    [
        ("G's images are copies.", "G's images are copies."),
        ("D tells them apart.", "D tells them apart."),
        ("BatchNorm differs.", "BatchNorm differs."),
        ("A class has collapsed.", "a class has collapsed."),
        ("The same image.", "the same image."),
    ],
)
def test_what_has_passed_keeps_the_names_of_its_sentence(sentence: str, within: str) -> None:
    def look(of: Record) -> Seen:
        return Seen(of.log, Spell(0, 1, lasts=False))

    detect = detector("it", "warning", figure="losses", meaning=sentence, source="here")(look)
    finding = detect(record())
    assert finding is not None
    assert finding.meaning.endswith(f": {within}")
