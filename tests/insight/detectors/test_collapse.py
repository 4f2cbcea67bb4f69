import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from example_record import BROKEN, names, only, record

from counterfeit import recipe
from counterfeit.insight.detectors import examine
from counterfeit.insight.detectors.collapse import changed, of_window, top_share
from counterfeit.insight.detectors.record import Record


def test_a_generator_that_has_not_moved_yet_has_not_collapsed() -> None:
    still = {"spread": 0.02, "moved": 0.001, "distance": [0.4] * 10}
    undecided = {"d_real_mean": 0.5, "d_fake_mean": 0.5, "d_real_q05": 0.5, "d_fake_q95": 0.5}
    assert names(record(log=undecided, signs=still)) == set()


def test_one_class_is_a_partial_collapse_only_when_it_stays() -> None:
    ones = {"classes": [[1] * 50 + [-1] * 50] * 10}
    assert names(record(signs=ones)) == set()
    assert names(record(signs=ones | {"distance": [0.3] * 10})) == {"partial-mode-collapse"}


FOUR = {"support": 4.0, "distance": [0.3] * 10}
SHORT = recipe.load("batchnorm-smoothing").with_values({"training.epochs": 10})


def test_few_different_images_are_a_partial_collapse_where_it_stays_so() -> None:
    assert names(record(signs=FOUR)) == {"partial-mode-collapse"}
    assert names(record(signs=FOUR | {"support": 60.0})) == set()  # of 1,000
    assert names(record(signs={"support": 4.0})) == set()  # still nearer every epoch
    more_and_more = {"support": [2.0 * 2**epoch for epoch in range(10)]}
    assert names(record(signs=FOUR | more_and_more)) == set()


def test_a_training_that_ends_with_next_to_none_says_to_train_longer() -> None:
    growing = {"support": [1.0 + 0.4 * epoch for epoch in range(10)]}
    assert names(record(signs=growing)) == set()
    (finding,) = examine(record(signs=growing, spec=SHORT))
    assert finding.name == "partial-mode-collapse"
    assert finding.lasts
    assert "training ends so" in finding.meaning
    assert finding.advice.startswith("Train for more epochs")
    assert names(record(signs={"support": 20.0}, spec=SHORT)) == set()
    assert names(record(epochs=9, signs={"support": 4.0}, spec=SHORT)) == set()


def test_few_images_are_as_many_as_there_are_where_the_data_are_few() -> None:
    assert names(record(signs=FOUR | {"real_support": 9.0})) == set()


@pytest.mark.parametrize("lost", ["support", "real_support", "unlike"])
def test_rows_of_before_these_columns_are_diagnosed_as_they_were(lost: str) -> None:
    for _, signs in BROKEN.values():
        if not signs.keys() & {"support", "unlike"}:
            broken = record(signs=signs, spec=SHORT)
            assert names(only(broken, broken.columns - {lost})) == names(broken)


def test_the_way_out_of_noise_is_no_hop() -> None:
    """Where an epoch is long, the images of the first are far from what they were before."""
    settling = [1.3, 0.63, 0.56, 0.5, 0.43, 0.4, 0.39, 0.37, 0.36, 0.34]  # of a healthy lsgan

    def long_epochs(moved: list[float]) -> Record:
        found = record(signs={"moved": moved})
        return replace(
            found,
            log=[row | {"step": 3 * row["step"]} for row in found.log],
            vitals=[row | {"step": 3 * row["step"]} for row in found.vitals],
        )

    assert not names(long_epochs(settling))
    assert names(long_epochs([1.3, *[0.8] * 9])) == {"mode-hopping"}


def hopping(shares: Sequence[float], sure: int = 100) -> Record:
    """From each epoch to the next so large a share of the surely classified images changes class.
    An epoch is so long that no epoch but the first begins in noise."""
    now = np.zeros(sure, int)
    classes = [now]
    for share in shares:
        now = (now + (np.arange(sure) < round(share * sure))) % 10
        classes.append(now)
    rest = [-1] * (100 - sure)
    found = record(len(classes), signs={"classes": [[*each.tolist(), *rest] for each in classes]})
    longer = [row | {"step": 2 * row["step"]} for row in found.vitals]
    return replace(found, vitals=longer)


def test_classes_that_change_are_hopping() -> None:
    assert names(hopping([1.0] * 9)) == {"mode-hopping"}
    assert names(hopping([0.6] * 9)) == {"mode-hopping"}
    assert names(hopping([0.3] * 9)) == set()


def test_classes_that_settle_are_not() -> None:
    """A healthy r3gan-small: of 11 to 28 images of which the classifier is sure."""
    settling = [0.64, 0.48, 0.32, 0.19, 0.11]
    for last in range(1, len(settling) + 1):
        for sure in (11, 28, 100):
            assert names(hopping(settling[:last], sure)) == set()


def test_hopping_takes_four_epochs_and_forty_images() -> None:
    assert names(hopping([1.0] * 4)) == set()  # two looks, each at the four epochs before it
    assert names(hopping([1.0] * 5)) == {"mode-hopping"}
    assert names(hopping([1.0] * 5, sure=10)) == {"mode-hopping"}
    assert names(hopping([1.0] * 5, sure=9)) == set()


def test_a_few_images_that_hop_may_do_so_by_chance() -> None:
    assert names(hopping([0.4] * 9, sure=10)) == set()  # 16 of 40
    assert names(hopping([0.5] * 9, sure=100)) == {"mode-hopping"}


def test_an_average_that_still_gets_nearer_has_not_collapsed() -> None:
    alike = {"spread": 0.02}
    averaged = recipe.load("paper-averaged")
    assert names(record(signs=alike, spec=averaged)) == set()
    assert "mode-collapse" in names(record(signs=alike))
    stuck = alike | {"distance": [0.4] * 10}
    assert "mode-collapse" in names(record(signs=stuck, spec=averaged))


def test_top_share() -> None:
    assert math.isnan(top_share([1] * 19))
    assert top_share([1] * 15 + [2] * 5 + [-1] * 80) == 0.75


def test_changed() -> None:
    assert changed([], [1] * 9) == (0, 0)
    assert changed([1] * 20, [1] * 10 + [2] * 5 + [-1] * 5) == (5, 15)


def test_a_window_is_four_values() -> None:
    sums = of_window(np.array([1.0, 2.0, 3.0, 4.0, np.nan, 5.0]))
    np.testing.assert_array_equal(sums, [np.nan, np.nan, np.nan, 10, np.nan, np.nan])
    assert len(of_window(np.zeros(0))) == 0


def test_images_that_are_alike_have_collapsed_where_it_stays_so() -> None:
    """Healthy generators may begin so, for some hundred updates."""
    alike = {"spread": [0.12] * 5 + [0.8] * 5}
    assert names(record(signs=alike)) == set()
    assert names(record(signs={"spread": 0.12, "distance": [0.5] * 10})) == {"mode-collapse"}
