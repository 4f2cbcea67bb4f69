"""Standard trials: how many known modes a recipe's game finds."""

import signal
import sys
from pathlib import Path
from typing import Literal

from counterfeit import language
from counterfeit.cli.cluster import near
from counterfeit.cli.options import Lang, Overrides, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to
from counterfeit.errors import Interrupted, UsageError, command
from counterfeit.language import tr
from counterfeit.terminal import columns, say

OUT = Path("trials")

ENOUGH = 5
"""Seeds, for a mean with an interval that says something."""


def trial(
    data: Literal["ring", "grid", "stacked-mnist"],
    recipe: str,
    /,
    *,
    seeds: Whole = ENOUGH,
    set_: Overrides = None,
    device: str = "auto",
    data_dir: Path | None = None,
    out: Path = OUT,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Train a recipe on data whose modes are known, and count those that it finds.

    ring: 8 narrow Gaussians on a circle; grid: 25 of them; there the recipe's loss, penalties and
    optimisers play between small perceptrons. stacked-mnist: three digits as an image in colour,
    1,000 modes, for the whole recipe. The same command goes on where it was stopped, and with more
    seeds trains these alone; docs/trials.md has the protocols.

    Args:
        data: ring, grid or stacked-mnist.
        recipe: a name that `counterfeit recipes` lists, or a TOML file of your own.
        seeds: how many, from 0.
        set_: change a value of what is trained: --set training.epochs=400; may be repeated. An
            epoch of points is 100 updates.
        device: auto, cpu, cuda or mps; ring and grid are played on the CPU.
        data_dir: where MNIST is kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
        out: the folder to make the trial's folder in.
        quiet: no progress bar, no table, and no word of what to do next.
    """
    language.use(lang)
    from counterfeit import environment
    from counterfeit import recipe as recipes_
    from counterfeit.recipe.tables import parse_override
    from counterfeit.study.names import label_of, slug
    from counterfeit.trials import points, stacked, words
    from counterfeit.trials.conduct import PICTURE, bring
    from counterfeit.trials.folder import Folder
    from counterfeit.trials.trial import Trial

    if seeds < 1:
        raise UsageError(f"--seeds {seeds}: should be 1 or more.")
    spec, changes = recipes_.load(recipe), set_ or []
    asked: Trial
    if data == stacked.NAME:
        environment.keep_freed_memory()
        place = environment.pick_device(device)
        asked = stacked.StackedTrial(stacked.suited(spec).with_overrides(changes), place, data_dir)
    else:
        asked = points.PointsTrial(data, points.suited(spec, data).with_overrides(changes))
    name = slug(label_of(f"{data}-{spec.name}", dict(map(parse_override, changes))))
    folder = Folder(out / name)
    again = ["counterfeit", "trial", data, recipe, *(f"--set={each}" for each in changes)]
    again += [] if out == OUT else ["--out", str(out)]
    try:
        results = bring(asked, folder, seeds, quiet=quiet)
    except KeyboardInterrupt as stopped:
        status = stopped.exit_status if isinstance(stopped, Interrupted) else 128 + signal.SIGINT
        goes_on = command(*again, "--seeds", seeds)
        raise Interrupted(f"stopped; {goes_on} goes on.", status - 128, None) from None
    if not quiet:
        say(f"{words.text(asked, results, columns(sys.stdout))}\n")
    print(near(folder.path))
    if len(results) < ENOUGH:
        suggest(*again, "--seeds", ENOUGH, quiet=quiet)
    else:
        suggest_to(tr("look at {picture}", picture=str(near(folder.path / PICTURE))), quiet=quiet)
