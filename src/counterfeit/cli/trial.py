"""Standard trials: how many known modes a recipe's game finds."""

import sys
from pathlib import Path
from typing import Literal

from counterfeit import language
from counterfeit.cli.cluster import near
from counterfeit.cli.options import Lang, Overrides, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to
from counterfeit.errors import UsageError
from counterfeit.language import tr
from counterfeit.terminal import columns, say

OUT = Path("trials")

ENOUGH = 5
"""Seeds, for a mean with an interval that says something."""


def trial(
    data: Literal["ring", "grid"],
    recipe: str,
    /,
    *,
    seeds: Whole = ENOUGH,
    set_: Overrides = None,
    out: Path = OUT,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Train a recipe's game on data whose modes are known, and count those that it finds.

    ring: 8 narrow Gaussians on a circle; grid: 25 of them. The recipe's losses, penalties and
    optimisers play, between small perceptrons. The same command goes on where it was stopped, and
    with more seeds trains these alone; docs/trials.md has the protocols.

    Args:
        data: ring or grid.
        recipe: a name that `counterfeit recipes` lists, or a TOML file of your own.
        seeds: how many, from 0.
        set_: change a value of what is trained: --set training.epochs=400; may be repeated. An
            epoch is 100 updates of points.
        out: the folder to make the trial's folder in.
        quiet: no progress bar, no table, and no word of what to do next.
    """
    language.use(lang)
    from counterfeit import recipe as recipes_
    from counterfeit.recipe.tables import parse_override
    from counterfeit.study.names import label_of, slug
    from counterfeit.trials import words
    from counterfeit.trials.conduct import PICTURE, bring
    from counterfeit.trials.folder import Folder
    from counterfeit.trials.points import PointsTrial, suited

    if seeds < 1:
        raise UsageError(f"--seeds {seeds}: should be 1 or more.")
    spec = recipes_.load(recipe)
    asked = PointsTrial(data, suited(spec, data).with_overrides(set_ or []))
    label = label_of(f"{data}-{spec.name}", dict(map(parse_override, set_ or [])))
    folder = Folder(out / slug(label))
    results = bring(asked, folder, seeds, quiet=quiet)
    if not quiet:
        say(f"{words.text(asked, results, columns(sys.stdout))}\n")
    print(near(folder.path))
    if len(results) < ENOUGH:
        changed = [f"--set={each}" for each in set_ or []]
        where = [] if out == OUT else ["--out", out]
        again = "counterfeit", "trial", data, recipe, *changed, "--seeds", ENOUGH, *where
        suggest(*again, quiet=quiet)
    else:
        suggest_to(tr("look at {picture}", picture=str(near(folder.path / PICTURE))), quiet=quiet)
