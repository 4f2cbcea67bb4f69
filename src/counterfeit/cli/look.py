"""Looking at a run: what is wrong with it, its images, one page about it."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from counterfeit import language
from counterfeit.cli.options import Lang, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to, tell, writable
from counterfeit.errors import CounterfeitError
from counterfeit.language import tr
from counterfeit.terminal import columns, say


def diagnose(run: Path, /, *, quiet: Quiet = False, lang: Lang = None) -> None:
    """Say what is wrong with a run, finished or not: on what evidence, and what to try.

    The exit status is 0 whether something is wrong or not. docs/diagnosis.md defines each finding.

    Args:
        run: a run directory.
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.insight.accounts import findings_text
    from counterfeit.insight.diagnose import diagnose as diagnose_run
    from counterfeit.run import Run

    trained = Run.open(run)
    say(findings_text(trained, diagnose_run(trained), columns(sys.stdout)))
    suggest("counterfeit", "report", run, quiet=quiet)


def sample(
    run: Path,
    /,
    *,
    count: Annotated[Whole, Parameter(name=["--count", "-n"])] = 100,
    of: Annotated[str | None, Parameter(name="--class")] = None,
    code: str | None = None,
    out: str | None = None,
    epoch: Whole | None = None,
    seed: Whole | None = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Draw new images from a run's generator.

    Of a loop that is not ours they are those that it kept, as only its code can make more.

    Args:
        run: a run directory.
        count: how many images.
        of: the class to draw, by name or number, of a run whose networks are told classes; several
            with commas between, or all, have a row each [default: as often as in the data].
        code: the value of an InfoGAN's categorical code, likewise [default: any].
        out: a .png for a grid; a .npz with `images`, uint8 (N, C, H, W), and with classes or codes
            also `labels`, int64 (N), their numbers; or FOLDER/, with a slash, for a PNG of each
            image [default: a PNG in the run's figures].
        epoch: from an earlier epoch: 1, 2, 5, 10, 20, 50 and so on are kept [default: the last].
        seed: fixes the latents [default: the run's].
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.insight.charts import write_each, write_samples
    from counterfeit.run import Run
    from counterfeit.run.asked import categories_of, classes_of, in_rows, in_short

    trained = Run.open(run)
    labels = codes = None
    if of is not None:
        labels = in_rows(of, classes_of(trained.path, trained.classes), count)
    if code is not None:
        categories = trained.recipe.latent.categories
        codes = in_rows(code, categories_of(trained.path, categories), count)
    name = f"samples-{count}"
    if (asked := labels if codes is None else codes) is not None:
        count = len(asked)
        name = f"samples-{count}-{'class' if codes is None else 'code'}-{in_short(asked)}"
    place = out or str(trained.path / "figures" / f"{name}.png")
    folder = place.endswith(("/", os.sep)) or Path(place).is_dir()
    target = Path(place) if folder else writable(Path(place), ".png", ".npz")
    step = None if epoch is None else trained.step_at(epoch)
    if asked is None:
        asked = trained.labels(count, seed=seed)
    images = trained.sample(count, labels=labels, codes=codes, seed=seed, step=step)
    if trained.is_custom and not quiet:
        tell(tr("These are images that the run keeps: its generator is not ours to build."))
    if folder:
        write_each(images, target)
    else:
        write_samples(images, target, asked)
    print(target)
    suggest("counterfeit", "evaluate", run, quiet=quiet)


def report(
    runs: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    out: Path | None = None,
    figures: Annotated[list[Literal["svg", "pdf"]] | None, Parameter(negative="")] = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Write one self-contained HTML page about a run, or about several beside each other.

    A run whose newest checkpoint was not evaluated is evaluated first, where that takes seconds.

    Args:
        runs: run directories.
        out: the page [default: report.html in the run, or in the folder of several].
        figures: keep the charts in this format too, in each run's figures, for papers; may be
            repeated.
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.insight.report import default_page, write_report
    from counterfeit.measure.evaluate import measure_newest, newest_is_measured
    from counterfeit.progress import Bar
    from counterfeit.run import Run

    opened = [Run.open(run) for run in runs]
    page = writable(out or default_page(opened))
    for each in opened if figures else ():
        writable(each.path / "figures" / "losses.svg")
    for each in opened:
        if not newest_is_measured(each):
            with Bar(1, tr("measuring {name}: ", name=each.path.name), quiet=quiet) as bar:
                try:
                    measure_newest(each, progress=bar.on_stage)
                except CounterfeitError as error:
                    why = str(error)
                    bar.say(tr("{name} is not measured: {error}", name=each.path.name, error=why))
    print(write_report(opened, page, formats=figures or ()))
    suggest_to(tr("open it in a browser"), quiet=quiet)
