"""Looking at a run: what is wrong with it, its images, one page about it."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from counterfeit import language
from counterfeit.cli.options import Lang, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to, writable
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
    from counterfeit.insight.diagnose import diagnose as diagnose_run
    from counterfeit.insight.tables import findings_text
    from counterfeit.run import Run

    trained = Run.open(run)
    say(findings_text(trained, diagnose_run(trained), columns(sys.stdout)))
    suggest("counterfeit", "report", run, quiet=quiet)


def sample(
    run: Path,
    /,
    *,
    count: Annotated[Whole, Parameter(name=["--count", "-n"])] = 100,
    out: Path | None = None,
    epoch: Whole | None = None,
    seed: Whole | None = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Draw new images from a run's generator.

    Args:
        run: a run directory.
        count: how many images.
        out: a .png for a grid, or a .npz with `images`, uint8 (N, C, H, W) [default: a PNG in the
            run's figures].
        epoch: from an earlier epoch: 1, 2, 5, 10, 20, 50 and so on are kept [default: the last].
        seed: fixes the latents [default: the run's].
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.insight.charts import write_samples
    from counterfeit.run import Run

    trained = Run.open(run)
    target = writable(out or trained.path / "figures" / f"samples-{count}.png", ".png", ".npz")
    step = None if epoch is None else trained.step_at(epoch)
    write_samples(trained.sample(count, seed=seed, step=step), target)
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
