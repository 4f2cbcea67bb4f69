"""Labels that are ignored, and classes that collapse while others live."""

from typing import Any

import pytest
from example_record import names, record

from counterfeit.insight.detectors import examine
from counterfeit.insight.detectors.conditions import alike_classes, lost_classes, misread

ASKED = [i // 10 for i in range(100)]


def seen(**wrong: list[int]) -> dict[str, Any]:
    """Rows of a G that draws what it is asked for, but for the classes that are named."""
    classes = list(ASKED)
    for name, values in wrong.items():
        number = int(name.removeprefix("of_"))
        classes[10 * number : 10 * number + 10] = values
    sure = [(a, c) for a, c in zip(ASKED, classes, strict=True) if c >= 0]
    agreement = sum(a == c for a, c in sure) / len(sure)
    return {
        "asked": [ASKED] * 10,
        "classes": [classes] * 10,
        "data_classes": 10,
        "class_agreement": agreement,
    }


@pytest.mark.parametrize(
    ("agreement", "found"), [(0.1, True), (0.3, True), (0.5, False), (1.0, False)]
)
def test_a_label_is_ignored_where_it_is_seen_hardly_more_often_than_by_chance(
    agreement: float, found: bool
) -> None:
    signs = seen() | {"class_agreement": agreement}
    assert ("ignored-label" in names(record(signs=signs))) == found


def test_of_two_classes_chance_is_half() -> None:
    signs = seen() | {"class_agreement": 0.55, "data_classes": 2}
    assert "ignored-label" in names(record(signs=signs))
    assert "ignored-label" not in names(record(signs=signs | {"class_agreement": 0.75}))


def test_images_of_no_class_say_nothing_of_labels() -> None:
    signs = seen() | {"class_agreement": 0.0, "classes": [[-1] * 90 + [0] * 10] * 10}
    assert "ignored-label" not in names(record(signs=signs))


def test_labels_that_were_ignored_at_first_are_no_finding_or_a_milder_one() -> None:
    once = seen() | {"class_agreement": [0.1] + [0.9] * 9}
    assert "ignored-label" not in names(record(signs=once))
    passed = seen() | {"class_agreement": [0.1] * 5 + [0.9] * 5}
    (finding,) = (f for f in examine(record(signs=passed)) if f.name == "ignored-label")
    assert (finding.severity, finding.last_epoch) == ("note", 5.0)


def test_a_class_that_is_surely_another_is_lost() -> None:
    (finding,) = examine(record(signs=seen(of_4=[9] * 7 + [4] * 3)))
    assert finding.name == "collapsed-class"
    assert finding.evidence["class"] == 4
    assert finding.evidence["seen_as_another"] == 0.7
    assert finding.meaning.startswith("Class 4, counted from 0, is not drawn")
    assert names(record(signs=seen(of_4=[9] * 4 + [4] * 6))) == set()
    assert names(record(signs=seen(of_4=[-1] * 9 + [4]))) == set()  # unsure is no other class


def test_a_class_of_images_that_are_alike_has_collapsed() -> None:
    spreads = [1.0, 0.9, 0.05, 0.8]
    signs = {"class_spread": [spreads] * 10, "least_class_spread": 0.05}
    (finding,) = examine(record(signs=signs))
    assert finding.name == "collapsed-class"
    assert (finding.evidence["class"], finding.evidence["its_spread"]) == (2, 0.05)
    assert "about the same image" in finding.meaning
    healthy = {"class_spread": [[1.0, 0.9, 0.5, 0.8]] * 10, "least_class_spread": 0.5}
    assert names(record(signs=healthy)) == set()
    young = {"class_spread": [[0.1, 0.1, 0.09, 0.1]] * 10, "least_class_spread": 0.09}
    assert "collapsed-class" not in names(record(signs=young))
    one_each = {"class_spread": [[0.02, 0.01, 0.03, 0.02]] * 10, "least_class_spread": 0.01}
    assert "collapsed-class" in names(record(signs=one_each))
    assert "collapsed-class" not in names(record(signs=one_each | {"spread": 0.1}))


def test_another_class_at_every_epoch_is_none_in_particular() -> None:
    rows = [[0.05 if number == epoch % 3 else 1.0 for number in range(3)] for epoch in range(10)]
    signs = {"class_spread": rows, "least_class_spread": 0.05}
    assert "collapsed-class" not in names(record(signs=signs))


def test_of_two_classes_that_are_swapped_both_are_seen_at_every_epoch() -> None:
    """Whichever of them is worse."""
    signs = seen(of_4=[7] * 8 + [4] * 2, of_7=[4] * 8 + [7] * 2)
    rows = [signs["classes"][0], seen(of_4=[7] * 7 + [4] * 3, of_7=[4] * 9 + [7])["classes"][0]]
    (finding,) = examine(record(signs=signs | {"classes": rows * 5}))
    assert (finding.evidence["class"], finding.first_epoch) == (4, 3.0)  # of 700 updates on


def test_odd_rows_say_nothing() -> None:
    for odd in (None, "x", [], [None, "x"], {}, 3):
        row = {
            "step": 1,
            "epoch": 1.0,
            "spread": 0.9,
            "class_spread": odd,
            "asked": odd,
            "classes": odd,
        }
        assert alike_classes(row) == {}
        assert lost_classes(row | {"class_agreement": 0.9}) == {}
    assert misread([0, 1], [0]) == {}
    assert misread([0] * 4, [1] * 4) == {}  # too few to say
