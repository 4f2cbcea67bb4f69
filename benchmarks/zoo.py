"""A labelled zoo of runs, healthy ones and ones broken on purpose, to set and to test diagnosis.

    python benchmarks/zoo.py train --out ZOO [NAME ...] [--quick]
    python benchmarks/zoo.py measure --out ZOO [--json FILE] [--markdown FILE]

`train` makes the runs that ZOO lacks; `measure` needs no training. `SPECIMENS` declares what is
wrong with each run, which findings must be made, and which may be. Thresholds are set on its runs;
those of `TEST_SPECIMENS` are measured only. `--quick` trains two epochs on a few digits instead,
which shows that each can be made, and nothing else.

The networks and data sets are small, so that a run takes seconds: 6,000 images of MNIST or
Fashion-MNIST in batches of 64, the 1,437 digits of scikit-learn, or the emoji (zoo_sets.py).
What is wrong is declared in zoo_specimens.py, zoo_sets.py, zoo_conditions.py and zoo_families.py,
and done by zoo_breakages.py.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import median

import torch
from torch import nn

import zoo_conditions
import zoo_families
import zoo_sets
import zoo_specimens
from counterfeit import recipe
from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.insight.detectors import Record, examine
from counterfeit.insight.diagnose import read
from counterfeit.insight.vitals import Gauge, take, untrained
from counterfeit.run import Run
from counterfeit.training import loop
from zoo_specimens import COLLAPSE, OVERPOWERED, Specimen

SPECIMENS = [
    *zoo_specimens.SPECIMENS,
    *zoo_sets.SPECIMENS,
    *zoo_conditions.SPECIMENS,
    *zoo_families.SPECIMENS,
]
TEST_SPECIMENS = [*zoo_specimens.TEST_SPECIMENS, *zoo_conditions.TEST_SPECIMENS]


def half(specimen: Specimen) -> str:
    """`test` runs are only measured. Of the others many were at first, half after half;
    what it showed was then mended, and all of them are `calibration` now."""
    return "test" if specimen in TEST_SPECIMENS else "calibration"


QUICK_IMAGES = 320


def quickly(spec: recipe.Recipe) -> recipe.Recipe:
    """The same with a few digits, for two epochs."""
    few = min(spec.data.train_images or QUICK_IMAGES, QUICK_IMAGES)
    return spec.with_values({"data.name": "digits", "data.train_images": few, "training.epochs": 2})


def train(specimen: Specimen, out: Path, *, quick: bool) -> None:
    """Make the specimen's run in `out / name`, with its vital signs taken at every epoch."""
    place = out / specimen.name
    scratch = out / f".{specimen.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    spec = recipe.load(specimen.recipe).with_overrides(specimen.overrides)
    spec = quickly(spec) if quick else spec
    gauges: list[Gauge] = []

    def examine(run: Run, epoch: int, generator: nn.Module) -> None:
        if not gauges:
            gauges.append(Gauge(run))
            run.append_vitals(untrained(gauges[0], run))
        run.append_vitals(take(gauges[0], run, epoch, generator, full=True))

    with ExitStack() as stack:
        stack.enter_context(specimen.breakage(spec))
        try:
            loop.train(spec, seed=specimen.seed, device="cpu", out=scratch, on_epoch=[examine])
        except CounterfeitError as error:  # it diverged
            print(f"{specimen.name}: {error}")
    (made,) = scratch.iterdir()
    for step in Run.open(made).checkpoint_steps[:-1]:
        Run.open(made).remove_checkpoint(step)
    made.rename(place)
    scratch.rmdir()


# Measuring


@dataclass(frozen=True)
class Outcome:
    """What diagnosis said of a specimen, epoch by epoch, as if it were in training."""

    specimen: Specimen
    said: dict[str, float]
    """The epoch at which each finding was first said."""
    critical: frozenset[str]
    """Findings that were ever said to be critical."""
    overpowered_from: float | None
    collapsed_from: float | None

    @property
    def broken_from(self) -> int | None:
        return self.specimen.broken_at

    @property
    def owed(self) -> list[str]:
        """What must be found; not a failure that by its definition of onset did not happen."""
        happened = {
            OVERPOWERED: self.overpowered_from is not None,
            COLLAPSE: self.collapsed_from is not None,
        }
        return sorted(name for name in self.specimen.must if happened.get(name, True))

    @property
    def right(self) -> list[str]:
        return [name for name in self.owed if self.said.keys() & name.split("/")]

    @property
    def missed(self) -> list[str]:
        return [name for name in self.owed if not self.said.keys() & name.split("/")]

    @property
    def wrong(self) -> list[str]:
        fitting = {each for name in self.specimen.must for each in name.split("/")}
        return sorted(self.said.keys() - fitting - self.specimen.may)


def observe(specimen: Specimen, run: Run) -> Outcome:
    record = read(run)
    said: dict[str, float] = {}
    critical: set[str] = set()
    for row in record.epochs:
        for finding in examine(record.until(row["epoch"])):
            said.setdefault(finding.name, row["epoch"])
            if finding.severity == "critical":
                critical.add(finding.name)
    return Outcome(
        specimen, said, frozenset(critical), overpowered_from(record), collapsed_from(record)
    )


def overpowered_from(record: Record) -> float | None:
    """Onset, as docs/diagnosis.md defined it before anything was measured; of no critic."""
    rows = record.epochs if "d_real_q05" in record.columns else []
    return _from(rows, [r["d_real_q05"] > 0.75 and r["d_fake_q95"] < 0.1 for r in rows])


def collapsed_from(record: Record) -> float | None:
    """Onset, as docs/diagnosis.md defined it before anything was measured."""
    return _from(record.images, [row["spread"] < 0.15 for row in record.images])


def _from(rows: Sequence[Row], holds: Sequence[bool]) -> float | None:
    for row, now, then in zip(rows, holds, holds[1:], strict=False):
        if now and then:
            return float(row["epoch"])
    return None


def tally(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """For each finding: how often it was rightly made, missed, and wrongly made."""
    table: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        for column in ("right", "missed", "wrong"):
            for name in getattr(outcome, column):
                table.setdefault(name, dict.fromkeys(("right", "missed", "wrong"), 0))[column] += 1
    total = {column: sum(row[column] for row in table.values())
             for column in ("right", "missed", "wrong")}  # fmt: skip
    return {name: table[name] for name in sorted(table)} | {"all": total}


def share(part: int, rest: int) -> str:
    return f"{part / (part + rest):.2f}" if part + rest else "–"


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The tables of docs/diagnosis.md."""
    lines: list[str] = []
    for title, runs in halves(outcomes).items():
        lines += [
            f"{title}: {len(runs)} runs", "",
            "| finding | rightly made | missed | wrongly made | recall | precision |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for name, row in tally(runs).items():
            right, missed, wrong = row["right"], row["missed"], row["wrong"]
            lines.append(
                f"| {name} | {right} | {missed} | {wrong} | {share(right, missed)}"
                f" | {share(right, wrong)} |"
            )
        healthy_runs = [o for o in runs if o.specimen.kind == "healthy"]
        alarmed = [o.specimen.name for o in healthy_runs if o.critical]
        allowed = sum(len(o.said.keys() & (o.specimen.may - o.specimen.must)) for o in runs)
        excused = [o.specimen.name for o in runs if len(o.owed) < len(o.specimen.must)]
        lines += [
            "",
            f"- Not counted: {allowed} findings that may be made; failures that did not happen by"
            f" their onset: {', '.join(excused) or 'none'}.",
            f"- Healthy runs called critical: {len(alarmed)} of {len(healthy_runs)}.",
        ]
        for name, onset in (
            (OVERPOWERED, "overpowered_from"),
            (COLLAPSE, "collapsed_from"),
            ("best-long-ago", "broken_from"),
        ):
            delays = [
                o.said[name] - getattr(o, onset)
                for o in runs
                if name in o.specimen.must and name in o.said and getattr(o, onset)
            ]
            lines.append(
                f"- Epochs from onset to `{name}`: median {median(delays or [nan]):.0f},"
                f" most {max(delays, default=nan):.0f} (n = {len(delays)})."
            )
        lines.append("")
    lines += [
        "| run | kind | half | said, at epoch | missed | wrong |",
        "|---|---|---|---|---|---|",
    ]
    for o in outcomes:
        said = ", ".join(f"{name} {epoch:.0f}" for name, epoch in o.said.items())
        lines.append(
            f"| {o.specimen.name} | {o.specimen.kind} | {half(o.specimen)} | {said}"
            f" | {', '.join(o.missed)} | {', '.join(o.wrong)} |"
        )
    return "\n".join(lines) + "\n"


def halves(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    return {
        name: [o for o in outcomes if half(o.specimen) == name] for name in ("calibration", "test")
    }


def as_json(outcomes: Sequence[Outcome]) -> str:
    report = {title: tally(runs) for title, runs in halves(outcomes).items()}
    rows = [
        {
            "name": o.specimen.name,
            "kind": o.specimen.kind,
            "half": half(o.specimen),
            "said": o.said,
            "critical": sorted(o.critical),
            "missed": o.missed,
            "wrong": o.wrong,
            "overpowered_from": o.overpowered_from,
            "collapsed_from": o.collapsed_from,
        }
        for o in outcomes
    ]
    return json.dumps({"findings": report, "runs": rows}, indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=["train", "measure"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--half", choices=["calibration", "test", "both"], default="both")
    parser.add_argument("--quick", action="store_true", help="two epochs on a few digits")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    everything = [*SPECIMENS, *TEST_SPECIMENS]
    chosen = [s for s in everything if not options.names or s.name in options.names]
    if options.task == "train":
        options.out.mkdir(parents=True, exist_ok=True)
        for specimen in chosen:
            if not (options.out / specimen.name).is_dir():
                print(specimen.name, flush=True)
                train(specimen, options.out, quick=options.quick)
        return
    if options.half != "both":
        chosen = [specimen for specimen in chosen if half(specimen) == options.half]
    there = [s for s in chosen if (options.out / s.name).is_dir()]
    outcomes = [observe(s, Run.open(options.out / s.name)) for s in there]
    print(markdown(outcomes))
    if options.markdown:
        options.markdown.write_text(markdown(outcomes))
    if options.json:
        options.json.write_text(as_json(outcomes))


if __name__ == "__main__":
    main()
