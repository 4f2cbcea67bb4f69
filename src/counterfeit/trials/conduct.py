"""A trial's seeds, one after the other, each trained once."""

from functools import partial

from counterfeit import environment
from counterfeit.insight.charts.save import save
from counterfeit.language import tr
from counterfeit.progress import Bar
from counterfeit.trials import words
from counterfeit.trials.folder import Folder
from counterfeit.trials.trial import Result, Trial

PICTURE = "samples.png"


def bring(trial: Trial, folder: Folder, seeds: int, *, quiet: bool = False) -> list[Result]:
    """See that the seeds below `seeds` have their results; those of all that have some.

    Nothing is trained again. Each result is kept when it is there.

    Raises:
        UsageError, CounterfeitError: see `Folder.open` and `Trial.perform`.
    """
    with folder.open(trial.spec):
        there = {each.seed for each in folder.results}
        left = [seed for seed in range(seeds) if seed not in there]
        facts = {
            "trial": trial.name,
            "recipe": trial.spec.name,
            "protocol": trial.protocol,
            "environment": environment.describe(trial.device),
        }
        if left:
            with Bar(len(left), quiet=quiet) as bar:
                for done, seed in enumerate(left):
                    result = trial.perform(seed, folder, partial(_show, bar, seed, done))
                    folder.add(result, facts)
                    bar.say(words.sentence(trial, result))
        results = folder.results
        if (picture := trial.picture(folder, results)) is not None:
            save(picture, folder.path / PICTURE)
    return results


def _show(bar: Bar, seed: int, done: int, share: float) -> None:
    """A share of a seed's training is over, and so many seeds before it."""
    bar.show(
        done + share,
        tr("seed {seed}, {share} of its updates", seed=str(seed), share=f"{share:.0%}"),
    )
