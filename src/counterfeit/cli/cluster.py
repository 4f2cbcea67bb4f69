"""Where a command has trainings done, and a study's runs brought to their ends there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from counterfeit.cli.output import tell
from counterfeit.errors import CounterfeitError
from counterfeit.optional import needing
from counterfeit.terminal import columns, say

if TYPE_CHECKING:
    from distributed import Client

    from counterfeit.study.folder import Study
    from counterfeit.study.progress import Glance
    from counterfeit.study.worker import Answer


@dataclass(frozen=True)
class Place:
    """Where trainings are done, as the options say; see `counterfeit study --help`."""

    device: str
    data_dir: Path | None
    workers: int | None
    scheduler: str | None
    slurm: bool

    @contextmanager
    def connected(self) -> Iterator["Client"]:
        """A cluster while the block runs.

        Raises:
            UsageError: Dask is not installed, or an impossible combination.
            CounterfeitError: no scheduler answers.
        """
        with needing("distributed", "dask-jobqueue"):
            from counterfeit.study.cluster import connected
        with connected(
            scheduler=self.scheduler, slurm=self.slurm, workers=self.workers, device=self.device
        ) as client:
            yield client


def bring(
    made: "Study",
    place: Place,
    *,
    quiet: bool,
    metric: str | None = None,
    against: str | None = None,
    goes_on: str | None = None,
) -> list["Answer"]:
    """Bring a study's runs to their ends, and say what they were; of those that did not get there,
    what kept them.

    Args:
        metric: that is judged by; a study's usual one when absent.
        against: the recipe that all others are compared with, instead of all with all.
        goes_on: the command that goes on, as a message quotes it; `counterfeit study` when absent.
    """
    from counterfeit.study.progress import Glance, Screen

    glance = Glance(made)
    answers: dict[str, Answer] = {}
    if any(task.outcome is None for task in made.tasks):
        with place.connected() as client, Screen(glance, quiet=quiet) as screen:
            from counterfeit.study.conduct import conduct

            answers = conduct(
                made,
                client,
                device=place.device,
                data_dir=place.data_dir,
                on_look=screen.on_look,
                on_answer=screen.on_answer,
                on_lack=screen.say,
                goes_on=goes_on,
            )
    glance.look()
    if not quiet:
        say_verdict(made, metric, against)
        tell(glance.summary())
    return [answer for answer in answers.values() if answer.state == "stopped"]


def require_ended(made: "Study", left: list["Answer"], goes_on: str) -> None:
    """
    Raises:
        CounterfeitError: some of a study's runs have not ended.
    """
    from counterfeit.study.progress import not_done

    if left:
        raise CounterfeitError(
            f"{len(left)} of {len(made.tasks)} runs have not ended{not_done(left)};"
            f" {goes_on} goes on."
        )


def say_verdict(made: "Study", metric: str | None = None, against: str | None = None) -> None:
    """What the runs say so far, as `study report` begins."""
    from counterfeit.study.results import read
    from counterfeit.study.tables import verdict_text
    from counterfeit.study.verdict import judge

    verdict = judge(read(made), metric=metric, against=against)
    say(f"{verdict_text(verdict, columns(sys.stdout))}\n")


def show(glance: "Glance", folder: Path) -> None:
    """All runs that are seen, a summary, and the folder they lie in."""
    from counterfeit.study.progress import all_runs

    glance.look()
    print(all_runs(glance, columns(sys.stdout)))
    say(f"\n{glance.summary()}\n")
    print(near(folder))


def near(folder: Path) -> Path:
    """The folder as seen from here, where it lies below."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
