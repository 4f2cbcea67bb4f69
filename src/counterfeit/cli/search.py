"""A search for better values of a recipe, how far it is, and what it found."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App

from counterfeit import language
from counterfeit.cli.cluster import Place, bring, near, require_ended, show
from counterfeit.cli.options import Flag, Lang, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to, tell
from counterfeit.errors import CounterfeitError, UsageError, command
from counterfeit.language import tr
from counterfeit.optional import needing
from counterfeit.terminal import columns, fill, say

if TYPE_CHECKING:
    from counterfeit.search.folder import Search, Trial

search = App(
    name="search",
    help="Search for values that make a recipe better, on this machine or a cluster.",
    help_epilogue="docs/search.md walks through it.",
)


@search.default
def run(
    recipe: str,
    /,
    *,
    space: Path | None = None,
    trials: Whole | None = None,
    epochs: Whole | None = None,
    rungs: Whole | None = None,
    metric: str | None = None,
    data: str | None = None,
    sampler: Literal["tpe", "gp", "random"] | None = None,
    seed: Whole | None = None,
    confirm: Whole | None = None,
    samples: Whole | None = None,
    out: Path = Path("searches"),
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
    """Try values of a recipe, as many at once as there are cores, and confirm the best ones.

    The first trial is the recipe as it is, where the space holds it; then Optuna proposes. A trial
    is measured on the validation images at every rung, where all but the best third of those that
    got there are left behind. The best trial and the recipe as it was are trained again with other
    seeds and compared on the test images, as `counterfeit study` does: only that says whether
    anything better was found. Ctrl-C saves and stops; the same command goes on, also with more
    --trials.

    Args:
        recipe: a recipe's name or a TOML file of your own; or the folder of a search that is to go
            on.
        space: a TOML file that says what may be tried, as generator.optimizer.lr = { low = 1e-5,
            high = 1e-2, log = true } or discriminator.dropout = [0.0, 0.3].
        trials: how many values are tried [default: 30].
        epochs: of a trial that is not left behind [default: the recipe's].
        rungs: how many there are, the last one at the end and each with a third of the epochs of
            the next; 1 trains all trials to their ends [default: 3, or as many as fit].
        metric: that is searched by, and confirmed by [default: fid].
        data: a data set's name or a folder of images [default: the recipe's].
        sampler: who proposes: tpe, gp for a Gaussian process, or random [default: tpe].
        seed: of all trials and of what is proposed; on one worker, the same search gives the same
            trials [default: 0].
        confirm: how many other seeds the best trial and the recipe as it was are trained with in
            the end; 0 leaves it at the trials [default: 5].
        samples: of the evaluations on the test images then [default: 10,000].
        out: the folder to make the search's folder in.
        name: of the search's folder [default: the recipe's and the space's].
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
        device: auto, cpu, cuda or mps.
        workers: how many trials are trained at once [default: as many as there are cores, or GPUs;
            8 jobs with --slurm].
        scheduler: the address of a Dask scheduler whose workers train them, as tcp://host:8786.
        slurm: train them in jobs of SLURM, as ~/.config/dask/jobqueue.yaml says.
        dry_run: print the search as TOML and stop.
        quiet: no table, no findings on the screen, and no word of what to do next.
    """
    language.use(lang)
    given: dict[str, Any] = {
        "trials": trials,
        "epochs": epochs,
        "rungs": rungs,
        "metric": metric,
        "data": data,
        "sampler": sampler,
        "seed": seed,
        "confirm": confirm,
        "samples": samples,
    }
    given = {key: value for key, value in given.items() if value is not None}
    made = _made(recipe, space, given, out, name, dry_run=dry_run)
    if dry_run:
        print(made.plan.to_toml(), end="")
        suggest_to(tr("the same without --dry-run"), quiet=quiet)
        return
    place = Place(device, data_dir, workers, scheduler, slurm)
    _try(made, place, quiet=quiet)
    best = _best(made)
    made.write_best(best)
    goes_on = command("counterfeit", "search", near(made.folder))
    if not quiet:
        _say_account(made)
    confirmed = made.changes(best) and made.plan.confirm
    if confirmed:
        study = made.confirmation(best)
        left = bring(
            study,
            place,
            quiet=quiet,
            metric=made.plan.metric,
            against=made.base.name,
            goes_on=goes_on,
        )
    print(near(made.folder))
    if confirmed:
        require_ended(study, left, goes_on)
    suggest("counterfeit", "search", "report", near(made.folder), quiet=quiet)


def _made(
    recipe: str,
    space: Path | None,
    given: dict[str, Any],
    out: Path,
    name: str | None,
    *,
    dry_run: bool,
) -> "Search":
    """The search that is asked for; in its folder, but for a dry run.

    Raises:
        UsageError: something about it is impossible.
    """
    from counterfeit import recipe as recipes
    from counterfeit.data import anchored
    from counterfeit.search.folder import PLAN, Search, is_search
    from counterfeit.search.plan import USUAL_RUNGS, Plan, rungs_in
    from counterfeit.search.space import Space
    from counterfeit.study.names import slug

    folder = Path(recipe).parent if Path(recipe).name == PLAN else Path(recipe)
    if is_search(folder):
        if space is not None or given.keys() - {"trials", "confirm"}:
            raise UsageError(
                f"{folder} has its plan; leave out all but --trials and --confirm, or name the"
                " recipe again."
            )
        kept = Search.open(folder)
        plan = kept.plan.with_values(given)
        return Search(kept.folder, plan, kept.base, kept.space) if dry_run else kept.grown(plan)
    if space is None:
        raise UsageError(
            "say what may be tried: --space FILE.toml, with lines such as"
            " generator.optimizer.lr = { low = 1e-5, high = 1e-2, log = true }."
        )
    base = recipes.load(recipe)
    values = {"data.name": anchored(given.get("data", base.data.name))}
    if "epochs" in given:
        values["training.epochs"] = given["epochs"]
    base = base.with_values(values)
    base.require_trainable()
    epochs = base.training.epochs
    plan = Plan.parse(
        {"rungs": min(USUAL_RUNGS, rungs_in(epochs))}
        | given
        | {
            "recipe": base.name,
            "data": base.data.name,
            "epochs": epochs,
            "space": Space.read(space, base).to_table(),
        },
        "the search",
    )
    made = out / (name or f"{slug(base.name)[:80]}-{slug(space.stem)[:80]}")
    if dry_run:
        return Search(made, plan, base, Space.parse(plan.space, base, str(space)))
    return Search.make(made, plan, base)


def _try(made: "Search", place: Place, *, quiet: bool) -> None:
    """Bring as many trials to their ends as are planned."""
    from counterfeit.search.progress import TrialsGlance
    from counterfeit.study.outcome import ENDINGS
    from counterfeit.study.progress import Screen

    tasks = made.tasks
    if len(tasks) >= made.plan.trials and all(task.state in ENDINGS for task in tasks):
        return
    glance = TrialsGlance(made)
    with place.connected() as client, Screen(glance, quiet=quiet) as screen:
        with needing("optuna"):
            from counterfeit.search.conduct import conduct

        conduct(
            made,
            client,
            device=place.device,
            data_dir=place.data_dir,
            on_look=screen.on_look,
            on_end=screen.on_answer,
            on_lack=screen.say,
        )
    glance.look()
    if not quiet:
        tell(glance.summary())


def _best(made: "Search") -> "Trial":
    """
    Raises:
        CounterfeitError: no trial got to its end.
    """
    ranked = made.ranked(made.trials)
    if not ranked:
        raise CounterfeitError(
            f"no trial got to its end in {near(made.folder)}; `counterfeit search status` says why."
        )
    return ranked[0]


@search.command
def status(folder: Path, /, *, quiet: Quiet = False, lang: Lang = None) -> None:
    """How far a search is: its trials, what they try and what they score. It may go on meanwhile.

    Args:
        folder: the search's.
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.search.folder import Search
    from counterfeit.search.progress import TrialsGlance

    opened = Search.open(folder)
    glance = TrialsGlance(opened)
    show(glance, opened.folder)
    if glance.count("training") == 0 and glance.ended < opened.plan.trials:
        suggest("counterfeit", "search", near(opened.folder), quiet=quiet)


@search.command
def report(
    folder: Path, /, *, out: Path | None = None, quiet: Quiet = False, lang: Lang = None
) -> None:
    """Say what a search found and whether it is better, finished or not, and write a page about it.

    The page is that of `counterfeit study report` about the best trial beside the recipe as it was.
    Beside it lie its numbers, and all trials, each as .csv and .parquet.

    Args:
        folder: the search's.
        out: the page [default: report.html in the search's folder].
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.cli.output import writable
    from counterfeit.search.folder import Search
    from counterfeit.search.page import listed
    from counterfeit.search.words import account, rows, table
    from counterfeit.study.outcome import ENDINGS
    from counterfeit.study.page import write_page
    from counterfeit.study.results import read
    from counterfeit.study.tables import tables_of, verdict_text, write_tables
    from counterfeit.study.verdict import judge

    opened = Search.open(folder)
    page = writable(out or opened.folder / "report.html")
    trials = opened.trials
    _say_account(opened)
    if lines := table(opened, trials):
        say("\n".join(lines) + "\n")
    tables = {"trials": rows(opened, trials)}
    study = opened.confirmed
    if study is None:
        written = write_tables(page.parent, tables)
        print(written[0])
        ended = sum(trial.state in ENDINGS for trial in trials)
        more = [] if ended < opened.plan.trials else [f"--trials={2 * opened.plan.trials}"]
        suggest("counterfeit", "search", near(opened.folder), *more, quiet=quiet)
        return
    results = read(study)
    verdict = judge(results, metric=opened.plan.metric, against=opened.base.name)
    say(f"{verdict_text(verdict, columns(sys.stdout))}\n")
    write_tables(page.parent, tables | tables_of(results, verdict))
    written_page = write_page(
        study,
        results,
        verdict,
        page,
        title=tr("Search {name}", name=opened.folder.name),
        about=account(opened, trials),
        listed=listed(opened, trials),
        written_by=shlex.join(["counterfeit", "search", "report", str(opened.folder)]),
    )
    print(written_page)
    suggest("counterfeit", "train", near(opened.folder / "best.toml"), quiet=quiet)


def _say_account(made: "Search") -> None:
    """What the trials found."""
    from counterfeit.search.words import account

    width = columns(sys.stdout)
    say("\n".join(fill(each, width, rest="  ") for each in account(made, made.trials)) + "\n")
