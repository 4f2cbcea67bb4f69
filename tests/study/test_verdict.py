"""What a study is said to show."""

import math

import numpy as np
import pytest
from outcomes import FID, results_of
from scipy import stats

from counterfeit.errors import UsageError
from counterfeit.language import speaking
from counterfeit.study import words
from counterfeit.study.verdict import SCALES, judge

GOOD = [41.0, 39.0, 44.0, 40.0, 42.5]
SAME = [43.0, 38.5, 41.0, 42.0, 40.5]
BAD = [101.0, 95.0, 120.0, 99.0, 90.0]


def test_a_real_difference_is_said_with_its_size_interval_and_p() -> None:
    verdict = judge(results_of({"sgd": BAD, "adam": GOOD}))
    (only,) = verdict.comparisons
    ratios = np.log(GOOD) - np.log(BAD)
    theirs = stats.ttest_1samp(ratios, 0)
    interval = theirs.confidence_interval()
    assert (only.first, only.second, only.better) == ("adam", "sgd", "adam")
    assert only.difference.value == pytest.approx(math.exp(ratios.mean()))
    assert only.difference.low == pytest.approx(math.exp(interval.low))
    assert only.difference.high == pytest.approx(math.exp(interval.high))
    expected = max(theirs.pvalue, 2 / 4**5)
    assert only.p == pytest.approx(expected)
    assert words.sentence(only) == (
        f"adam is better than sgd: FID {only.difference.value:.2f} [{only.difference.low:.2f},"
        f" {only.difference.high:.2f}] times as large, p = .002, 5 seeds"
    )
    assert words.summary(verdict, "mnist") == "adam leads."


def test_what_is_not_known_is_not_said_and_how_many_seeds_would_do_is() -> None:
    verdict = judge(results_of({"adam": GOOD, "wgan": SAME}))
    (only,) = verdict.comparisons
    assert only.better is None
    assert only.needed is not None
    assert only.needed > 5
    assert words.sentence(only).startswith("can't tell adam from wgan: FID 1.01 [")
    assert words.sentence(only).endswith(f"about {only.needed} seeds would do")
    assert words.summary(verdict, "mnist").startswith("Can't tell")


def test_comparisons_are_corrected_together_on_all_data_sets() -> None:
    one = results_of({"sgd": BAD, "adam": GOOD})
    other = results_of({"sgd": GOOD, "adam": SAME}, "fashion")
    verdict = judge([*one, *other])
    assert [each.comparisons for each in verdict.comparisons] == [2, 2]
    assert [each.data for each in verdict.comparisons] == ["mnist", "fashion"]
    assert verdict.comparisons[0].p == pytest.approx(2 * judge(one).comparisons[0].p)
    assert verdict.leaders("mnist") == ["adam"]
    assert verdict.leaders("fashion") == ["sgd", "adam"]


def test_recipes_may_be_compared_with_one_alone() -> None:
    results = results_of({"sgd": BAD, "adam": GOOD, "wgan": SAME})
    pairs = {
        frozenset((each.first, each.second)) for each in judge(results, against="sgd").comparisons
    }
    assert pairs == {frozenset(("sgd", "adam")), frozenset(("sgd", "wgan"))}
    assert len(judge(results).comparisons) == 3


def test_a_failed_run_counts_against_its_recipe_and_is_in_no_mean() -> None:
    failing = ["failed" if n else 30.0 for n in range(5)]
    verdict = judge(results_of({"adam": GOOD, "wgan": failing, "sgd": BAD}))
    wgan = next(each for each in verdict.standings if each.label == "wgan")
    assert (wgan.measured, wgan.failed, wgan.planned) == (1, 4, 5)
    assert wgan.mean.value == pytest.approx(30)
    assert wgan.middle.value > 100
    assert wgan.failed_share.value == pytest.approx(0.8)
    pair = next(each for each in verdict.comparisons if "sgd" not in (each.first, each.second))
    ratios = np.log(GOOD) - np.log([30, 120, 120, 120, 120])
    ahead = ratios.mean() if pair.first == "adam" else -ratios.mean()
    assert pair.difference.value == pytest.approx(math.exp(ahead))
    assert "not dropped" in " ".join(words.notes(verdict))
    assert "not dropped" not in " ".join(words.notes(judge(results_of({"adam": GOOD}))))


def test_runs_that_are_still_to_come_are_left_out() -> None:
    half = [*GOOD[:3], "waiting", "training"]
    verdict = judge(results_of({"sgd": BAD, "adam": half}))
    assert verdict.comparisons[0].seeds == 3
    adam = verdict.standings[1]
    assert (adam.measured, adam.failed, adam.planned) == (3, 0, 5)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["waiting"], "Nothing to compare yet: no run was measured."),
        ([None], "Nothing to compare yet: no run was measured."),
        (["failed"], "Nothing to compare: all runs failed."),
    ],
)
def test_nothing_to_compare_is_said(values: list, why: str) -> None:
    verdict = judge(results_of({"sgd": values, "adam": values}))
    assert verdict.comparisons == []
    assert words.summary(verdict, "mnist") == why


def test_runs_that_lack_the_metric_were_measured_by_another_one() -> None:
    share = "coverage_mnist-v1-0123abcd_test_1k"
    why = "Nothing to compare: no run has {}; `--metric {}` decides by one that was measured."
    asked = judge(results_of({"sgd": GOOD, "adam": BAD}), metric="coverage")
    assert words.summary(asked, "mnist") == why.format("coverage", "fid")
    mixed = judge([*results_of({"sgd": GOOD}), *results_of({"sgd": [0.5]}, "photos", share)])
    assert words.summary(mixed, "photos") == why.format("FID", "coverage")


def test_a_distance_of_nothing_counts() -> None:
    verdict = judge(results_of({"sgd": [10.0, 11.0, 12.0], "adam": [-1e-9, 0.0, 1e-9]}))
    assert verdict.comparisons[0].seeds == 3
    assert verdict.standings[1].mean.value < 1e-5


def test_one_seed_shows_no_difference() -> None:
    verdict = judge(results_of({"sgd": [100.0], "adam": [1.0]}))
    assert words.sentence(verdict.comparisons[0]).endswith("3 seeds or more that both have")
    assert not verdict.comparisons[0].real


def test_of_two_seeds_that_agree_no_interval_is_said() -> None:
    verdict = judge(results_of({"sgd": [100.0, 90.0], "adam": [50.0, 44.0]}))
    (only,) = verdict.comparisons
    assert words.sentence(only) == (
        f"can't tell {only.first} from {only.second}: FID {only.difference.value:.2f} times as"
        f" large, but 2 seeds are too few to tell; if that is the difference, about {only.needed}"
        " seeds would do"
    )
    assert only.needed >= 3


def test_too_few_seeds_for_so_many_comparisons_are_said() -> None:
    results = results_of({"sgd": [99.0, 98.0, 97.0], "adam": [1.0, 1.1, 1.2], "wgan": [5.0] * 3})
    verdict = judge(results)
    assert not any(each.real for each in verdict.comparisons)
    assert words.summary(verdict, "mnist").startswith("Can't tell yet: 3 comparisons take 4 seeds")
    for each in verdict.comparisons:
        assert "times as large, but 3 seeds are too few to tell in 3 compa" in words.sentence(each)
    few = judge(results_of({"sgd": [99.0, 98.0], "adam": [1.0, 1.1]}))
    assert words.summary(few, "mnist") == "Can't tell yet: that takes 3 seeds or more."


def test_more_is_better_where_it_is() -> None:
    name = "coverage_mnist-v1-0123abcd_test_1k"
    shares = [[0.1, 0.12, 0.11, 0.09, 0.13], [0.8, 0.83, 0.79, 0.82, 0.84]]
    verdict = judge(results_of(dict(zip(("sgd", "adam"), shares, strict=True)), name=name))
    (only,) = verdict.comparisons
    assert verdict.metric == "coverage"
    assert only.better == "adam"
    assert only.difference.value == pytest.approx(np.mean(shares[1]) - np.mean(shares[0]))
    assert verdict.standings[0].mean.low >= 0


def test_numbers_of_different_protocols_are_not_compared() -> None:
    results = results_of({"adam": GOOD})
    results += results_of({"sgd": BAD}, name=FID.replace("0123abcd", "89abcdef"))
    verdict = judge(results)
    assert [each.measured for each in verdict.standings] == [5, 0]
    assert not verdict.comparisons[0].real


def test_what_cannot_decide_is_refused() -> None:
    results = results_of({"adam": GOOD})
    with pytest.raises(UsageError, match="no verdict by copies"):
        judge(results, metric="copies")
    with pytest.raises(UsageError, match="no recipe sgd; it has adam"):
        judge(results, against="sgd")


@pytest.mark.parametrize("scale", SCALES.values())
def test_a_turned_comparison_says_the_same(scale) -> None:
    (only,) = judge(results_of({"sgd": BAD, "adam": GOOD})).comparisons
    there_and_back = only.turned().turned()
    assert there_and_back.difference == pytest.approx(only.difference)
    assert only.turned().better == only.better


def test_a_verdict_is_said_in_korean() -> None:
    verdict = judge(results_of({"sgd": BAD, "adam": GOOD, "wgan": ["failed", *SAME[1:]]}))
    with speaking("ko"):
        said = [words.sentence(each) for each in verdict.comparisons]
        said += [*words.notes(verdict), words.summary(verdict, "mnist")]
    for text in said:
        assert any("가" <= letter <= "힣" for letter in text), text
