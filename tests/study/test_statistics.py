"""A study's statistics: closed forms, other people's code, and simulated truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import study_verdicts as simulated
from counterfeit.study import statistics
from counterfeit.study.statistics import ALPHA, POWER

STUDIES = 1000

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8).map(np.array)


def at_most(share: float, studies: int = STUDIES) -> float:
    """What a true share of `share` shows in all but one of 1,000 simulations."""
    return float(stats.binom.ppf(0.999, studies, share) / studies)


def about(share: float, studies: int = STUDIES) -> object:
    return pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / studies) + 1e-9)


# Simulated truth.


@pytest.mark.parametrize(("recipes", "seeds"), [(2, 3), (2, 5), (3, 4), (3, 10), (10, 6)])
@pytest.mark.parametrize("results", simulated.ALIKE)
def test_recipes_that_are_alike_are_hardly_ever_called_different(
    results: str, recipes: int, seeds: int
) -> None:
    claims = simulated.false_claims(
        simulated.ALIKE[results], recipes, seeds, STUDIES, np.random.default_rng(recipes + seeds)
    )
    assert claims <= at_most(ALPHA)


@pytest.mark.parametrize("seeds", [3, 5, 8, 20])
@pytest.mark.parametrize("ratio", [0.4, 0.7, 1.6])
def test_a_true_difference_is_found_as_often_as_stated(ratio: float, seeds: int) -> None:
    effect, spread = np.log(ratio), simulated.SPREAD * 2**0.5
    rng = np.random.default_rng(seeds)
    values = rng.lognormal(5, simulated.SPREAD, (4 * STUDIES, 2, seeds))
    values[:, 0] *= ratio
    found = simulated.verdicts(values, np.zeros(values.shape, bool)).real.mean()
    assert found == about(float(statistics.power(effect, spread, seeds)), 4 * STUDIES)


@pytest.mark.parametrize("ratio", [0.5, 0.7, 0.85])
def test_as_many_seeds_as_are_advised_would_do_and_one_less_would_not(ratio: float) -> None:
    effect, spread = float(np.log(ratio)), simulated.SPREAD * 2**0.5
    seeds = statistics.seeds_needed(effect, spread)
    assert seeds is not None
    rng = np.random.default_rng(1)
    assert simulated.found(ratio, seeds, 4 * STUDIES, rng) > POWER - 0.03
    assert simulated.found(ratio, seeds - 1, 4 * STUDIES, rng) < POWER + 0.03


@pytest.mark.parametrize("pilot", [3, 5, 10])
def test_advice_from_few_seeds_would_do_on_the_whole(pilot: int) -> None:
    _, reached = simulated.advised(0.6, pilot, 200, np.random.default_rng(pilot))
    assert POWER - 0.03 < reached < POWER + 0.08  # seeds are whole, and pilots' advice is coarse


def test_the_smallest_difference_that_is_found_is_found_with_the_stated_power() -> None:
    effect = statistics.detectable(0.42, 5, ALPHA / 3)
    assert statistics.power(effect, 0.42, 5, ALPHA / 3) == pytest.approx(POWER)


@pytest.mark.parametrize("seeds", [3, 5, 12])
def test_intervals_hold_the_truth(seeds: int) -> None:
    mean, middle, bootstrap = simulated.coverage(seeds, 4 * STUDIES, np.random.default_rng(seeds))
    assert mean == about(0.95, 4 * STUDIES)
    assert middle > 0.92
    assert bootstrap < mean  # which is why it is not used


def test_differences_lie_in_their_intervals() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(0, 1, (4 * STUDIES, 3, 5)) + np.array([0, 0.5, 2])[:, None]
    found = statistics.compare(values)
    truth = np.array([-0.5, -2, -1.5])
    held = ((found.low <= truth) & (truth <= found.high)).mean(0)
    assert (held > 0.94).all()


# Closed forms and other code.


def test_a_comparison_is_the_paired_t_test() -> None:
    values = np.random.default_rng(0).normal(size=(2, 6))
    found = statistics.compare(values)
    theirs = stats.ttest_rel(*values)
    assert found.p == pytest.approx([theirs.pvalue])
    interval = theirs.confidence_interval(1 - ALPHA)
    assert (found.low[0], found.high[0]) == pytest.approx((interval.low, interval.high))


def test_only_seeds_that_both_have_are_compared() -> None:
    values = np.random.default_rng(0).normal(size=(2, 6))
    values[0, 1] = values[1, 4] = np.nan
    found = statistics.compare(values)
    there = [0, 2, 3, 5]
    assert found.seeds == [4]
    assert found.p == pytest.approx([stats.ttest_rel(*values[:, there]).pvalue])


def test_no_seed_is_added_and_no_recipe_missing_unsaid() -> None:
    values = np.full((2, 3), np.nan)
    values[:, 0] = 1.0, 2.0
    found = statistics.compare(values)
    assert np.isnan(found.p).all()
    assert not found.real.any()
    assert statistics.compare(np.ones((1, 4))).p.shape == (0,)


def test_equal_results_are_no_difference() -> None:
    assert statistics.compare(np.full((2, 5), 10.0)).p == [1.0]


def test_no_spread_is_no_certainty() -> None:
    """As where recipes find 9 and 10 classes with every one of a few seeds."""
    few, more = (statistics.compare(np.array([[9.0], [10.0]]).repeat(n, 1)) for n in (2, 5))
    assert few.p == [2 / 4**2]
    assert more.p == [2 / 4**5]


@given(
    st.integers(2, 6).flatmap(
        lambda seeds: st.lists(
            st.lists(st.floats(-50, 50), min_size=seeds, max_size=seeds), min_size=2, max_size=4
        )
    )
)
def test_seeds_that_cannot_show_a_difference_have_no_interval(rows: list[list[float]]) -> None:
    """However alike their differences are."""
    found = statistics.compare(np.array(rows))
    assert (np.isnan(found.low) == (statistics.least_p(found.seeds) > found.level)).all()
    excludes = (found.low > 0) | (found.high < 0)
    assert (excludes == found.real).all()


@pytest.mark.parametrize("seeds", [1, 2])
def test_so_few_seeds_have_a_mean_and_no_interval(seeds: int) -> None:
    values = np.full((1, seeds), 41.0)
    for found in (statistics.mean(values), statistics.interquartile_mean(values)):
        assert found.value == [41.0]
        assert np.isnan([found.low, found.high]).all()


def test_too_few_seeds_for_any_claim_have_no_power() -> None:
    assert statistics.power(100.0, 1.0, 3, ALPHA / 3) == 0
    assert statistics.detectable(1.0, 3, ALPHA / 3) == np.inf
    assert statistics.seeds_needed(100.0, 1.0, ALPHA / 3) == 4


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 3), (3, 4), (15, 5), (45, 6)])
def test_many_comparisons_take_many_seeds(comparisons: int, seeds: int) -> None:
    assert statistics.least_seeds(ALPHA / comparisons) == seeds
    assert statistics.power(100.0, 1.0, seeds, ALPHA / comparisons) == pytest.approx(1)
    assert statistics.power(100.0, 1.0, seeds - 1, ALPHA / comparisons) == 0


def test_no_number_of_seeds_shows_what_is_not_there() -> None:
    assert statistics.seeds_needed(0.0, 1.0) is None
    assert statistics.seeds_needed(1e-3, 1.0) is None
    assert statistics.seeds_needed(0.0, 0.0) is None
    assert statistics.seeds_needed(1.0, 0.0) == statistics.least_seeds()


@given(P_VALUES)
def test_holm_is_that_of_the_definition(p: np.ndarray) -> None:
    order, tests = sorted(range(len(p)), key=lambda n: p[n]), len(p)
    expected, highest = {}, 0.0
    for rank, n in enumerate(order):
        highest = max(highest, min(1.0, (tests - rank) * p[n]))
        expected[n] = highest
    corrected, level = statistics.holm(p)
    assert corrected == pytest.approx([expected[n] for n in range(tests)])
    assert ((p <= level) == (corrected <= ALPHA)).all()
    assert (level >= ALPHA / tests).all()
    assert (level <= ALPHA).all()


def test_a_test_that_could_not_be_made_counts_as_one() -> None:
    corrected, _ = statistics.holm(np.array([0.03, np.nan]))
    assert corrected[0] == pytest.approx(0.06)
    assert np.isnan(corrected[1])


def test_an_interval_excludes_zero_where_a_difference_is_claimed() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (500, 4, 6)) + rng.normal(0, 2, (500, 4, 1))
    found = statistics.compare(values)
    excludes = (found.low > 0) | (found.high < 0)
    assert found.real.any()
    assert (excludes == found.real).all()


def test_a_failed_run_is_as_bad_as_the_worst_one() -> None:
    values = np.array([[10.0, 30.0, 5.0], [20.0, np.nan, 40.0]])
    failed = np.array([[False, False, True], [False, True, False]])
    low, high = (
        statistics.with_failures(values, failed, lower_is_better=each) for each in (True, False)
    )
    assert low.tolist() == [[10, 30, 40], [20, 40, 40]]
    assert high.tolist() == [[10, 30, 10], [20, 10, 40]]
    none = statistics.with_failures(values, np.ones((2, 3), bool), lower_is_better=True)
    assert np.isnan(none).all()


def test_failures_that_are_all_one_recipes_count_against_it() -> None:
    values = np.random.default_rng(5).lognormal(5, 0.2, (2, 8))
    failed = np.zeros((2, 8), bool)
    failed[1, :6] = True
    assert not simulated.verdicts(values, np.zeros((2, 8), bool)).real.any()
    found = simulated.verdicts(values, failed)
    assert found.mean[0] < 0
    assert found.real.all()


@pytest.mark.parametrize("seeds", [3, 4, 5, 9, 12])
def test_the_interquartile_mean_is_scipys(seeds: int) -> None:
    values = np.random.default_rng(seeds).normal(size=(7, seeds))
    found = statistics.interquartile_mean(values)
    assert found.value == pytest.approx(stats.trim_mean(values, 0.25, axis=-1))
    if seeds > 4:
        half = stats.mstats.trimmed_stde(values[0], (0.25, 0.25))
        assert found.high[0] > found.value[0] + half


@pytest.mark.parametrize(("count", "of"), [(0, 5), (1, 5), (4, 5), (5, 5), (3, 200)])
def test_a_share_is_clopper_and_pearsons(count: int, of: int) -> None:
    found = statistics.share(count, of)
    theirs = stats.binomtest(count, of).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_a_profile_counts_runs() -> None:
    values = np.array([10.0, 20.0, np.nan, 40.0, np.nan])
    failed = np.array([False, False, False, True, True])  # the third is still to come
    found = statistics.profile(values, failed, np.array([5.0, 15.0, 100.0]))
    assert found.value.tolist() == [0, 0.25, 0.5]
