"""What the verdict of a study does where the truth is known: thousands of simulated studies.

    python benchmarks/study_verdicts.py [--studies 10000]

Prints, as tables of Markdown, how often recipes that are alike are called different; how often a
true difference is found, beside the power that is stated beforehand; whether as many seeds as are
advised would do; and how often intervals hold the truth, those that are used and the bootstrap's.
"""

import argparse
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from counterfeit.study import statistics
from counterfeit.study.statistics import Differences, Values

Draw = Callable[[np.random.Generator, tuple[int, ...]], Values]

RATIO = 0.6
"""What the FID of the better recipe is times that of the other, where there is a difference."""

SPREAD = 0.3
"""Standard deviation of log FID over seeds in simulated studies; 1 means a factor of e."""


class Truth(NamedTuple):
    """How the results of recipes that are alike come about."""

    fid: Draw
    failing: float = 0.0
    """Share of runs that fail."""


def _two_ends(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return np.where(rng.random(shape) < 0.5, 550.0, 220.0) * rng.lognormal(0, 0.05, shape)


TWO_ENDS = "two ends: half near 550, half near 220"

ALIKE = {
    "normal": Truth(lambda rng, shape: rng.normal(200, 40, shape).clip(1)),
    "lognormal": Truth(lambda rng, shape: rng.lognormal(5, SPREAD, shape)),
    "heavy tails (log FID as t with 2 degrees)": Truth(
        lambda rng, shape: np.exp(5 + SPREAD * rng.standard_t(2, shape).clip(-50, 50))
    ),
    TWO_ENDS: Truth(_two_ends),
    "lognormal, 20 % fail": Truth(lambda rng, shape: rng.lognormal(5, SPREAD, shape), 0.2),
    "heavy tails, 50 % fail": Truth(
        lambda rng, shape: np.exp(5 + SPREAD * rng.standard_t(2, shape).clip(-50, 50)), 0.5
    ),
}


def verdicts(values: Values, failed: NDArray[np.bool_]) -> Differences:
    """As a study judges FIDs (studies, recipes, seeds)."""
    return statistics.compare(
        np.log(statistics.with_failures(values, failed, lower_is_better=True))
    )


def false_claims(
    truth: Truth, recipes: int, seeds: int, studies: int, rng: np.random.Generator
) -> float:
    """The share of studies of recipes that are alike with a difference claimed, any at all."""
    shape = studies, recipes, seeds
    found = verdicts(truth.fid(rng, shape), rng.random(shape) < truth.failing)
    return float(found.real.any(-1).mean())


def plain_claims(
    truth: Truth, recipes: int, seeds: int, studies: int, rng: np.random.Generator
) -> float:
    """The same of t tests with Holm's correction and no more."""
    logs = np.log(truth.fid(rng, (studies, recipes, seeds)))
    one, other = np.triu_indices(recipes, 1)
    p = stats.ttest_rel(logs[:, one], logs[:, other], axis=-1).pvalue
    return float((statistics.holm(p)[0] <= statistics.ALPHA).any(-1).mean())


def found(
    ratio: float, seeds: int, studies: int, rng: np.random.Generator, recipes: int = 2
) -> float:
    """The share of studies that find the first recipe, better by `ratio`, different from the
    second; the others are like that."""
    values = rng.lognormal(5, SPREAD, (studies, recipes, seeds))
    values[:, 0] *= ratio
    differences = verdicts(values, np.zeros(values.shape, bool))
    return float((differences.real[:, 0] & (differences.mean[:, 0] < 0)).mean())


def advised(
    ratio: float, pilot: int, studies: int, rng: np.random.Generator
) -> tuple[float, float]:
    """What comes of pilot studies' advice, where they know the effect and estimate the spread.

    Returns: the median number of seeds advised, and how often studies of as many seeds as each was
    advised find the difference.
    """
    effect, spread = float(np.log(ratio)), SPREAD * 2**0.5
    estimates = spread * np.sqrt(rng.chisquare(pilot - 1, studies) / (pilot - 1))
    seeds = [
        statistics.seeds_needed(effect, estimate, known_from=pilot) or statistics.MOST_SEEDS
        for estimate in estimates
    ]
    reached = [statistics.power(effect, spread, n) for n in seeds]
    return float(np.median(seeds)), float(np.mean(reached))


def covered(interval: tuple[Values, Values], truth: float) -> float:
    low, high = interval
    return float(((low <= truth) & (truth <= high)).mean())


def coverage(seeds: int, studies: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """How often 95 % intervals hold the mean log FID: Student's, that of the interquartile mean,
    and the bootstrap's (percentiles of 1,000 resamples; of at most 2,000 studies)."""
    values = rng.normal(5, SPREAD, (studies, seeds))
    student = statistics.mean(values)
    middle = statistics.interquartile_mean(values)
    drawn = rng.integers(0, seeds, (1000, seeds))
    resampled = np.percentile(values[:2000, drawn].mean(-1), (2.5, 97.5), axis=1)
    return (
        covered((student.low, student.high), 5.0),
        covered((middle.low, middle.high), 5.0),
        covered((resampled[0], resampled[1]), 5.0),
    )


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    columns = list(head)
    for row in (columns, ["---"] * len(columns), *rows):
        print(f"| {' | '.join(map(str, row))} |")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=10_000)
    studies = parser.parse_args().studies
    rng = np.random.default_rng(0)
    counts = (3, 4, 5, 10)
    print(f"{studies:,} studies for each number; recipes that are alike, any difference claimed:\n")
    table(
        ["results", "recipes", *(f"{n} seeds" for n in counts)],
        [
            [name, k, *(f"{false_claims(truth, k, n, studies, rng):.1%}" for n in counts)]
            for name, truth in ALIKE.items()
            for k in (2, 3, 10)
        ],
    )
    print("The same by t tests and Holm's correction alone, where results have two ends:\n")
    table(
        ["recipes", *(f"{n} seeds" for n in counts)],
        [
            [k, *(f"{plain_claims(ALIKE[TWO_ENDS], k, n, studies, rng):.1%}" for n in counts)]
            for k in (2, 3, 10)
        ],
    )
    print(f"One recipe's FID is {RATIO} times the other's; log FID has a spread of {SPREAD}:\n")
    effect, spread = float(np.log(RATIO)), SPREAD * 2**0.5
    table(
        ["seeds", "power stated", "found", "found among 3 recipes, power stated", "found"],
        [
            [
                n,
                f"{statistics.power(effect, spread, n):.1%}",
                f"{found(RATIO, n, studies, rng):.1%}",
                f"at least {statistics.power(effect, spread, n, statistics.ALPHA / 3):.1%}",
                f"{found(RATIO, n, studies, rng, recipes=3):.1%}",
            ]
            for n in counts
        ],
    )
    print("As many seeds as are advised, from the true spread, and from pilots of 5 seeds:\n")
    rows = []
    for ratio in (0.5, 0.6, 0.8):
        needed = statistics.seeds_needed(float(np.log(ratio)), spread)
        assert needed is not None
        median, reached = advised(ratio, 5, min(studies, 500), rng)
        rows.append(
            [
                ratio,
                needed,
                f"{found(ratio, needed, studies, rng):.1%}",
                f"{median:.0f}",
                f"{reached:.1%}",
            ]
        )
    table(["FID times", "seeds", "found", "median of pilots' advice", "then found"], rows)
    print("Intervals that hold the truth:\n")
    table(
        ["seeds", "mean, Student's", "interquartile mean", "mean, bootstrap's percentiles"],
        [[n, *(f"{share:.1%}" for share in coverage(n, studies, rng))] for n in (3, 5, 10, 20)],
    )


if __name__ == "__main__":
    main()
