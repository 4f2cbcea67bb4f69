"""A trial's results as a table and in sentences."""

from collections.abc import Sequence

from counterfeit.language import english, tr, translated
from counterfeit.study.tables import cost, estimate_text
from counterfeit.study.words import count_of
from counterfeit.terminal import aligned, fill
from counterfeit.trials.folder import means
from counterfeit.trials.trial import Result, Trial

HEADS = {
    "modes_found": english("modes"),
    "high_quality": english("high quality"),
    "mode_kl": english("KL divergence"),
}


def sentence(trial: Trial, result: Result) -> str:
    """What a seed came to: `seed 3: 24 of 25 modes, high quality 0.962`."""
    said = ", ".join(
        tr("{found} modes", found=score)
        if name == "modes_found"
        else f"{translated(HEADS[name])} {score}"
        for name, score in _scores(trial, result).items()
    )
    why = f". {translated(result.why)}" if result.why else ""
    return tr("seed {seed}: {scores}", seed=str(result.seed), scores=said) + why


def text(trial: Trial, results: Sequence[Result], width: int | None = None) -> str:
    """A table of the seeds with their means, and how the numbers are to be read.

    Args:
        width: of the terminal; None for one line a sentence.
    """
    names = list(results[0].scores)
    head = [tr("seed"), *(translated(HEADS[name]) for name in names), tr("seconds")]
    rows = [
        [str(each.seed), *_scores(trial, each).values(), cost(each.seconds)] for each in results
    ]
    together = means(results)
    mean = [tr("mean [95 %]"), *(estimate_text(together[name]) for name in names), ""]
    failed = [sentence(trial, each) for each in results if each.why]
    notes = [fill(each, width, rest="  ") for each in (*failed, *trial.notes())]
    return "\n".join([*aligned([head, *rows, mean]), "", *notes])


def _scores(trial: Trial, result: Result) -> dict[str, str]:
    return {
        name: count_of(int(value), trial.modes) if name == "modes_found" else f"{value:.3f}"
        for name, value in result.scores.items()
    }
