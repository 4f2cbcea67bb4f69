"""The article's experiment."""

from pathlib import Path
from typing import Annotated

from counterfeit import language
from counterfeit.cli.options import Flag, Lang, Quiet, Whole
from counterfeit.cli.output import suggest_to, writable
from counterfeit.language import tr


def reproduce(
    *,
    quick: Annotated[bool, Flag] = False,
    seed: Whole = 0,
    device: str = "auto",
    out: Path | None = None,
    data_dir: Path | None = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Train the article's three stages and compare what it says with what is seen here.

    100 epochs a stage; with several cores the stages are trained at once, which changes no number.
    Stages that are already in the output folder are not trained again, and one that was stopped
    goes on.

    Args:
        quick: 10 epochs a stage.
        seed: fixes all randomness.
        device: auto, cpu, cuda or mps.
        out: the folder for the three runs and the report [default: runs/reproduction].
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
        quiet: no progress bars, and no word of what to do next.
    """
    language.use(lang)
    from counterfeit.reproduce import reproduce_article

    folder = out or Path("runs") / ("reproduction-quick" if quick else "reproduction")
    writable(folder / "report.html")
    print(
        reproduce_article(
            folder,
            epochs=10 if quick else 100,
            seed=seed,
            device=device,
            data_dir=data_dir,
            quiet=quiet,
        )
    )
    suggest_to(tr("open it in a browser"), quiet=quiet)
