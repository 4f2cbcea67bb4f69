"""Many trainings that answer one question: a study, how far it is, and what it says."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from counterfeit import language
from counterfeit.cli.cluster import Place, bring, near, require_ended, show
from counterfeit.cli.options import Flag, Lang, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to, tell
from counterfeit.errors import UsageError, command
from counterfeit.language import tr
from counterfeit.terminal import columns, say

if TYPE_CHECKING:
    from counterfeit.study.plan import Plan

study = App(
    name="study",
    help="Compare recipes on many seeds, on this machine or a cluster, and say what is certain.",
    help_epilogue="docs/study.md walks through it.",
)

Several = Annotated[list[str] | None, Parameter(negative="")]


@study.default
def run(
    recipes: Annotated[list[str], Parameter(negative="")],
    /,
    *,
    seeds: Whole | None = None,
    data: Several = None,
    epochs: Whole | None = None,
    images: Whole | None = None,
    seconds: float | None = None,
    vary: Several = None,
    stop_on: Literal["critical"] | None = None,
    evaluate_every: Whole | None = None,
    samples: Whole | None = None,
    out: Path = Path("studies"),
    name: str | None = None,
    data_dir: Path | None = None,
    device: str = "auto",
    workers: Whole | None = None,
    scheduler: str | None = None,
    slurm: Annotated[bool, Flag] = False,
    dry_run: Annotated[bool, Flag] = False,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Train each recipe with each seed, as many runs at once as there are cores, and compare them.

    Ctrl-C saves and stops. The same command goes on, also with more seeds or, under the same
    --name, more recipes; and trains nothing twice. Each run is evaluated while it is trained,
    against validation images; and at its end against the test images. A run that fails counts as
    such, and ends no other.

    Args:
        recipes: names of recipes or TOML files of your own; or a study: a TOML file that says all
            this, or the folder of one that is to go on.
        seeds: how many, from 0 [default: 5].
        data: a data set's name or a folder of images, for all recipes; may be repeated [default:
            the recipes'].
        epochs: of each run [default: the recipes'].
        images: instead of epochs: how many real images D sees in each run.
        seconds: instead of epochs: how long each run is trained; at most the recipes' epochs.
        vary: try several values of the recipes: --vary generator.optimizer.lr=1e-4,2e-4; of several
            --vary, every combination is tried.
        stop_on: end a run at a finding of this severity; it counts as failed.
        evaluate_every: measure after every so many epochs [default: 1].
        samples: of the evaluation at a run's end [default: 10,000].
        out: the folder to make the study's folder in.
        name: of the study's folder [default: the TOML file's, or the recipes'].
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
        device: auto, cpu, cuda or mps.
        workers: how many runs are trained at once [default: as many as there are cores, or GPUs; 8
            jobs with --slurm]. It changes no number.
        scheduler: the address of a Dask scheduler whose workers train them, as tcp://host:8786.
        slurm: train them in jobs of SLURM, as ~/.config/dask/jobqueue.yaml says.
        dry_run: print the study as TOML, and its runs, and stop.
        quiet: no table, no findings on the screen, and no word of what to do next.
    """
    language.use(lang)
    from counterfeit.study.folder import PARTS, PLAN, Study, is_study
    from counterfeit.study.plan import Plan, default_name, is_plan

    if name is not None and (name in ("", ".", "..") or Path(name).name != name):
        raise UsageError(f"--name {name!r}: should be a folder's name; --out says where it lies.")
    given: dict[str, Any] = {
        "seeds": seeds,
        "data": tuple(data) if data else None,
        "epochs": epochs,
        "images": images,
        "seconds": seconds,
        "vary": _varied(vary) if vary else None,
        "stop_on": stop_on,
        "evaluate_every": evaluate_every,
        "samples": samples,
    }
    given = {key: value for key, value in given.items() if value is not None}
    first = Path(recipes[0])
    if first.name == PLAN and all((first.parent / each).is_dir() for each in PARTS):
        first = first.parent
    goes_on = len(recipes) == 1 and is_study(first)
    if goes_on:
        if given:
            options = ", ".join(f"--{key.replace('_', '-')}" for key in given)
            raise UsageError(
                f"{first} has its plan; leave out {options}, or name the recipes again."
            )
        made = Study.open(first)
    else:
        if len(recipes) == 1 and is_plan(first):
            plan = Plan.read(first).with_values(given)
        else:
            plan = Plan.parse({"recipes": tuple(recipes)} | given, "the study")
        if dry_run:
            _show(plan)
            suggest_to(tr("the same without --dry-run"), quiet=quiet)
            return
        title = name or (first.stem if is_plan(first) else default_name(plan))
        made = Study.make(out / title, plan)
    if dry_run:
        _show(made.plan)
        return
    place = Place(device, data_dir, workers, scheduler, slurm)
    left = bring(made, place, quiet=quiet)
    folder = near(made.folder)
    print(folder)
    require_ended(made, left, command("counterfeit", "study", folder))
    suggest("counterfeit", "study", "report", folder, quiet=quiet)


@study.command
def status(folder: Path, /, *, quiet: Quiet = False, lang: Lang = None) -> None:
    """How far a study is: its runs, what they score and what was found. It may go on meanwhile.

    Args:
        folder: the study's.
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.study.folder import Study
    from counterfeit.study.progress import Glance

    opened = Study.open(folder)
    glance = Glance(opened)
    show(glance, opened.folder)
    if glance.count("training") == 0 and glance.count("stopped") + glance.count("waiting") > 0:
        suggest("counterfeit", "study", near(opened.folder), quiet=quiet)


@study.command
def report(
    folder: Path,
    /,
    *,
    metric: str | None = None,
    against: str | None = None,
    checkpoint: Literal["last", "best"] = "last",
    pages: Annotated[bool, Flag] = False,
    out: Path | None = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Say which recipes of a study are better, finished or not, and write a page about it.

    Beside the page lie its numbers: runs, recipes and differences, each as .csv and .parquet.
    docs/study.md says how they are found.

    Args:
        folder: the study's.
        metric: that decides, to be chosen before you look [default: fid, where it was measured].
        against: compare each other recipe with this one alone, not all with all: fewer comparisons
            need fewer seeds.
        checkpoint: which one of each run is reported: the last, or the best on the validation
            images of those that are kept. Either is measured on the test images.
        pages: write a page about each run too, in some seconds each.
        out: the page [default: report.html in the study's folder].
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.cli.output import writable
    from counterfeit.insight.report import write_report
    from counterfeit.study.folder import Study
    from counterfeit.study.page import write_page
    from counterfeit.study.results import read
    from counterfeit.study.tables import tables_of, verdict_text, write_tables
    from counterfeit.study.verdict import judge

    opened = Study.open(folder)
    page = writable(out or opened.folder / "report.html")
    results = read(opened, checkpoint)
    verdict = judge(results, checkpoint, metric=metric, against=against)
    for each in results if pages else ():
        if each.run is not None:
            write_report([each.run])
    say(f"{verdict_text(verdict, columns(sys.stdout))}\n")
    write_tables(page.parent, tables_of(results, verdict))
    print(write_page(opened, results, verdict, page))
    suggest_to(tr("open it in a browser"), quiet=quiet)


def _varied(options: list[str]) -> dict[str, tuple[Any, ...]]:
    """Keys and the values to try, of `KEY=V1,V2`, each as TOML or else as text.

    Raises:
        UsageError: there is no key or no value.
    """
    from counterfeit.recipe import read_toml

    varied: dict[str, tuple[Any, ...]] = {}
    for option in options:
        key, _, raw = (part.strip() for part in option.partition("="))
        if not raw or not all(key.split(".")):
            raise UsageError(
                f"--vary {option!r}: write key=value,value, as in generator.optimizer.lr=1e-4,2e-4."
            )
        try:
            values = read_toml(f"values = [{raw}]", option)["values"]
        except UsageError:
            values = [part.strip() for part in raw.split(",")]
        varied[key] = (*varied.get(key, ()), *values)
    return varied


def _show(plan: "Plan") -> None:
    """The plan as TOML, and on stderr how many runs it makes."""
    print(plan.to_toml(), end="")
    variants, seeds = len(plan.spelt_out()), len(plan.seed_list)
    runs = variants * seeds * max(1, len(plan.data))
    tell(tr("{count} runs", count=str(runs)))
