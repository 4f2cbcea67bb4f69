"""What a search finds around a recipe that is bad on purpose, and what it costs, on digits.

    python benchmarks/search.py [--trials 20] [--epochs 54] [--rungs 2] [--confirm 5]
        [--samplers tpe] [--out FOLDER]

The recipe is batchnorm-smoothing with small networks, and with both learning rates a twentieth of
what they are. They are searched, and the batch size. Of each sampler it says the best trial, how
many epochs were trained of those that all trials would take unpruned, and how the best trial does
on other seeds and the test images, beside the recipe as it was.
"""

import argparse
import tempfile
import time
from pathlib import Path

from counterfeit import recipe
from counterfeit.search.conduct import conduct
from counterfeit.search.folder import Search
from counterfeit.search.plan import Plan, rungs_in
from counterfeit.search.space import Space
from counterfeit.search.words import account
from counterfeit.study import conduct as studies
from counterfeit.study.cluster import connected
from counterfeit.study.results import read
from counterfeit.study.tables import verdict_text
from counterfeit.study.verdict import judge

OWN = recipe.load("batchnorm-smoothing")
BAD = {
    "name": "bad",
    "data.name": "digits",
    "generator.hidden": (64, 64),
    "discriminator.hidden": (64, 32),
    "generator.optimizer.lr": OWN.generator.trained_with.lr / 20,
    "discriminator.optimizer.lr": OWN.discriminator.trained_with.lr / 20,
    "training.batch_size": 32,
}
SPACE = {
    "generator.optimizer.lr": {"low": 1e-5, "high": 1e-1, "log": True},
    "discriminator.optimizer.lr": {"low": 1e-5, "high": 1e-1, "log": True},
    "training.batch_size": [16, 32, 64],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=54)
    parser.add_argument("--rungs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--confirm", type=int, default=5)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--samplers", nargs="+", default=["tpe"])
    parser.add_argument("--out", type=Path, help="keep the searches there")
    options = parser.parse_args()
    base = OWN.with_values(BAD | {"training.epochs": options.epochs})
    with tempfile.TemporaryDirectory() as folder:
        for sampler in options.samplers:
            plan = Plan.parse(
                {
                    "recipe": base.name,
                    "data": base.data.name,
                    "trials": options.trials,
                    "epochs": options.epochs,
                    "rungs": min(options.rungs, rungs_in(options.epochs)),
                    "sampler": sampler,
                    "confirm": options.confirm,
                    "samples": options.samples,
                    "space": Space.parse(SPACE, base, "the space").to_table(),
                },
                "the benchmark",
            )
            searched(
                Search.make((options.out or Path(folder)) / sampler, plan, base), options.workers
            )


def searched(search: Search, workers: int) -> None:
    """Conduct the search; say what it found and cost."""
    started = time.perf_counter()
    with connected(workers=workers, device="cpu") as client:
        conduct(search, client, device="cpu")
        seconds = time.perf_counter() - started
        trials = search.trials
        best = search.ranked(trials)[0]
        print(f"{search.plan.sampler}, {workers} workers, {seconds:.0f} s in all:")
        print("\n".join(account(search, trials)))
        trained = sum(outcome.epoch for each in trials if (outcome := each.task.outcome))
        first = trials[0]
        scores = ", ".join(f"{score:.4g} at {epochs}" for epochs, score in first.scores.items())
        why = (outcome := first.task.outcome) and outcome.why
        print(f"the recipe as it was, trial 0: {first.state} {scores or why}")
        print(f"{trained:.0f} epochs trained of {len(trials) * search.plan.epochs}")
        if search.plan.confirm and search.changes(best):
            study = search.confirmation(best)
            studies.conduct(study, client, device="cpu")
            verdict = judge(read(study), metric=search.plan.metric, against=search.base.name)
            print(verdict_text(verdict))


if __name__ == "__main__":
    main()
