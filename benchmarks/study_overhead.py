"""What handing a study's runs out costs, beside the runs' own time.

    python benchmarks/study_overhead.py [--runs 200] [--workers 2] [--empty 1000]

Runs are of an epoch of digits with small networks, each evaluated: about the shortest that anyone
would train. Overhead is the time that workers spend between runs, from the first one's begin to the
last one's end, as a share of what the runs take themselves; what the cluster takes to start and to
end is said apart. Then as many tasks that do nothing are handed out and waited for.

With --side-by-side, the same runs are done by one worker first, and the ratio is said.
"""

import argparse
import tempfile
import time
from pathlib import Path

from counterfeit.study.cluster import connected
from counterfeit.study.conduct import conduct
from counterfeit.study.folder import Study, Task
from counterfeit.study.plan import Plan
from counterfeit.study.worker import Answer, Terms

SMALL = {
    "generator.hidden": (32, 32),
    "discriminator.hidden": (32, 16),
    "training.batch_size": 64,
}


def plan_of(runs: int, epochs: int) -> Plan:
    return Plan.parse(
        {
            "variants": [{"label": "small", "recipe": "adam", "values": SMALL}],
            "data": ["digits"],
            "seeds": runs,
            "epochs": epochs,
            "samples": 400,
        },
        "benchmark",
    )


def rest(task: Task, terms: Terms) -> Answer:
    """A task that does nothing."""
    return Answer("finished")


def spans(study: Study) -> list[tuple[float, float]]:
    """When each run began and ended, by the clock of the folder."""
    found = []
    for task in study.tasks:
        outcome = task.outcome
        assert outcome is not None
        assert outcome.seconds is not None
        ended = (study.folder / "tasks" / f"{task.id}.json").stat().st_mtime
        found.append((ended - outcome.seconds, ended))
    return found


def timed(folder: Path, plan: Plan, workers: int) -> float:
    """Conduct the plan; say what it cost; seconds from the first begin to the last end."""
    study = Study.make(folder, plan)
    started = time.time()
    with connected(workers=workers, device="cpu") as client:
        conduct(study, client, device="cpu")
    ended = time.time()
    times = spans(study)
    first, last = min(begin for begin, _ in times), max(end for _, end in times)
    own = sum(end - begin for begin, end in times)
    between = (last - first) * workers - own
    print(
        f"{len(times)} runs, {workers} workers: {last - first:.1f} s; the runs' own time is"
        f" {own:.1f} s, {own / len(times):.2f} s each; between them {between:.2f} s,"
        f" {between / own:.2%}; to start {first - started:.1f} s, to end {ended - last:.1f} s"
    )
    return last - first


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--empty", type=int, default=1000)
    parser.add_argument("--side-by-side", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(options.runs, options.epochs)
        if options.side_by_side:
            alone = timed(Path(folder, "alone"), plan, 1)
        together = timed(Path(folder, "together"), plan, options.workers)
        if options.side_by_side:
            print(f"one after the other they take {alone / together:.2f} times as long")
        if options.empty:
            study = Study.make(Path(folder, "empty"), plan_of(options.empty, 1))
            with connected(workers=options.workers, device="cpu") as client:
                answered: list[float] = []
                conduct(
                    study,
                    client,
                    device="cpu",
                    work=rest,
                    on_answer=lambda task, answer: answered.append(time.perf_counter()),
                )
            seconds = answered[-1] - answered[0]
            print(
                f"{len(answered)} tasks that do nothing: {seconds:.1f} s from the first answer to"
                f" the last, {1000 * seconds / len(answered):.1f} ms each"
            )


if __name__ == "__main__":
    main()
